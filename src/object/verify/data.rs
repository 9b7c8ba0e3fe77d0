//! The elements of datasets and attributes, and what they name in the global heap.

use super::{Header, Result, Use, Vec, Walk, vec};
use crate::bytes::Extent;
use crate::error::Error;
use crate::format::message::attribute::Attribute;
use crate::format::message::datatype::Datatype;
use crate::infra::global_heap::HeapRef;
use crate::object::dataset::Dataset;
use crate::object::heap_ids::{Owner, for_each_heap_id, names_heap_objects};
use crate::selection::Resolved;

/// How many bytes of elements are looked at together.
const PIECE: u64 = 1 << 20;

impl Walk<'_> {
    pub(super) fn attribute(&mut self, attribute: &Attribute) -> Result<()> {
        let widths = self.store.widths();
        let datatype = attribute.datatype()?;
        self.use_committed(attribute.held_datatype(widths)?);
        let elements = attribute.dataspace(widths)?.element_count()?;
        let bytes = elements.checked_mul(u64::from(datatype.size()));
        if bytes != Some(attribute.data.len() as u64) {
            return Err(Error::corrupt(
                "attribute message",
                "the data have another size",
            ));
        }
        self.references(&datatype, &attribute.data)
    }

    pub(super) fn dataset(&mut self, header: &Header) -> Result<()> {
        let Some(mut dataset) = Dataset::load(self.store, header)? else {
            return Ok(());
        };
        let store = self.store;
        let mut found = Vec::new();
        let chunks = dataset.verify(store, &mut found, &mut |extent: Extent, raw| match raw {
            true => self.claim(extent, Use::Raw, "the raw data of a dataset"),
            false => self.claim(extent, Use::Metadata, "the chunk index of a dataset"),
        });
        self.settle_all(found)?;
        self.report.chunks += chunks.map_err(|error| error.at(header.addr.get()))?;
        if let Some(at) = dataset.mappings_at() {
            self.look_up(vec![at])?;
        }
        if dataset.is_elsewhere() {
            return Ok(());
        }
        if names_heap_objects(&dataset.datatype) {
            let (datatype, fill) = (dataset.datatype.clone(), dataset.fill().to_vec());
            self.references(&datatype, &fill)?;
            self.values(&mut dataset)
                .map_err(|error| error.at(header.addr.get()))?;
        }
        Ok(())
    }

    /// Looks up what every element of a dataset that is stored names in the global heap.
    fn values(&mut self, dataset: &mut Dataset) -> Result<()> {
        let datatype = dataset.datatype.clone();
        let element = u64::from(datatype.size());
        let all = Resolved::whole(dataset.selectable_dims())?;
        for part in dataset.stored_parts(self.store, &all)? {
            for piece in part.pieces(PIECE / element.max(1)) {
                let mut bytes = vec![0; (piece.element_count() * element) as usize];
                dataset.read(self.store, &piece, &mut bytes, PIECE as usize)?;
                self.references(&datatype, &bytes)?;
            }
        }
        Ok(())
    }

    fn references(&mut self, datatype: &Datatype, bytes: &[u8]) -> Result<()> {
        let (store, width) = (self.store, self.store.widths().offset);
        let (heap, collections) = (&mut self.heap, &mut self.collections);
        let (mut missing, mut nested) = (Vec::new(), Vec::new());
        let visited = for_each_heap_id(datatype, bytes, width, &mut |at: HeapRef, owner| {
            if let Err(error) = heap.with(store, at, |_| ()) {
                super::note(&mut missing, error);
                return Ok(());
            }
            collections.insert(at.addr);
            // Once is enough, however many elements name it.
            if let Owner::Sequence(base, count) = owner
                && names_heap_objects(base)
                && self.nested.insert(at)
            {
                nested.push((at, base, count));
            }
            Ok(())
        });
        if let Err(error) = visited {
            super::note(&mut missing, error);
        }
        self.settle_all(missing)?;
        for (at, base, count) in nested {
            let len = count.saturating_mul(base.size() as usize);
            let bytes = self
                .heap
                .with(store, at, |bytes| bytes[..len.min(bytes.len())].to_vec())?;
            self.references(base, &bytes)?;
        }
        Ok(())
    }

    /// Looks objects of the global heap up, whose collections are in use then.
    fn look_up(&mut self, named: Vec<HeapRef>) -> Result<()> {
        let mut missing = Vec::new();
        for at in named {
            match self.heap.with(self.store, at, |_| ()) {
                Ok(()) => {
                    self.collections.insert(at.addr);
                }
                Err(error) => super::note(&mut missing, error),
            }
        }
        self.settle_all(missing)
    }
}
