//! Elements that name places in the file: strings and sequences of variable length, whose bytes are copied to heap
//! collections of the copy, and references, which are kept, made null or led to the copies of what they name.

use super::Engines;
use crate::bytes::{Addr, Put, Take};
use crate::error::{Error, Result};
use crate::format::message::datatype::Datatype;
use crate::infra::global_heap::{GlobalHeap, HeapRef};
use crate::object::engine::Engine;
use crate::store::Store;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

const NAME: &str = "reference";

/// The kinds of references: to an object, to a region of a dataset; higher ones are the revised references.
const OBJECT: u8 = 0;
const REGION: u8 = 1;

/// What becomes of references.
#[derive(Debug)]
pub(super) enum References {
    /// They name objects of the same file.
    Kept,
    /// They become null.
    Null,
    /// They lead to the copies.
    Led,
}

/// Whether an element has a reference in it.
pub(super) fn contains_reference(datatype: &Datatype) -> bool {
    match datatype {
        Datatype::Reference { .. } => true,
        Datatype::Array { base, .. } | Datatype::VarLenSequence { base, .. } => {
            contains_reference(base)
        }
        Datatype::Compound { members, .. } => members
            .iter()
            .any(|member| contains_reference(&member.datatype)),
        _ => false,
    }
}

/// Reads a heap ID; `None` where it is null.
fn take_heap_ref(take: &mut Take<'_>, offset_width: u8) -> Result<Option<HeapRef>> {
    let (addr, index) = (take.uint(offset_width)?, take.u32()?);
    Ok((addr != 0).then_some(HeapRef {
        addr: Addr::new(addr),
        index,
    }))
}

/// The bytes of a heap object of the source, all of them or the first `len`.
fn heap_bytes(
    heap: &mut GlobalHeap,
    store: &Store,
    at: HeapRef,
    len: Option<usize>,
) -> Result<Vec<u8>> {
    heap.with(store, at, |bytes| {
        let wanted = len.unwrap_or(bytes.len());
        bytes.get(..wanted).map(<[u8]>::to_vec).ok_or_else(|| {
            Error::corrupt("global heap", "an object is shorter than its element says")
                .at(at.addr.get())
        })
    })?
}

/// The number of elements of a sequence and where they are; `None` where it is empty.
fn take_sequence(element: &[u8], offset_width: u8) -> Result<Option<(u32, HeapRef)>> {
    let mut take = Take::new(element, "variable-length element", 0);
    let len = take.u32()?;
    let at = take_heap_ref(&mut take, offset_width)?;
    Ok(at.filter(|_| len > 0).map(|at| (len, at)))
}

fn sequence_bytes(
    heap: &mut GlobalHeap,
    store: &Store,
    base: &Datatype,
    len: u32,
    at: HeapRef,
) -> Result<Vec<u8>> {
    let bytes = u64::from(len) * u64::from(base.size());
    let bytes = usize::try_from(bytes)
        .map_err(|_| Error::limit("the size of a sequence", bytes, usize::MAX as u64))?;
    heap_bytes(heap, store, at, Some(bytes))
}

/// Copies elements from one file to another place.
#[derive(Debug)]
pub(super) struct Converter {
    pub(super) references: References,
    /// The address of each source with that of its copy.
    pub(super) copies: BTreeMap<Addr, Addr>,
    /// The collections of the copy.
    pub(super) heap: GlobalHeap,
}

impl Converter {
    /// Whether elements of the type differ in the copy.
    pub(super) fn changes(&self, datatype: &Datatype) -> bool {
        let kept = matches!(self.references, References::Kept);
        datatype.contains_var_len() || (!kept && contains_reference(datatype))
    }

    /// Where the copy of the object at `source` is.
    pub(super) fn copy_of(&self, source: Addr) -> Result<Addr> {
        self.copies.get(&source).copied().ok_or_else(|| {
            Error::corrupt(NAME, "it names an object that was not met").at(source.get())
        })
    }

