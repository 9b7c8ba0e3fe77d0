//! Conversion on read: from elements as they are stored to elements of the type asked for.

mod kernel;
mod number;
mod scratch;

pub(super) use number::{Taken, put_number, to_float};
pub(crate) use scratch::Scratch;

use super::value::unpadded;
use super::{ELEMENT, H5Type};
use crate::bytes::{Take, Widths};
use crate::error::{Error, ErrorKind, Result};
use crate::format::message::datatype::{CompoundMember, Datatype, StringPadding};
use alloc::boxed::Box;
use alloc::string::ToString;
use alloc::vec;
use alloc::vec::Vec;
use number::{Convert, Number};

/// What a read may do to values on their way from the stored datatype to the type asked for. Writes never convert.
///
/// ```
/// use h5quill::{Conversion, File};
/// let file = File::create_memory()?;
/// let data = file.new_dataset::<i32>().create_with("x", &[1, 300])?;
/// assert_eq!(data.read_raw::<f64>()?, [1.0, 300.0]); // every i32 is an f64
/// assert!(data.read_raw::<u8>().is_err()); // not every i32 is a u8
/// assert_eq!(data.as_reader().conversion(Conversion::Soft).read_raw::<u8>()?, [1, 255]);
/// # Ok::<(), h5quill::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Conversion {
    /// Nothing: the types must be the same up to byte order, and for strings up to padding and character set.
    NoOp,
    /// What keeps every value the stored type can have: `i16` to `i32` or `f32`, `f32` to `f64`, an enumeration to its
    /// integers, a fixed-length string to a `String`, members of a compound by their names.
    #[default]
    Exact,
    /// Any number to any other, where the values that are read allow it: the first one that would change is an error.
    Checked,
    /// As libhdf5 does it. Integers beyond the range become its nearest end, fractions are cut off, floats are
    /// rounded to the nearest, beyond the largest to infinity; what is not a number becomes the integer 0.
    Soft,
}

/// The way from stored elements to those of another type.
#[derive(Debug)]
pub(crate) struct Plan {
    step: Step,
    /// The size of a stored element, and of a converted one.
    from: usize,
    to: usize,
    /// What the converted elements are: the type asked for, but for what is taken as it is stored.
    pub(crate) result: Datatype,
}

#[derive(Debug)]
enum Step {
    Copy,
    Number(Convert),
    /// Values of one enumeration and what they are in another.
    Enum(Vec<(Vec<u8>, Vec<u8>)>),
    /// From a padding to zeros.
    FixedString(StringPadding, bool),
    VarLenString(StringPadding),
    Sequence(Box<Plan>),
    Array(Box<Plan>),
    /// Where each member comes from and goes to.
    Compound(Vec<(usize, usize, Plan)>),
}

impl Plan {
    /// The way from `stored` to `T`.
    ///
    /// # Errors
    /// [`ErrorKind::TypeMismatch`], where there is none.
    pub(crate) fn new<T: H5Type>(
        stored: &Datatype,
        conversion: Conversion,
        widths: Widths,
    ) -> Result<Self> {
        let wanted = T::datatype().in_file(widths)?;
        if let Some(plan) = plan(stored, &wanted, conversion)
            && conversion > Conversion::NoOp
            && T::matches(&plan.result)
        {
            return Ok(plan);
        }
        Err(mismatch(stored, &wanted, conversion))
    }

    fn of(step: Step, stored: &Datatype, result: Datatype) -> Self {
        Self {
            step,
            from: stored.size() as usize,
            to: result.size() as usize,
            result,
        }
    }

    /// How many bytes `len` stored ones become.
    pub(crate) fn converted_len(&self, len: usize) -> Result<usize> {
        (len / self.from).checked_mul(self.to).ok_or_else(|| {
            Error::limit("the size of values in memory", u64::MAX, isize::MAX as u64)
        })
    }

    /// Converts elements; `out` is as long as [`converted_len`](Self::converted_len) says, and zero.
    ///
    /// # Errors
    /// A value that has no counterpart, and what the heap says.
    pub(crate) fn run(
        &self,
        bytes: &[u8],
        out: &mut [u8],
        scratch: &mut Scratch<'_>,
    ) -> Result<()> {
        match &self.step {
            Step::Copy => {
                out.copy_from_slice(bytes);
                return Ok(());
            }
            Step::Number(convert) => return convert.run(bytes, out),
            Step::Array(plan) => return plan.run(bytes, out, scratch),
            _ => {}
        }
        let pairs = bytes
            .chunks_exact(self.from)
            .zip(out.chunks_exact_mut(self.to));
        for (element, place) in pairs {
            self.run_one(element, place, scratch)?;
        }
        Ok(())
    }

