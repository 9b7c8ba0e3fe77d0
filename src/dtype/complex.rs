//! Complex numbers: the compound `{r, i}` that h5py writes, and class 11 of HDF5 2.0.

use super::{H5Type, VarLenSink, VarLenSource, compound, expect};
use crate::error::Result;
use crate::format::message::datatype::Datatype;
use alloc::vec;
use alloc::vec::Vec;
use num_complex::Complex;

/// What others call the parts.
const NAMES: [[&str; 2]; 4] = [
    ["r", "i"],
    ["re", "im"],
    ["real", "imag"],
    ["real", "imaginary"],
];

/// The names of the parts of a compound of two, where they are ones that are known, in whichever case.
fn names(stored: &Datatype) -> Option<[&str; 2]> {
    let [first, second] = stored.members() else {
        return None;
    };
    let is = |names: &[&str; 2]| {
        first.name.eq_ignore_ascii_case(names[0]) && second.name.eq_ignore_ascii_case(names[1])
    };
    NAMES.iter().any(is).then_some([&first.name, &second.name])
}

impl<T: H5Type> H5Type for Complex<T> {
    fn datatype() -> Datatype {
        let (part, alignment) = (T::datatype(), T::alignment());
        let parts = vec![("r", part.clone(), alignment), ("i", part, alignment)];
        compound::StructLayout::default().compound(parts)
    }

    fn zero() -> Self {
        Self::new(T::zero(), T::zero())
    }

    fn matches(stored: &Datatype) -> bool {
        match stored {
            Datatype::Complex { base, .. } => T::matches(base),
            Datatype::Compound { members, .. } => {
                names(stored).is_some() && members.iter().all(|part| T::matches(&part.datatype))
            }
            _ => false,
        }
    }

    fn encode(
        values: &[Self],
        stored: &Datatype,
        heap: &mut dyn VarLenSink,
        out: &mut Vec<u8>,
    ) -> Result<()> {
        expect::<Self>(stored)?;
        compound::encode_blocks(values, |block| {
            Self::encode_each(block.iter(), stored, heap, out)
        })
    }

    fn encode_each<'a>(
        values: impl ExactSizeIterator<Item = &'a Self> + Clone,
        stored: &Datatype,
        heap: &mut dyn VarLenSink,
        out: &mut Vec<u8>,
    ) -> Result<()> {
        if let Datatype::Complex { base, .. } = stored {
            expect::<Self>(stored)?;
            let parts: Vec<T> = values
                .flat_map(|value| [value.re.clone(), value.im.clone()])
                .collect();
            return T::encode(&parts, base, heap, out);
        }
        let mut encoder = compound::Encoder::new::<Self>(stored, values.len(), out)?;
        let [real, imaginary] = names(stored).unwrap_or(NAMES[0]);
        encoder.member(0, real, |stored, out| {
            T::encode_each(values.clone().map(|value| &value.re), stored, heap, out)
        })?;
        encoder.member(1, imaginary, |stored, out| {
            T::encode_each(values.map(|value| &value.im), stored, heap, out)
        })
    }

    fn alignment() -> usize {
        T::alignment()
    }

    fn decode(bytes: &[u8], stored: &Datatype, heap: &mut dyn VarLenSource) -> Result<Vec<Self>> {
        if let Datatype::Complex { base, .. } = stored {
            expect::<Self>(stored)?;
            let mut parts = T::decode(bytes, base, heap)?.into_iter();
            let mut values = Vec::with_capacity(parts.len() / 2);
            while let (Some(real), Some(imaginary)) = (parts.next(), parts.next()) {
                values.push(Self::new(real, imaginary));
            }
            return Ok(values);
        }
        let mut decoder = compound::Decoder::new::<Self>(bytes, stored)?;
        let [real, imaginary] = names(stored).unwrap_or(NAMES[0]);
        let mut values = Vec::with_capacity(decoder.count());
        while decoder.next_block().is_some() {
            let real = decoder.member(0, real, |bytes, stored| T::decode(bytes, stored, heap))?;
            let imaginary =
                decoder.member(1, imaginary, |bytes, stored| T::decode(bytes, stored, heap))?;
            values.extend(real.zip(imaginary).map(|(re, im)| Self::new(re, im)));
        }
        Ok(values)
    }
}