    /// Makes the elements of the source that `bytes` hold elements of the copy.
    pub(super) fn convert(
        &mut self,
        engines: &mut Engines<'_>,
        datatype: &Datatype,
        bytes: &mut [u8],
    ) -> Result<()> {
        if !self.changes(datatype) {
            return Ok(());
        }
        let size = (datatype.size() as usize).max(1);
        for element in bytes.chunks_exact_mut(size) {
            match datatype {
                Datatype::VarLenString { base, .. } | Datatype::VarLenSequence { base, .. } => {
                    self.convert_sequence(engines, base, element)?
                }
                Datatype::Array { base, .. } => self.convert(engines, base, element)?,
                Datatype::Compound { members, .. } => {
                    for member in members {
                        let from = member.offset as usize;
                        let to = from + member.datatype.size() as usize;
                        if let Some(part) = element.get_mut(from..to) {
                            self.convert(engines, &member.datatype, part)?;
                        }
                    }
                }
                Datatype::Reference { kind, .. } => {
                    self.convert_reference(engines, *kind, element)?
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn convert_sequence(
        &mut self,
        engines: &mut Engines<'_>,
        base: &Datatype,
        element: &mut [u8],
    ) -> Result<()> {
        let width = engines.to().store.widths().offset;
        let Some((len, at)) = take_sequence(element, width)? else {
            element.fill(0);
            return Ok(());
        };
        let mut values = {
            let Engine { heap, store, .. } = engines.from();
            sequence_bytes(heap, store, base, len, at)?
        };
        self.convert(engines, base, &mut values)?;
        let at = self.heap.insert(&mut engines.to().store, &values)?;
        let mut new = Vec::with_capacity(element.len());
        new.put_u32(len);
        put_heap_ref(&mut new, at, width);
        overwrite(element, &new)
    }

    fn convert_reference(
        &mut self,
        engines: &mut Engines<'_>,
        kind: u8,
        element: &mut [u8],
    ) -> Result<()> {
        match self.references {
            References::Kept => return Ok(()),
            References::Null => {
                element.fill(0);
                return Ok(());
            }
            References::Led => {}
        }
        let width = engines.to().store.widths().offset;
        let lead = |addr: u64| self.copy_of(Addr::new(addr)).map(Addr::get);
        match kind {
            OBJECT => {
                let addr = Take::new(element, NAME, 0).uint(width)?;
                let mut new = Vec::new();
                new.put_uint(if addr == 0 { 0 } else { lead(addr)? }, width);
                overwrite(element, &new)
            }
            REGION => {
                let Some(at) = take_heap_ref(&mut Take::new(element, NAME, 0), width)? else {
                    element.fill(0);
                    return Ok(());
                };
                let mut region = {
                    let Engine { heap, store, .. } = engines.from();
                    heap_bytes(heap, store, at, None)?
                };
                let addr = Take::new(&region, NAME, at.addr.get()).uint(width)?;
                let mut new = Vec::new();
                new.put_uint(lead(addr)?, width);
                overwrite(&mut region, &new)?;
                let at = self.heap.insert(&mut engines.to().store, &region)?;
                let mut new = Vec::new();
                put_heap_ref(&mut new, at, width);
                overwrite(element, &new)
            }
            _ => Err(revised()),
        }
    }
}

fn revised() -> Error {
    Error::unsupported("copying what references of HDF5 1.12 name")
}

fn put_heap_ref(out: &mut Vec<u8>, at: HeapRef, offset_width: u8) {
    out.put_uint(at.addr.get(), offset_width);
    out.put_u32(at.index);
}

/// Puts `new` over the beginning of `old`.
fn overwrite(old: &mut [u8], new: &[u8]) -> Result<()> {
    match old.get_mut(..new.len()) {
        Some(part) => {
            part.copy_from_slice(new);
            Ok(())
        }
        None => Err(Error::corrupt(NAME, "an element is too short")),
    }
}

/// Visits the objects that the references in elements name.
pub(super) fn for_each_object(
    engine: &mut Engine,
    datatype: &Datatype,
    bytes: &[u8],
    visit: &mut dyn FnMut(Addr),
) -> Result<()> {
    if !contains_reference(datatype) {
        return Ok(());
    }
    let width = engine.store.widths().offset;
    let size = (datatype.size() as usize).max(1);
    for element in bytes.chunks_exact(size) {
        match datatype {
            Datatype::VarLenSequence { base, .. } => {
                if let Some((len, at)) = take_sequence(element, width)? {
                    let values = sequence_bytes(&mut engine.heap, &engine.store, base, len, at)?;
                    for_each_object(engine, base, &values, visit)?;
                }
            }
            Datatype::Array { base, .. } => for_each_object(engine, base, element, visit)?,
            Datatype::Compound { members, .. } => {
                for member in members {
                    let from = member.offset as usize;
                    let to = from + member.datatype.size() as usize;
                    if let Some(part) = element.get(from..to) {
                        for_each_object(engine, &member.datatype, part, visit)?;
                    }
                }
            }
            Datatype::Reference { kind, .. } => {
                let addr = match *kind {
                    OBJECT => Take::new(element, NAME, 0).uint(width)?,
                    REGION => match take_heap_ref(&mut Take::new(element, NAME, 0), width)? {
                        Some(at) => {
                            let region = heap_bytes(&mut engine.heap, &engine.store, at, None)?;
                            Take::new(&region, NAME, at.addr.get()).uint(width)?
                        }
                        None => 0,
                    },
                    _ if element.iter().all(|&byte| byte == 0) => 0,
                    _ => return Err(revised()),
                };
                if addr != 0 {
                    visit(Addr::new(addr));
                }
            }
            _ => {}
        }
    }
    Ok(())
}
