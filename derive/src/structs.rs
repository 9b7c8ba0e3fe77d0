//! Structs: compounds.

use crate::attributes::{Repr, check_names, rename};
use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote};
use syn::{
    DataStruct, DeriveInput, Error, GenericParam, LitStr, Member, Result, Type, TypeParam,
    TypeParamBound, WherePredicate,
};

/// Traits that have nothing to do with files: a type parameter with no other bound may be anything.
const GENERAL: [&str; 14] = [
    "Clone",
    "Copy",
    "Debug",
    "Default",
    "Display",
    "PartialEq",
    "Eq",
    "PartialOrd",
    "Ord",
    "Hash",
    "Send",
    "Sync",
    "Sized",
    "Unpin",
];

/// A field that is stored.
struct Field<'a> {
    member: Member,
    ty: &'a Type,
    name: LitStr,
    /// A variable for it in what is generated.
    local: Ident,
}

/// The fields that are stored, and those that are not: of type `PhantomData`.
fn fields<'a>(input: &DeriveInput, data: &'a DataStruct) -> Result<(Vec<Field<'a>>, Vec<Member>)> {
    let (mut stored, mut phantom) = (Vec::new(), Vec::new());
    for (index, field) in data.fields.iter().enumerate() {
        let member = match &field.ident {
            Some(name) => Member::Named(name.clone()),
            None => Member::Unnamed(index.into()),
        };
        if last_segment(&field.ty).is_some_and(|name| name == "PhantomData") {
            phantom.push(member);
            continue;
        }
        check_field(input, &field.ty)?;
        let own = || match &field.ident {
            Some(name) => {
                let text = name.to_string();
                LitStr::new(text.trim_start_matches("r#"), name.span())
            }
            None => LitStr::new(&stored.len().to_string(), Span::call_site()),
        };
        let name = rename(&field.attrs)?.unwrap_or_else(own);
        stored.push(Field {
            member,
            ty: &field.ty,
            name,
            local: format_ident!("h5_{index}"),
        });
    }
    if stored.is_empty() {
        return Err(Error::new_spanned(
            &input.ident,
            "a struct without fields that are stored has nothing to put in a file: a compound has one member at least",
        ));
    }
    check_names(
        &stored
            .iter()
            .map(|field| field.name.clone())
            .collect::<Vec<_>>(),
    )?;
    Ok((stored, phantom))
}

/// The name at the end of a type that is a path.
fn last_segment(ty: &Type) -> Option<&Ident> {
    match ty {
        Type::Path(path) if path.qself.is_none() => {
            path.path.segments.last().map(|segment| &segment.ident)
        }
        _ => None,
    }
}

/// Refuses what no bound can be right for, with the reason and a way out.
fn check_field(input: &DeriveInput, ty: &Type) -> Result<()> {
    let reason = match ty {
        Type::Reference(_) => {
            "a value that is read from a file owns what it has: use `String` for `&str` and `Vec<T>` for `&[T]`"
        }
        Type::Tuple(_) => "a tuple has no names for its members: write a struct",
        Type::Ptr(_) | Type::BareFn(_) | Type::TraitObject(_) => {
            "an address in memory means nothing in a file"
        }
        _ if last_segment(ty).is_some_and(|name| name == "Option") => {
            "a file has no optional values: use a value that stands for none (`NAN`, -1), or a `Vec` of none or one"
        }
        _ if mentions(
            &ty.to_token_stream(),
            &[&input.ident, &format_ident!("Self")],
        ) =>
        {
            "a type that contains itself has no datatype"
        }
        _ => return Ok(()),
    };
    Err(Error::new_spanned(ty, reason))
}

/// Whether one of the names is somewhere in the tokens.
fn mentions(tokens: &TokenStream, names: &[&Ident]) -> bool {
    tokens.clone().into_iter().any(|token| match token {
        TokenTree::Ident(ident) => names.contains(&&ident),
        TokenTree::Group(group) => mentions(&group.stream(), names),
        TokenTree::Punct(_) | TokenTree::Literal(_) => false,
    })
}

