//! Where the members of a compound lie.

use crate::format::message::datatype::{ByteOrder, CompoundMember, Datatype};
use alloc::boxed::Box;
use alloc::vec::Vec;

/// How a struct lies in an element, as its `repr` says.
#[derive(Debug, Clone, Copy, Default)]
pub struct StructLayout {
    /// As C lays it out; else its fields follow each other without padding.
    pub c: bool,
    /// The most that a field is aligned to, of `packed(n)`.
    pub packed: Option<usize>,
    /// The least that the struct is aligned to, of `align(n)`.
    pub align: usize,
}

impl StructLayout {
    fn field(&self, alignment: usize) -> usize {
        if self.c {
            alignment.min(self.packed.unwrap_or(usize::MAX)).max(1)
        } else {
            1
        }
    }

    /// The alignment of the struct, whose fields have these.
    pub fn alignment(&self, fields: &[usize]) -> usize {
        let fields = fields.iter().map(|&alignment| self.field(alignment));
        fields.max().unwrap_or(1).max(self.align)
    }

    /// The compound of fields with their names, datatypes and alignments. A size beyond what the format can say is for the
    /// checks of datatypes to refuse.
    pub fn compound(&self, fields: Vec<(&str, Datatype, usize)>) -> Datatype {
        let mut end = 0_usize;
        let mut most = self.align.max(1);
        let mut members = Vec::with_capacity(fields.len());
        for (name, datatype, alignment) in fields {
            let alignment = self.field(alignment);
            let offset = end.next_multiple_of(alignment);
            most = most.max(alignment);
            end = offset.saturating_add(datatype.size() as usize);
            members.push(CompoundMember {
                name: name.into(),
                offset: u32::try_from(offset).unwrap_or(u32::MAX),
                datatype,
            });
        }
        let size = if self.c || self.align > 1 {
            end.checked_next_multiple_of(most).unwrap_or(end)
        } else {
            end
        };
        Datatype::Compound {
            size: u32::try_from(size).unwrap_or(u32::MAX),
            members,
        }
    }
}

impl Datatype {
    /// The same datatype with other names for the parts of the compounds `{r, i}` in it, which are complex numbers: through
    /// arrays, compounds and sequences. Complex numbers are read, and written, by any of the names `r` and `i`, `re` and
    /// `im`, `real` and `imag` or `imaginary`; h5py takes only `r` and `i` for one, unless it is told otherwise.
    ///
    /// ```
    /// use h5quill::{CompoundMember, Datatype, H5Type};
    /// let part = |name: &str, offset| CompoundMember { name: name.into(), offset, datatype: f32::datatype() };
    /// let complex = Datatype::Compound { size: 8, members: vec![part("r", 0), part("i", 4)] };
    /// let renamed = complex.with_complex_names("real", "imag");
    /// assert_eq!(renamed.to_string(), "compound {real: little-endian f32, imag: little-endian f32}");
    /// ```
    #[must_use]
    pub fn with_complex_names(self, real: &str, imaginary: &str) -> Self {
        let boxed = |base: Box<Self>| Box::new((*base).with_complex_names(real, imaginary));
        match self {
            Self::Compound { size, mut members } => {
                match &mut members[..] {
                    [first, second] if first.name == "r" && second.name == "i" => {
                        first.name = real.into();
                        second.name = imaginary.into();
                    }
                    _ => {
                        members = members
                            .into_iter()
                            .map(|member| CompoundMember {
                                datatype: member.datatype.with_complex_names(real, imaginary),
                                ..member
                            })
                            .collect();
                    }
                }
                Self::Compound { size, members }
            }
            Self::Array { dims, base } => Self::Array {
                dims,
                base: boxed(base),
            },
            Self::VarLenSequence { size, base } => Self::VarLenSequence {
                size,
                base: boxed(base),
            },
            other => other,
        }
    }
}

/// The alignment that C on 64-bit hosts gives a value of the datatype.
pub(super) fn natural_alignment(datatype: &Datatype) -> usize {
    match datatype {
        Datatype::Integer(_)
        | Datatype::Float(_)
        | Datatype::Bitfield(_)
        | Datatype::Time { .. } => {
            let size = datatype.size() as usize;
            if size.is_power_of_two() {
                size.min(16)
            } else {
                1
            }
        }
        Datatype::VarLenSequence { .. }
        | Datatype::VarLenString { .. }
        | Datatype::Reference { kind: 0, .. } => 8,
        Datatype::Compound { members, .. } => members
            .iter()
            .map(|member| natural_alignment(&member.datatype))
            .max()
            .unwrap_or(1),
        Datatype::Enum { base, .. }
        | Datatype::Array { base, .. }
        | Datatype::Complex { base, .. } => natural_alignment(base),
        Datatype::FixedString { .. } | Datatype::Opaque { .. } | Datatype::Reference { .. } => 1,
    }
}

/// Whether values of the one are those of the other but for byte order: the reason for a mismatch lies elsewhere.
pub(super) fn is_same(stored: &Datatype, given: &Datatype) -> bool {
    match (stored, given) {
        (
            Datatype::Compound { members, .. },
            Datatype::Compound {
                members: others, ..
            },
        ) => {
            members.len() == others.len()
                && others.iter().all(|other| {
                    let found = members.iter().find(|member| member.name == other.name);
                    found.is_some_and(|found| is_same(&found.datatype, &other.datatype))
                })
        }
        (
            Datatype::Array { dims, base },
            Datatype::Array {
                dims: others,
                base: other,
            },
        ) => dims == others && is_same(base, other),
        (Datatype::VarLenSequence { base, .. }, Datatype::VarLenSequence { base: other, .. }) => {
            is_same(base, other)
        }
        (Datatype::VarLenString { .. }, Datatype::VarLenString { .. }) => true,
        (Datatype::FixedString { size, .. }, Datatype::FixedString { size: other, .. }) => {
            size == other
        }
        (Datatype::Reference { kind, .. }, Datatype::Reference { kind: other, .. }) => {
            kind == other
        }
        _ => {
            let little =
                |datatype: &Datatype| datatype.clone().with_byte_order(ByteOrder::LittleEndian);
            little(stored) == little(given)
        }
    }
}
