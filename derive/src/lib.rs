//! `#[derive(H5Type)]`: structs and enums as elements of HDF5 files, with the attributes of hdf5-metno.
//!
//! Use it through `h5quill`, whose feature `derive` is on by default; `h5quill::H5Type` has the documentation.

mod attributes;
mod enums;
mod structs;

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::{Data, DeriveInput, Error, Ident, Path, Result, parse_macro_input};

/// Makes a struct or an enum an element of HDF5 files: an `h5quill::H5Type`.
///
/// A struct becomes a compound of its fields: with `#[repr(C)]` as C lays it out, else without padding. With
/// `#[repr(transparent)]` it is what its field is. An enum without data becomes an enumeration of the integers of its `repr`.
/// `#[hdf5(rename = "name")]` names a field or a variant in the file; `#[hdf5(crate = "path")]` on the type says where
/// h5quill is, which is found by itself where it is a dependency.
#[proc_macro_derive(H5Type, attributes(hdf5))]
pub fn derive(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    expand(&input)
        .unwrap_or_else(Error::into_compile_error)
        .into()
}

fn expand(input: &DeriveInput) -> Result<TokenStream> {
    let repr = attributes::Repr::of(&input.attrs)?;
    let container = attributes::Container::of(&input.attrs)?;
    let methods = match &input.data {
        Data::Struct(data) => structs::methods(input, data, &repr)?,
        Data::Enum(data) => enums::methods(input, data, &repr)?,
        Data::Union(data) => {
            return Err(Error::new(
                data.union_token.span,
                "a union cannot be an element of a file: nothing says which of its fields a value has; write a struct",
            ));
        }
    };
    let h5quill = match container.crate_path {
        Some(path) => quote!(#path),
        None => crate_path(),
    };
    let name = &input.ident;
    let (impl_generics, type_generics, where_clause) = input.generics.split_for_impl();
    Ok(quote! {
        const _: () = {
            use #h5quill as h5;
            use h5::derive_support as support;

            #[automatically_derived]
            impl #impl_generics h5::H5Type for #name #type_generics #where_clause {
                #methods
            }

            #[automatically_derived]
            impl #impl_generics h5::AttributeValue for #name #type_generics #where_clause {
                fn stored_type(&self) -> h5::Datatype {
                    <Self as h5::H5Type>::datatype()
                }

                fn stored_extents(&self) -> h5::Extents {
                    h5::Extents::Scalar
                }

                fn store(&self, heap: &mut dyn h5::VarLenSink) -> h5::Result<support::Vec<u8>> {
                    support::store(::core::slice::from_ref(self), heap)
                }
            }
        };
    })
}

/// The path of h5quill, whatever name the crate that is compiled gives it.
fn crate_path() -> TokenStream {
    let name = match proc_macro_crate::crate_name("h5quill") {
        Ok(proc_macro_crate::FoundCrate::Name(name)) => name,
        // A test or an example of h5quill itself; what cannot be found is an error of the compiler that says so.
        Ok(proc_macro_crate::FoundCrate::Itself) | Err(_) => "h5quill".into(),
    };
    let name = Ident::new(&name, Span::call_site());
    let path: Path = name.into();
    quote!(::#path)
}
