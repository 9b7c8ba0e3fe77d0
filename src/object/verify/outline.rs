//! What the superblock names beside the root group: driver information, the superblock extension, free-space managers,
//! the shared message table; and what this library keeps in sector 0.

use super::{Result, String, Use, Walk};
use crate::bytes::{Addr, Extent};
use crate::format::cache_image;
use crate::format::free_space::{self, Manager};
use crate::format::message::file_space_info::FileSpaceInfo;
use crate::format::message::shared_table::SharedTable;
use crate::format::message::{flag, kind};
use crate::format::shared_table::{Location, Record, Table, decode_list, list_size};
use crate::infra::btree_v2::BTree;
use crate::infra::fractal_heap::FractalHeap;
use crate::object::extension::driver_block;
use crate::object::header::Header;
use crate::store::{SECTOR, Stamp};
use alloc::vec::Vec;

impl Walk<'_> {
    pub(super) fn outline(&mut self) -> Result<()> {
        let superblock = &self.store.superblock;
        let (size, extension) = (superblock.size() as u64, superblock.extension);
        self.claim(
            Extent::new(Addr::new(0), size),
            Use::Metadata,
            "the superblock",
        );
        if let Some(stamp) = &self.store.stamp {
            let len = SECTOR as u64 - Stamp::ROOM;
            let record = stamp.record;
            let extent = Extent::new(Addr::new(Stamp::ROOM), len);
            self.claim(extent, Use::Metadata, "the record of commits");
            if let Some(record) = record {
                self.claim(record, Use::Metadata, "the record of the last commit");
            }
        }
        match driver_block(self.store) {
            Ok(Some(block)) => self.claim(block, Use::Metadata, "the driver information"),
            Ok(None) => {}
            Err(error) => self.settle(Err(error))?,
        }
        match extension {
            Some(extension) => self.extension(extension),
            None => Ok(()),
        }
    }

    fn extension(&mut self, addr: Addr) -> Result<()> {
        self.path = String::from("(the superblock extension)");
        let header = Header::load(self.store, addr)?;
        for block in header.blocks(self.store) {
            self.claim(block, Use::Metadata, "the superblock extension");
        }
        for message in &header.messages {
            let checked = match message.kind {
                // libhdf5 does not look at one that a writer marked which did not know it.
                kind::FILE_SPACE_INFO if message.flags & flag::WAS_UNKNOWN == 0 => {
                    self.file_space(&message.data, addr)
                }
                kind::SHARED_TABLE => self.shared_table(&message.data, addr),
                kind::CACHE_IMAGE => {
                    let (data, widths) = (&message.data, self.store.widths());
                    cache_image::decode_message(data, widths, addr.get())
                        .map(|image| self.claim(image, Use::Metadata, "the metadata cache image"))
                }
                _ => Ok(()),
            };
            self.settle(checked)?;
        }
        self.path = "/".into();
        Ok(())
    }

    fn file_space(&mut self, message: &[u8], at: Addr) -> Result<()> {
        let info = FileSpaceInfo::decode(message, self.store.widths(), at.get())?;
        for manager in info.managers.into_iter().flatten() {
            let checked = self.manager(manager);
            self.settle(checked)?;
        }
        Ok(())
    }

    /// A manager of free space in the file: what it tracks, nothing else claims.
    fn manager(&mut self, at: Addr) -> Result<()> {
        let (store, widths) = (self.store, self.store.widths());
        let header = Extent::new(at, free_space::header_size(widths));
        let bytes = store.read(header, "free-space manager header")?;
        self.claim(header, Use::Metadata, "a free-space manager");
        let manager = Manager::decode(&bytes, widths, at.get())?;
        let Some(list) = manager.list else {
            return Ok(());
        };
        let bytes = store.read(list, "free-space section list")?;
        self.claim(list, Use::Metadata, "a free-space section list");
        for section in manager.sections(&bytes, at, widths, list.addr.get())? {
            self.claim(
                section.extent,
                Use::Free,
                "space that a free-space manager gives out",
            );
        }
        Ok(())
    }

    fn shared_table(&mut self, message: &[u8], extension: Addr) -> Result<()> {
        let (store, widths) = (self.store, self.store.widths());
        let message = SharedTable::decode(message, widths, extension.get())?;
        let table = Extent::new(message.table, Table::size(message.indexes, widths));
        let bytes = store.read(table, "shared message table")?;
        self.claim(table, Use::Metadata, "the shared message table");
        for index in Table::decode(&bytes, message.indexes, widths, table.addr.get())?.indexes {
            let (mut blocks, mut records) = (Vec::new(), Vec::new());
            match index.records {
                Some(addr) if index.is_tree => {
                    let tree = BTree::open(store, addr)?;
                    tree.blocks(store, &mut |extent| blocks.push(extent))?;
                    tree.for_each(store, &mut |record| {
                        records.push(Record::decode(record, widths, addr.get())?);
                        Ok(())
                    })?;
                }
                Some(addr) => {
                    let list = Extent::new(addr, list_size(index.list_max, widths));
                    let bytes = store.read(list, "shared message list")?;
                    blocks.push(list);
                    records = decode_list(&bytes, index.messages, widths, addr.get())?;
                }
                None => {}
            }
            if let Some(addr) = index.heap {
                let mut heap = FractalHeap::open(store, addr)?;
                heap.blocks(store, &mut |extent| blocks.push(extent))?;
                for record in records {
                    if let Location::Heap { id, .. } = record.location {
                        let read = heap.read(store, &id).map(drop);
                        self.settle(read)?;
                    }
                }
            }
            self.claim_all(blocks, "the shared messages");
        }
        Ok(())
    }
}
