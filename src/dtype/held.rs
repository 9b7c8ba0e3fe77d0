//! Texts that a dataset or an attribute holds though its datatype does not quite have them: what libhdf5 takes for a
//! string of ASCII is any bytes, and much software writes UTF-8, or fills a string and leaves no room for the NUL behind it.
//! Such a text is read, and can be written back where it came from; elsewhere it is refused.

use super::{Node, Value, VarLenSink, VarLenSource};
use crate::error::Result;
use crate::format::message::datatype::{CharacterSet, Datatype, StringPadding};
use alloc::collections::BTreeSet;
use alloc::vec::Vec;

/// Those texts of some elements.
#[derive(Debug, Default)]
pub(crate) struct HeldTexts {
    texts: BTreeSet<Vec<u8>>,
    /// There are strings of ASCII.
    ascii: bool,
    /// The sizes of the strings that a NUL ends.
    terminated: BTreeSet<usize>,
}

impl HeldTexts {
    /// None yet, of elements of the datatype.
    pub(crate) fn of(datatype: &Datatype) -> Self {
        let mut held = Self::default();
        held.prepare(datatype);
        held
    }

    fn prepare(&mut self, datatype: &Datatype) {
        match datatype {
            Datatype::FixedString {
                size,
                padding,
                charset,
            } => {
                self.ascii |= *charset == CharacterSet::Ascii;
                if *padding == StringPadding::NullTerminate {
                    self.terminated.insert(*size as usize);
                }
            }
            Datatype::VarLenString { charset, .. } => {
                self.ascii |= *charset == CharacterSet::Ascii;
            }
            Datatype::Array { base, .. } | Datatype::VarLenSequence { base, .. } => {
                self.prepare(base);
            }
            Datatype::Compound { members, .. } => {
                members
                    .iter()
                    .for_each(|member| self.prepare(&member.datatype));
            }
            _ => {}
        }
    }

    /// Whether there can be such texts.
    pub(crate) fn possible(&self) -> bool {
        self.ascii || !self.terminated.is_empty()
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
            Value::String(text) => self.add_text(text.into_bytes()),
            Value::Bytes(bytes) => self.add_text(bytes),
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

    fn add_text(&mut self, text: Vec<u8>) {
        if (self.ascii && !text.is_ascii()) || self.terminated.contains(&text.len()) {
            self.texts.insert(text);
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.texts.is_empty()
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

    fn holds_already(&self, text: &[u8]) -> bool {
        self.held.texts.contains(text)
    }
}
