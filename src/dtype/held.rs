//! Texts that a dataset or an attribute holds though its character set does not have them: what libhdf5 takes for a
//! string of ASCII is any bytes, and much software writes UTF-8. Such a text is read, and can be written back where it came
//! from; elsewhere it is refused.

use super::{Node, Value, VarLenSink, VarLenSource};
use crate::error::Result;
use crate::format::message::datatype::{CharacterSet, Datatype};
use alloc::collections::BTreeSet;
use alloc::string::String;

/// The texts that are not ASCII of some elements.
#[derive(Debug, Default)]
pub(crate) struct HeldTexts(BTreeSet<String>);

impl HeldTexts {
    /// Whether elements of the datatype can hold such texts.
    pub(crate) fn possible(datatype: &Datatype) -> bool {
        match datatype {
            Datatype::FixedString { charset, .. } | Datatype::VarLenString { charset, .. } => {
                *charset == CharacterSet::Ascii
            }
            Datatype::Array { base, .. } | Datatype::VarLenSequence { base, .. } => {
                Self::possible(base)
            }
            Datatype::Compound { members, .. } => members
                .iter()
                .any(|member| Self::possible(&member.datatype)),
            _ => false,
        }
    }

    /// Adds those of elements as the file stores them.
    pub(crate) fn add(
        &mut self,
        datatype: &Datatype,
        bytes: &[u8],
        heap: &mut dyn VarLenSource,
    ) -> Result<()> {
        let values = Node::new(datatype).read_all(bytes, datatype.size() as usize, heap)?;
        values.into_iter().for_each(|value| self.add_value(value));
        Ok(())
    }

    fn add_value(&mut self, value: Value) {
        match value {
            Value::String(text) if !text.is_ascii() => {
                self.0.insert(text);
            }
            Value::Array(values) | Value::Sequence(values) => {
                values.into_iter().for_each(|value| self.add_value(value));
            }
            Value::Compound(members) => {
                let values = members.into_iter().map(|(_, value)| value);
                values.for_each(|value| self.add_value(value));
            }
            _ => {}
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// A heap that lets held texts pass.
pub(crate) struct WithHeld<'a> {
    pub(crate) heap: &'a mut dyn VarLenSink,
    pub(crate) held: &'a HeldTexts,
}

impl VarLenSink for WithHeld<'_> {
    fn offset_width(&self) -> u8 {
        self.heap.offset_width()
    }

    fn insert(&mut self, bytes: &[u8]) -> Result<(u64, u32)> {
        self.heap.insert(bytes)
    }

    fn holds_already(&self, text: &str) -> bool {
        self.held.0.contains(text)
    }
}
