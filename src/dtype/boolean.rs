//! `bool`: the enumeration that h5py writes, `FALSE` = 0 and `TRUE` = 1 in a signed byte.

use super::scalar::{integer, is_integer};
use super::{ELEMENT, H5Type, VarLenSink, VarLenSource, expect};
use crate::error::{Error, Result};
use crate::format::message::datatype::Datatype;
use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;

impl H5Type for bool {
    fn datatype() -> Datatype {
        Datatype::Enum {
            base: Box::new(integer(1, true)),
            members: vec![("FALSE".into(), vec![0]), ("TRUE".into(), vec![1])],
        }
    }

    fn zero() -> Self {
        false
    }

    fn matches(stored: &Datatype) -> bool {
        let Datatype::Enum { base, members } = stored else {
            return false;
        };
        let has = |name: &str, value: u8| members.iter().any(|m| m.0 == name && m.1 == [value]);
        (is_integer(base, 1, true) || is_integer(base, 1, false))
            && members.len() == 2
            && has("FALSE", 0)
            && has("TRUE", 1)
    }

    fn encode(
        values: &[Self],
        stored: &Datatype,
        _: &mut dyn VarLenSink,
        out: &mut Vec<u8>,
    ) -> Result<()> {
        expect::<Self>(stored)?;
        out.extend_from_slice(bytemuck::cast_slice(values));
        Ok(())
    }

    fn encode_each<'a>(
        values: impl ExactSizeIterator<Item = &'a Self> + Clone,
        stored: &Datatype,
        _: &mut dyn VarLenSink,
        out: &mut Vec<u8>,
    ) -> Result<()> {
        expect::<Self>(stored)?;
        out.extend(values.map(|value| u8::from(*value)));
        Ok(())
    }

    fn decode(bytes: &[u8], stored: &Datatype, _: &mut dyn VarLenSource) -> Result<Vec<Self>> {
        expect::<Self>(stored)?;
        match bytemuck::checked::try_cast_slice(bytes) {
            Ok(values) => Ok(values.to_vec()),
            Err(_) => Err(Error::corrupt(ELEMENT, "a boolean is neither 0 nor 1")),
        }
    }

    fn as_bytes<'a>(values: &'a [Self], stored: &Datatype) -> Option<&'a [u8]> {
        Self::matches(stored).then(|| bytemuck::cast_slice(values))
    }
}
