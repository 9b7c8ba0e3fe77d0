//! Values that are refused though the dataset holds them already.

use super::engine::Engine;
use crate::bytes::Addr;
use crate::dtype::{HeldTexts, VarLenSink, WithHeld};
use crate::error::{Error, ErrorKind, Result};
use crate::format::message::datatype::Datatype;
use crate::selection::Resolved;
use alloc::vec;

/// How many bytes of elements are looked at together.
const PIECE: u64 = 1 << 20;

impl Engine {
    /// As [`encode`](Self::encode), for a dataset: what it holds can be written to it. It is only read where a value is
    /// refused.
    pub(crate) fn encode_for<T>(
        &mut self,
        addr: Addr,
        encode: impl Fn(&mut dyn VarLenSink) -> Result<T>,
    ) -> Result<T> {
        match self.encode(|heap| encode(heap)) {
            Err(error) if is_of_value(&error) => match self.held_by_dataset(addr) {
                Ok(held) if !held.is_empty() => {
                    self.encode(|heap| encode(&mut WithHeld { heap, held: &held }))
                }
                _ => Err(error),
            },
            encoded => encoded,
        }
    }

    fn held_by_dataset(&mut self, addr: Addr) -> Result<HeldTexts> {
        let dataset = self.dataset(addr)?;
        let datatype = dataset.datatype.clone();
        let mut held = HeldTexts::of(&datatype);
        if !held.possible() {
            return Ok(held);
        }
        let all = Resolved::whole(dataset.selectable_dims())?;
        let element = u64::from(datatype.size()).max(1);
        for piece in all.pieces((PIECE / element).max(1)) {
            let mut bytes = vec![0; (piece.element_count() * element) as usize];
            self.read_dataset(addr, &piece, &mut bytes)?;
            self.decode(|heap| held.add(&datatype, &bytes, heap))?;
        }
        Ok(held)
    }

    /// The texts that the elements of an attribute hold.
    pub(crate) fn held_by_attribute(
        &mut self,
        datatype: &Datatype,
        bytes: &[u8],
    ) -> Result<HeldTexts> {
        let mut held = HeldTexts::of(datatype);
        if held.possible() {
            self.decode(|heap| held.add(datatype, bytes, heap))?;
        }
        Ok(held)
    }
}

/// Whether a value is refused, and not the file at fault.
fn is_of_value(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::Invalid(_) | ErrorKind::Limit { .. }
    )
}
