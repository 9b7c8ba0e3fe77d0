//! The mark pass: what the committed file reaches, so that the rest can be given out again. A death between commits,
//! or another writer, leaves space that nothing names.

use super::engine::{Engine, complement};
use super::values::for_each_reference;
use crate::bytes::{Addr, Extent};
use crate::error::{Error, Result};
use crate::format::message::link::LinkTarget;
use crate::infra::global_heap::GlobalHeap;
use crate::selection::Resolved;
use crate::store::SECTOR;
use alloc::collections::BTreeSet;
use alloc::vec;
use alloc::vec::Vec;

impl Engine {
    /// The extents of the file that nothing reaches and no list of free space has. Errors where anything is met
    /// that is not fully known, or where two structures overlap. To be called right after a commit.
    pub(crate) fn unreachable(&mut self) -> Result<Vec<Extent>> {
        if !self.store.stamped() || self.store.superblock.extension.is_some() {
            return Err(Error::unsupported(
                "reclaiming space in a file that another writer has changed",
            ));
        }
        let used = self.reachable()?;
        complement(used, self.store.end())
    }

    /// Every extent the file reaches or this session has set aside.
    pub(crate) fn reachable(&mut self) -> Result<Vec<Extent>> {
        let mut used = self.store.set_aside();
        let sector = Extent::new(Addr::new(0), SECTOR as u64);
        let mut seen = BTreeSet::new();
        let mut collections = BTreeSet::new();
        let mut queue = vec![self.root()];
        while let Some(addr) = queue.pop() {
            if !seen.insert(addr) {
                continue;
            }
            let cached = self.objects.contains_key(&addr);
            self.mark_object(addr, &mut used, &mut queue, &mut collections)?;
            if !cached {
                self.evict(addr);
            }
        }
        for collection in collections {
            used.push(GlobalHeap::extent(&self.store, collection)?);
        }
        // Sector 0 is never given out as a whole; what of it was collected with the root group is part of it.
        used.retain(|extent| extent.addr.get() >= sector.len);
        used.push(sector);
        Ok(used)
    }

    fn mark_object(
        &mut self,
        addr: Addr,
        used: &mut Vec<Extent>,
        queue: &mut Vec<Addr>,
        collections: &mut BTreeSet<Addr>,
    ) -> Result<()> {
        let width = self.store.widths().offset;
        let (object, store, _) = self.parts(addr)?;
        if let Some(refused) = &object.refused {
            return Err(refused.clone());
        }
        used.extend(object.header.blocks(store));
        let mut visit = |extent| used.push(extent);
        object.attributes.blocks(store, &mut visit)?;
        let mut collect = |at: crate::infra::global_heap::HeapRef| {
            collections.insert(at.addr);
            Ok(())
        };
        for (_, attribute) in object.attributes.list(store, &object.header)? {
            for_each_reference(&attribute.datatype()?, &attribute.data, width, &mut collect)?;
        }
        if let Some(links) = &mut object.links {
            links.blocks(store, &mut visit)?;
            for link in links.list(store, &object.header)? {
                if let LinkTarget::Hard(child) = link.target {
                    queue.push(child);
                }
            }
        }
        if let Some(dataset) = &mut object.dataset {
            dataset.blocks(store, &mut |extent| {
                used.push(extent);
                Ok(())
            })?;
            if let Some(at) = dataset.mappings_at() {
                collections.insert(at.addr);
            }
            if dataset.owns_values() {
                self.mark_values(addr, collections)?;
            }
        }
        Ok(())
    }

    /// The heap collections that the elements of a dataset are in.
    fn mark_values(&mut self, addr: Addr, collections: &mut BTreeSet<Addr>) -> Result<()> {
        let width = self.store.widths().offset;
        let dataset = self.dataset(addr)?;
        let datatype = dataset.datatype.clone();
        let dims = dataset.selectable_dims();
        let element = u64::from(datatype.size());
        let all = Resolved::whole(&dims)?;
        let rows = all.axes.first().map_or(1, |axis| axis.count);
        let row = (all.element_count() / rows.max(1)).max(1);
        let step = ((1 << 20) / (row * element)).max(1);
        let mut done = 0;
        while done < rows {
            let count = step.min(rows - done);
            let mut piece = all.clone();
            if let Some(axis) = piece.axes.first_mut() {
                axis.start = done;
                axis.count = count;
            }
            let mut bytes = vec![0; (count * row * element) as usize];
            self.read_dataset(addr, &piece, &mut bytes)?;
            for_each_reference(&datatype, &bytes, width, &mut |at| {
                collections.insert(at.addr);
                Ok(())
            })?;
            done += count;
        }
        Ok(())
    }
}