    fn run_one(&self, element: &[u8], place: &mut [u8], scratch: &mut Scratch<'_>) -> Result<()> {
        match &self.step {
            Step::Copy | Step::Number(_) | Step::Array(_) => self.run(element, place, scratch),
            Step::Enum(values) => {
                let found = values.iter().find(|(stored, _)| stored == element);
                let (_, value) = found.ok_or_else(|| {
                    Error::invalid("a value of an enumeration is none of its members")
                })?;
                place.copy_from_slice(value);
                Ok(())
            }
            Step::FixedString(padding, cut) => {
                let text = unpadded(element, *padding);
                if text.len() > place.len() && !cut {
                    return Err(Error::limit(
                        "the length of a fixed-length string",
                        text.len() as u64,
                        place.len() as u64,
                    ));
                }
                let len = text.len().min(place.len());
                place[..len].copy_from_slice(&text[..len]);
                Ok(())
            }
            Step::VarLenString(padding) => {
                let text = unpadded(element, *padding);
                if text.contains(&0) {
                    return Err(Error::invalid(
                        "a fixed-length string has a zero byte within: read it as one",
                    ));
                }
                scratch.put(text.len(), text, place)
            }
            Step::Sequence(plan) => {
                let mut take = Take::new(element, ELEMENT, 0);
                let (count, stored) = scratch.sequence(&mut take, plan.from)?;
                let mut converted = vec![0; plan.converted_len(stored.len())?];
                plan.run(&stored, &mut converted, scratch)?;
                scratch.put(count, &converted, place)
            }
            Step::Compound(members) => {
                for (from, to, plan) in members {
                    let end = |start: &usize, len| start.checked_add(len);
                    let part = end(from, plan.from).and_then(|end| element.get(*from..end));
                    let place = end(to, plan.to).and_then(|end| place.get_mut(*to..end));
                    match (part, place) {
                        (Some(part), Some(place)) => plan.run(part, place, scratch)?,
                        _ => {
                            return Err(Error::corrupt(
                                ELEMENT,
                                "a member lies outside its compound type",
                            ));
                        }
                    }
                }
                Ok(())
            }
        }
    }
}

/// The way between two datatypes; `None` where there is none, or not one that may be gone.
fn plan(stored: &Datatype, wanted: &Datatype, conversion: Conversion) -> Option<Plan> {
    let is_enum = |datatype: &Datatype| matches!(datatype, Datatype::Enum { .. });
    if let (Some(from), Some(to)) = (Number::source(stored), Number::target(wanted))
        && !is_enum(wanted)
    {
        let convert = Convert::new(from, to, conversion)?;
        return Some(Plan::of(Step::Number(convert), stored, wanted.clone()));
    }
    match (stored, wanted) {
        (Datatype::FixedString { size, padding, .. }, Datatype::FixedString { size: to, .. }) => {
            let holds = to >= size;
            let cut = conversion == Conversion::Soft;
            let plan = Plan::of(
                Step::FixedString(*padding, cut),
                stored,
                null_padded(wanted),
            );
            (holds || conversion >= Conversion::Checked).then_some(plan)
        }
        (Datatype::FixedString { padding, .. }, Datatype::VarLenString { .. }) => Some(Plan::of(
            Step::VarLenString(*padding),
            stored,
            wanted.clone(),
        )),
        (Datatype::VarLenString { .. }, Datatype::VarLenString { .. }) => {
            Some(Plan::of(Step::Copy, stored, stored.clone()))
        }
        (Datatype::VarLenSequence { base, size }, Datatype::VarLenSequence { base: to, .. }) => {
            let inner = plan(base, to, conversion)?;
            let result = Datatype::VarLenSequence {
                size: *size,
                base: Box::new(inner.result.clone()),
            };
            let step = match inner.step {
                Step::Copy => Step::Copy,
                _ => Step::Sequence(Box::new(inner)),
            };
            Some(Plan::of(step, stored, result))
        }
        (Datatype::Array { .. }, Datatype::Array { .. }) => array(stored, wanted, conversion),
        (Datatype::Complex { base, .. }, Datatype::Complex { base: to, .. }) => {
            let inner = plan(base, to, conversion)?;
            (inner.result == **to)
                .then(|| Plan::of(Step::Array(Box::new(inner)), stored, wanted.clone()))
        }
        (Datatype::Compound { members, .. }, Datatype::Compound { size, members: to }) => {
            compound(stored, members, (*size, to), conversion)
        }
        (Datatype::Enum { members, .. }, Datatype::Enum { members: to, .. }) => {
            enumeration(stored, members, wanted, to)
        }
        (Datatype::Reference { .. }, Datatype::Reference { .. }) => {
            Some(Plan::of(Step::Copy, stored, stored.clone()))
        }
        _ if stored == wanted => Some(Plan::of(Step::Copy, stored, stored.clone())),
        _ => None,
    }
}

