//! `#[repr(..)]` and `#[hdf5(..)]`.

use syn::meta::ParseNestedMeta;
use syn::{Attribute, Error, Ident, LitInt, LitStr, Path, Result, parenthesized, token};

/// What an integer type can be called in a `repr`.
const INTEGERS: [&str; 10] = [
    "i8", "i16", "i32", "i64", "u8", "u16", "u32", "u64", "isize", "usize",
];

/// What a `repr` says.
#[derive(Default)]
pub(crate) struct Repr {
    pub(crate) c: bool,
    pub(crate) transparent: bool,
    /// The most that fields are aligned to.
    pub(crate) packed: Option<usize>,
    /// The least that the type is aligned to.
    pub(crate) align: usize,
    pub(crate) integer: Option<Ident>,
}

impl Repr {
    pub(crate) fn of(attributes: &[Attribute]) -> Result<Self> {
        let mut repr = Self::default();
        for attribute in attributes.iter().filter(|a| a.path().is_ident("repr")) {
            attribute.parse_nested_meta(|meta| repr.add(&meta))?;
        }
        Ok(repr)
    }

    fn add(&mut self, meta: &ParseNestedMeta<'_>) -> Result<()> {
        let Some(word) = meta.path.get_ident() else {
            return Ok(());
        };
        match word.to_string().as_str() {
            "C" => self.c = true,
            "transparent" => self.transparent = true,
            "packed" => self.packed = Some(number(meta)?.unwrap_or(1)),
            "align" => self.align = number(meta)?.unwrap_or(1),
            "i128" | "u128" => {
                return Err(Error::new_spanned(
                    word,
                    "an enumeration of a file has integers of 64 bits at the most",
                ));
            }
            integer if INTEGERS.contains(&integer) => self.integer = Some(word.clone()),
            _ => {}
        }
        Ok(())
    }
}

/// The number in parentheses, if there is one.
fn number(meta: &ParseNestedMeta<'_>) -> Result<Option<usize>> {
    if !meta.input.peek(token::Paren) {
        return Ok(None);
    }
    let content;
    parenthesized!(content in meta.input);
    content.parse::<LitInt>()?.base10_parse().map(Some)
}

/// What `#[hdf5(..)]` says of a type.
#[derive(Default)]
pub(crate) struct Container {
    pub(crate) crate_path: Option<Path>,
}

impl Container {
    pub(crate) fn of(attributes: &[Attribute]) -> Result<Self> {
        let mut container = Self::default();
        for attribute in attributes.iter().filter(|a| a.path().is_ident("hdf5")) {
            attribute.parse_nested_meta(|meta| {
                if !meta.path.is_ident("crate") {
                    return Err(meta.error(
                        "of a type `#[hdf5(crate = \"..\")]` is known; `rename` belongs to a field or a variant",
                    ));
                }
                container.crate_path = Some(meta.value()?.parse::<LitStr>()?.parse()?);
                Ok(())
            })?;
        }
        Ok(container)
    }
}

/// The name in the file that `#[hdf5(rename = "..")]` gives a field or a variant.
pub(crate) fn rename(attributes: &[Attribute]) -> Result<Option<LitStr>> {
    let mut name = None;
    for attribute in attributes.iter().filter(|a| a.path().is_ident("hdf5")) {
        attribute.parse_nested_meta(|meta| {
            if !meta.path.is_ident("rename") {
                return Err(meta.error(
                    "of a field or a variant `#[hdf5(rename = \"..\")]` is known, nothing else",
                ));
            }
            name = Some(meta.value()?.parse::<LitStr>()?);
            Ok(())
        })?;
    }
    Ok(name)
}

/// Refuses names that a datatype cannot have: empty ones, ones with a NUL, and one twice.
pub(crate) fn check_names(names: &[LitStr]) -> Result<()> {
    for (index, name) in names.iter().enumerate() {
        let text = name.value();
        if text.is_empty() {
            return Err(Error::new(name.span(), "the name in the file is empty"));
        }
        if text.contains('\0') {
            return Err(Error::new(name.span(), "the name in the file has a NUL"));
        }
        if names[..index].iter().any(|other| other.value() == text) {
            return Err(Error::new(
                name.span(),
                format!("the name \"{text}\" is there twice"),
            ));
        }
    }
    Ok(())
}