/// Refuses lifetimes, and parameters of which it is not said that they are elements.
fn check_generics(input: &DeriveInput, fields: &[Field<'_>]) -> Result<()> {
    for parameter in &input.generics.params {
        match parameter {
            GenericParam::Lifetime(lifetime) => {
                return Err(Error::new_spanned(
                    lifetime,
                    "a value that is read from a file owns what it has: use `String` for `&str` and `Vec<T>` for `&[T]`",
                ));
            }
            GenericParam::Type(parameter) => {
                let name = &parameter.ident;
                let is_stored = fields
                    .iter()
                    .any(|field| mentions(&field.ty.to_token_stream(), &[name]));
                if is_stored && !is_bound(input, parameter) {
                    return Err(Error::new_spanned(
                        parameter,
                        format!(
                            "nothing says that every `{name}` is an element of a file: write `{name}: H5Type`"
                        ),
                    ));
                }
            }
            GenericParam::Const(_) => {}
        }
    }
    Ok(())
}

/// Whether the parameter has a bound that may make it an element: `H5Type`, or a trait of the user's.
fn is_bound(input: &DeriveInput, parameter: &TypeParam) -> bool {
    let says = |bound: &TypeParamBound| match bound {
        TypeParamBound::Trait(bound) => bound
            .path
            .segments
            .last()
            .is_some_and(|segment| !GENERAL.contains(&segment.ident.to_string().as_str())),
        _ => false,
    };
    let predicates = input
        .generics
        .where_clause
        .iter()
        .flat_map(|clause| &clause.predicates);
    let mut in_clause = predicates.filter_map(|predicate| match predicate {
        WherePredicate::Type(of) => {
            mentions(&of.bounded_ty.to_token_stream(), &[&parameter.ident]).then_some(&of.bounds)
        }
        _ => None,
    });
    parameter.bounds.iter().any(says) || in_clause.any(|bounds| bounds.iter().any(says))
}

/// The methods of `H5Type` for a struct.
pub(crate) fn methods(input: &DeriveInput, data: &DataStruct, repr: &Repr) -> Result<TokenStream> {
    let (fields, phantom) = fields(input, data)?;
    check_generics(input, &fields)?;
    let phantom = quote!(#(#phantom: ::core::marker::PhantomData,)*);
    if repr.transparent
        && let [field] = &fields[..]
    {
        return Ok(transparent(field, &phantom));
    }
    let of_types = of_types(&fields, &phantom, repr);
    let encoding = encoding(&fields, repr);
    let decoding = decoding(&fields, &phantom);
    Ok(quote! {
        #of_types
        #encoding
        #decoding
    })
}

fn of_types(fields: &[Field<'_>], phantom: &TokenStream, repr: &Repr) -> TokenStream {
    let types: Vec<_> = fields.iter().map(|field| field.ty).collect();
    let names: Vec<_> = fields.iter().map(|field| &field.name).collect();
    let members: Vec<_> = fields.iter().map(|field| &field.member).collect();
    let (c, align) = (repr.c, repr.align);
    let packed = match repr.packed {
        Some(most) => quote!(::core::option::Option::Some(#most)),
        None => quote!(::core::option::Option::None),
    };
    let layout = quote! {
        support::StructLayout { c: #c, packed: #packed, align: #align }
    };
    quote! {
        fn datatype() -> h5::Datatype {
            let mut fields = support::Vec::new();
            #(fields.push((
                #names,
                <#types as h5::H5Type>::datatype(),
                <#types as h5::H5Type>::alignment(),
            ));)*
            #layout.compound(fields)
        }

        fn alignment() -> usize {
            #layout.alignment(&[#(<#types as h5::H5Type>::alignment()),*])
        }

        fn zero() -> Self {
            Self {
                #(#members: <#types as h5::H5Type>::zero(),)*
                #phantom
            }
        }

        fn matches(stored: &h5::Datatype) -> bool {
            support::compound::matches(stored, &[#((#names, <#types as h5::H5Type>::matches)),*])
        }
    }
}

fn encoding(fields: &[Field<'_>], repr: &Repr) -> TokenStream {
    let members = fields.iter().enumerate().map(|(index, field)| {
        let Field { member, ty, name, .. } = field;
        if repr.packed.is_some() {
            // A field of a packed struct cannot be referred to: its values are copied.
            return quote! {
                encoder.member(#index, #name, |stored, out| {
                    let column: support::Vec<#ty> = values.clone().map(|value| { value.#member }).collect();
                    <#ty as h5::H5Type>::encode(&column, stored, heap, out)
                })?;
            };
        }
        quote! {
            encoder.member(#index, #name, |stored, out| {
                let column = values.clone().map(|value| &value.#member);
                <#ty as h5::H5Type>::encode_each(column, stored, heap, out)
            })?;
        }
    });
    quote! {
        fn encode(
            values: &[Self],
            stored: &h5::Datatype,
            heap: &mut dyn h5::VarLenSink,
            out: &mut support::Vec<u8>,
        ) -> h5::Result<()> {
            support::expect::<Self>(stored)?;
            support::compound::encode_blocks(values, |block| {
                <Self as h5::H5Type>::encode_each(block.iter(), stored, heap, out)
            })
        }

        fn encode_each<'h5>(
            values: impl ::core::iter::ExactSizeIterator<Item = &'h5 Self> + ::core::clone::Clone,
            stored: &h5::Datatype,
            heap: &mut dyn h5::VarLenSink,
            out: &mut support::Vec<u8>,
        ) -> h5::Result<()> {
            let mut encoder = support::compound::Encoder::new::<Self>(stored, values.len(), out)?;
            #(#members)*
            ::core::result::Result::Ok(())
        }
    }
}

fn decoding(fields: &[Field<'_>], phantom: &TokenStream) -> TokenStream {
    let locals: Vec<_> = fields.iter().map(|field| &field.local).collect();
    let members: Vec<_> = fields.iter().map(|field| &field.member).collect();
    let columns = fields.iter().enumerate().map(|(index, field)| {
        let Field {
            ty, name, local, ..
        } = field;
        quote! {
            let mut #local = decoder.member(#index, #name, |bytes, stored| {
                <#ty as h5::H5Type>::decode(bytes, stored, heap)
            })?;
        }
    });
    quote! {
        fn decode(
            bytes: &[u8],
            stored: &h5::Datatype,
            heap: &mut dyn h5::VarLenSource,
        ) -> h5::Result<support::Vec<Self>> {
            let mut decoder = support::compound::Decoder::new::<Self>(bytes, stored)?;
            let mut values = support::Vec::with_capacity(decoder.count());
            while let ::core::option::Option::Some(len) = decoder.next_block() {
                #(#columns)*
                for _ in 0..len {
                    let (#(::core::option::Option::Some(#locals),)*) = (#(#locals.next(),)*) else {
                        return ::core::result::Result::Err(support::compound::short());
                    };
                    values.push(Self {
                        #(#members: #locals,)*
                        #phantom
                    });
                }
            }
            ::core::result::Result::Ok(values)
        }
    }
}

/// A struct that is what its one field is.
fn transparent(field: &Field<'_>, phantom: &TokenStream) -> TokenStream {
    let Field { member, ty, .. } = field;
    quote! {
        fn datatype() -> h5::Datatype {
            <#ty as h5::H5Type>::datatype()
        }

        fn alignment() -> usize {
            <#ty as h5::H5Type>::alignment()
        }

        fn zero() -> Self {
            Self { #member: <#ty as h5::H5Type>::zero(), #phantom }
        }

        fn matches(stored: &h5::Datatype) -> bool {
            <#ty as h5::H5Type>::matches(stored)
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
            let inner = values.map(|value| &value.#member);
            <#ty as h5::H5Type>::encode_each(inner, stored, heap, out)
        }

        fn decode(
            bytes: &[u8],
            stored: &h5::Datatype,
            heap: &mut dyn h5::VarLenSource,
        ) -> h5::Result<support::Vec<Self>> {
            let inner = <#ty as h5::H5Type>::decode(bytes, stored, heap)?;
            let wrap = |inner| Self { #member: inner, #phantom };
            ::core::result::Result::Ok(inner.into_iter().map(wrap).collect())
        }
    }
}