/// The error where there is no way: it names the first member of a compound that there is none to.
fn mismatch(stored: &Datatype, wanted: &Datatype, conversion: Conversion) -> Error {
    let error = Error::new(ErrorKind::TypeMismatch {
        stored: stored.to_string(),
        given: wanted.to_string(),
    });
    if !stored.is_compound() {
        return error;
    }
    for to in wanted.members() {
        match stored.members().iter().find(|from| from.name == to.name) {
            None => return error.in_member(&to.name),
            Some(from) if plan(&from.datatype, &to.datatype, conversion).is_none() => {
                return mismatch(&from.datatype, &to.datatype, conversion).in_member(&to.name);
            }
            Some(_) => {}
        }
    }
    error
}

fn null_padded(wanted: &Datatype) -> Datatype {
    match wanted {
        Datatype::FixedString { size, charset, .. } => Datatype::FixedString {
            size: *size,
            padding: StringPadding::NullPad,
            charset: *charset,
        },
        other => other.clone(),
    }
}

/// The shape of an array of arrays, and what is in it.
fn flattened(datatype: &Datatype) -> (Vec<u32>, &Datatype) {
    let mut shape = Vec::new();
    let mut at = datatype;
    while let Datatype::Array { dims, base } = at {
        shape.extend(dims);
        at = base;
    }
    (shape, at)
}

/// `datatype` with something else in its innermost array.
fn refilled(datatype: &Datatype, leaf: &Datatype) -> Datatype {
    match datatype {
        Datatype::Array { dims, base } => Datatype::Array {
            dims: dims.clone(),
            base: Box::new(refilled(base, leaf)),
        },
        _ => leaf.clone(),
    }
}

fn array(stored: &Datatype, wanted: &Datatype, conversion: Conversion) -> Option<Plan> {
    let ((shape, leaf), (wanted_shape, wanted_leaf)) = (flattened(stored), flattened(wanted));
    if shape != wanted_shape {
        return None;
    }
    let inner = plan(leaf, wanted_leaf, conversion)?;
    let result = refilled(wanted, &inner.result);
    Some(Plan::of(Step::Array(Box::new(inner)), stored, result))
}

/// Members are found by their names; what is not asked for is left out.
fn compound(
    stored: &Datatype,
    members: &[CompoundMember],
    (size, wanted): (u32, &[CompoundMember]),
    conversion: Conversion,
) -> Option<Plan> {
    let mut parts = Vec::with_capacity(wanted.len());
    let mut result = Vec::with_capacity(wanted.len());
    for to in wanted {
        let from = members.iter().find(|from| from.name == to.name)?;
        let part = plan(&from.datatype, &to.datatype, conversion)?;
        if part.to != to.datatype.size() as usize {
            return None;
        }
        result.push(CompoundMember {
            datatype: part.result.clone(),
            ..to.clone()
        });
        parts.push((from.offset as usize, to.offset as usize, part));
    }
    let result = Datatype::Compound {
        size,
        members: result,
    };
    Some(Plan::of(Step::Compound(parts), stored, result))
}

/// Members are found by their names, and every stored one must be there.
fn enumeration(
    stored: &Datatype,
    members: &[(alloc::string::String, Vec<u8>)],
    wanted: &Datatype,
    to: &[(alloc::string::String, Vec<u8>)],
) -> Option<Plan> {
    let values = members.iter().map(|(name, value)| {
        let found = to.iter().find(|(wanted, _)| wanted == name)?;
        Some((value.clone(), found.1.clone()))
    });
    let values = values.collect::<Option<Vec<_>>>()?;
    Some(Plan::of(Step::Enum(values), stored, wanted.clone()))
}

#[cfg(test)]
mod tests;
