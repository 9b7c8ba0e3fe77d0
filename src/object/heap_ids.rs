//! What elements name in the global heap: strings, sequences, and what references keep there.

use crate::bytes::{Addr, Take};
use crate::error::Result;
use crate::format::message::datatype::Datatype;
use crate::infra::global_heap::HeapRef;

/// What names an object of the heap.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Owner<'a> {
    /// With its length in characters.
    String(usize),
    /// With the type of its parts, and how many there are.
    Sequence(&'a Datatype, usize),
    Reference,
}

/// Whether an element may name an object of the heap.
pub(crate) fn names_heap_objects(datatype: &Datatype) -> bool {
    match datatype {
        Datatype::VarLenSequence { .. } | Datatype::VarLenString { .. } => true,
        Datatype::Reference { kind, .. } => *kind != 0,
        Datatype::Array { base, .. } => names_heap_objects(base),
        Datatype::Compound { members, .. } => members
            .iter()
            .any(|member| names_heap_objects(&member.datatype)),
        _ => false,
    }
}

/// Whether an element may name a place in the file: an object of the heap, or one that links lead to.
pub(crate) fn names_places(datatype: &Datatype) -> bool {
    match datatype {
        Datatype::VarLenSequence { .. }
        | Datatype::VarLenString { .. }
        | Datatype::Reference { .. } => true,
        Datatype::Array { base, .. } => names_places(base),
        Datatype::Compound { members, .. } => {
            members.iter().any(|member| names_places(&member.datatype))
        }
        _ => false,
    }
}

/// Visits the objects of the heap that elements name themselves; the parts of a sequence may name others.
pub(crate) fn for_each_heap_id<'a>(
    datatype: &'a Datatype,
    bytes: &[u8],
    offset_width: u8,
    visit: &mut dyn FnMut(HeapRef, Owner<'a>) -> Result<()>,
) -> Result<()> {
    if !names_heap_objects(datatype) {
        return Ok(());
    }
    for element in bytes.chunks_exact((datatype.size() as usize).max(1)) {
        let mut take = Take::new(element, "element", 0);
        match datatype {
            Datatype::VarLenString { .. } | Datatype::VarLenSequence { .. } => {
                let len = take.u32()? as usize;
                let at = heap_id(&mut take, offset_width)?;
                let owner = match datatype {
                    Datatype::VarLenSequence { base, .. } => Owner::Sequence(base, len),
                    _ => Owner::String(len),
                };
                if len > 0 && at.addr.get() != 0 {
                    visit(at, owner)?;
                }
            }
            Datatype::Reference { kind: 1, .. } => {
                let at = heap_id(&mut take, offset_width)?;
                if at.addr.get() != 0 {
                    visit(at, Owner::Reference)?;
                }
            }
            Datatype::Reference { .. } => {
                // A revised reference to nothing, or to an object of this file, is in the element itself.
                let (names, flags) = (take.u8()?, take.u8()?);
                if names != 0 && !(names == 2 && flags & 1 == 0) && take.u32()? > 0 {
                    visit(heap_id(&mut take, offset_width)?, Owner::Reference)?;
                }
            }
            Datatype::Array { base, .. } => for_each_heap_id(base, element, offset_width, visit)?,
            Datatype::Compound { members, .. } => {
                for member in members {
                    let from = member.offset as usize;
                    let to = from + member.datatype.size() as usize;
                    if let Some(bytes) = element.get(from..to) {
                        for_each_heap_id(&member.datatype, bytes, offset_width, visit)?;
                    }
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// Makes the strings and sequences of length 0 in `bytes` name no object of the heap. Copies of an element would share it.
pub(crate) fn forget_empty(datatype: &Datatype, bytes: &mut [u8]) {
    match datatype {
        Datatype::VarLenString { .. } | Datatype::VarLenSequence { .. }
            if bytes.iter().take(4).all(|&byte| byte == 0) =>
        {
            bytes.fill(0);
        }
        Datatype::Array { base, .. } => bytes
            .chunks_exact_mut((base.size() as usize).max(1))
            .for_each(|element| forget_empty(base, element)),
        Datatype::Compound { members, .. } => {
            for member in members {
                let from = member.offset as usize;
                let to = from + member.datatype.size() as usize;
                if let Some(bytes) = bytes.get_mut(from..to) {
                    forget_empty(&member.datatype, bytes);
                }
            }
        }
        _ => {}
    }
}

fn heap_id(take: &mut Take<'_>, offset_width: u8) -> Result<HeapRef> {
    let addr = Addr::new(take.uint(offset_width)?);
    let index = take.u32()?;
    Ok(HeapRef { addr, index })
}

/// Visits the heap objects that elements own: of strings and sequences, also inside arrays and compounds. What a reference
/// keeps in the heap may have been copied with its bytes.
pub(super) fn for_each_owned(
    datatype: &Datatype,
    bytes: &[u8],
    offset_width: u8,
    visit: &mut dyn FnMut(HeapRef, Owner<'_>) -> Result<()>,
) -> Result<()> {
    if !datatype.contains_var_len() {
        return Ok(());
    }
    for_each_heap_id(
        datatype,
        bytes,
        offset_width,
        &mut |at, owner| match owner {
            Owner::Reference => Ok(()),
            Owner::String(_) | Owner::Sequence(..) => visit(at, owner),
        },
    )
}
