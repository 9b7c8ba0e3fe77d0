//! Enums: enumerations.

use crate::attributes::{Repr, check_names, rename};
use proc_macro2::TokenStream;
use quote::quote;
use syn::{DataEnum, DeriveInput, Error, Fields, Ident, LitStr, Result};

/// The methods of `H5Type` for an enum.
pub(crate) fn methods(input: &DeriveInput, data: &DataEnum, repr: &Repr) -> Result<TokenStream> {
    if let Some(variant) = data
        .variants
        .iter()
        .find(|v| !matches!(v.fields, Fields::Unit))
    {
        return Err(Error::new_spanned(
            variant,
            format!(
                "the variant `{}` has data: an enumeration of a file is a list of names for integers; write a struct of a \
                 plain enum and the data",
                variant.ident
            ),
        ));
    }
    let Some(first) = data.variants.first().map(|variant| &variant.ident) else {
        return Err(Error::new_spanned(
            &input.ident,
            "an enum without variants has no values",
        ));
    };
    let Some(integer) = &repr.integer else {
        return Err(Error::new_spanned(
            &input.ident,
            "an enum needs an integer type that it is stored as: add `#[repr(u8)]`, or another one",
        ));
    };
    let variants: Vec<&Ident> = data.variants.iter().map(|variant| &variant.ident).collect();
    let mut names = Vec::new();
    for variant in &data.variants {
        let own = || LitStr::new(&variant.ident.to_string(), variant.ident.span());
        names.push(rename(&variant.attrs)?.unwrap_or_else(own));
    }
    check_names(&names)?;
    let members = quote! {
        &[#((#names, Self::#variants as #integer as i128)),*]
    };
    Ok(quote! {
        fn datatype() -> h5::Datatype {
            support::enumeration::datatype(<#integer as h5::H5Type>::datatype(), #members)
        }

        fn zero() -> Self {
            Self::#first
        }

        fn matches(stored: &h5::Datatype) -> bool {
            support::enumeration::matches(stored, <#integer as h5::H5Type>::matches, #members)
        }

        fn encode(
            values: &[Self],
            stored: &h5::Datatype,
            heap: &mut dyn h5::VarLenSink,
            out: &mut support::Vec<u8>,
        ) -> h5::Result<()> {
            <Self as h5::H5Type>::encode_each(values.iter(), stored, heap, out)
        }

        fn encode_each<'h5>(
            values: impl ::core::iter::ExactSizeIterator<Item = &'h5 Self> + ::core::clone::Clone,
            stored: &h5::Datatype,
            heap: &mut dyn h5::VarLenSink,
            out: &mut support::Vec<u8>,
        ) -> h5::Result<()> {
            let integers = values.map(|value| match value {
                #(Self::#variants => Self::#variants as #integer,)*
            });
            support::enumeration::encode::<Self, #integer>(integers, stored, heap, out)
        }

        fn decode(
            bytes: &[u8],
            stored: &h5::Datatype,
            heap: &mut dyn h5::VarLenSource,
        ) -> h5::Result<support::Vec<Self>> {
            let make = |integer: #integer| {
                #(if integer == Self::#variants as #integer {
                    return ::core::option::Option::Some(Self::#variants);
                })*
                ::core::option::Option::None
            };
            support::enumeration::decode(bytes, stored, heap, make, |integer| integer as i128)
        }
    })
}
