//! `[T; N]`: the array datatype.

use super::{ELEMENT, H5Type, VarLenSink, VarLenSource, count, expect};
use crate::error::{Error, Result};
use crate::format::message::datatype::Datatype;
use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;

/// The datatype of the elements of an array of `len`. An array of several dimensions is an array of arrays: the bytes
/// are the same.
fn inner(stored: &Datatype, len: usize) -> Option<Cow<'_, Datatype>> {
    let Datatype::Array { dims, base } = stored else {
        return None;
    };
    let (first, rest) = dims.split_first()?;
    if usize::try_from(*first) != Ok(len) {
        return None;
    }
    Some(if rest.is_empty() {
        Cow::Borrowed(base)
    } else {
        Cow::Owned(Datatype::Array {
            dims: rest.to_vec(),
            base: base.clone(),
        })
    })
}

impl<T: H5Type, const N: usize> H5Type for [T; N] {
    fn datatype() -> Datatype {
        const {
            assert!(
                N > 0 && N <= u32::MAX as usize,
                "an array has 1 to 2^32 - 1 elements"
            );
        }
        Datatype::Array {
            dims: vec![N as u32],
            base: Box::new(T::datatype()),
        }
    }

    fn zero() -> Self {
        core::array::from_fn(|_| T::zero())
    }

    fn matches(stored: &Datatype) -> bool {
        N > 0 && inner(stored, N).is_some_and(|inner| T::matches(&inner))
    }

    fn encode(
        values: &[Self],
        stored: &Datatype,
        heap: &mut dyn VarLenSink,
        out: &mut Vec<u8>,
    ) -> Result<()> {
        expect::<Self>(stored)?;
        match inner(stored, N) {
            Some(inner) => T::encode(values.as_flattened(), &inner, heap, out),
            None => Ok(()),
        }
    }

    fn encode_each<'a>(
        values: impl ExactSizeIterator<Item = &'a Self> + Clone,
        stored: &Datatype,
        heap: &mut dyn VarLenSink,
        out: &mut Vec<u8>,
    ) -> Result<()> {
        expect::<Self>(stored)?;
        let Some(inner) = inner(stored, N) else {
            return Ok(());
        };
        if T::as_bytes(&[], &inner).is_some() {
            for value in values {
                out.extend_from_slice(T::as_bytes(value, &inner).unwrap_or_default());
            }
            return Ok(());
        }
        for value in values {
            T::encode(value, &inner, heap, out)?;
        }
        Ok(())
    }

    fn alignment() -> usize {
        T::alignment()
    }

    fn decode(bytes: &[u8], stored: &Datatype, heap: &mut dyn VarLenSource) -> Result<Vec<Self>> {
        expect::<Self>(stored)?;
        let size = size_of::<Self>();
        // A type whose memory is what the file holds has elements of the size they have in the file.
        if Self::as_bytes_mut(&mut [], stored).is_some() {
            let mut values = vec![Self::zero(); count(bytes, size)?];
            if let Some(memory) = Self::as_bytes_mut(&mut values, stored) {
                memory.copy_from_slice(bytes);
                return Ok(values);
            }
        }
        let Some(inner) = inner(stored, N) else {
            return Ok(Vec::new());
        };
        let flat = T::decode(bytes, &inner, heap)?;
        if !flat.len().is_multiple_of(N) {
            return Err(Error::corrupt(ELEMENT, "the data ends within an array"));
        }
        let mut values = Vec::with_capacity(flat.len() / N);
        let mut flat = flat.into_iter();
        while flat.len() >= N {
            values.push(core::array::from_fn(|_| {
                flat.next().unwrap_or_else(T::zero)
            }));
        }
        Ok(values)
    }

    fn as_bytes<'a>(values: &'a [Self], stored: &Datatype) -> Option<&'a [u8]> {
        T::as_bytes(values.as_flattened(), &*inner(stored, N)?)
    }

    fn as_bytes_mut<'a>(values: &'a mut [Self], stored: &Datatype) -> Option<&'a mut [u8]> {
        T::as_bytes_mut(values.as_flattened_mut(), &*inner(stored, N)?)
    }
}
