//! The indexes of the shared message table (III.I), as far as an edit touches them.
//!
//! A message that would be shared but is there only once so far stays in its header, and an index says where. When
//! such a message goes or changes, its record goes, as libhdf5 has it: else the index would lead to what is no longer
//! there. The counts of messages in the table's heaps are not lowered: one that is too high costs space only.
//!
//! The table and its indexes are copy-on-write; the message in the superblock extension says where the table is.

use super::engine::Engine;
use crate::bytes::{Addr, Extent};
use crate::error::{Error, Result};
use crate::format::message::shared_table::SharedTable;
use crate::format::message::{flag, kind};
use crate::format::shared_table::{
    Index, Location, Record, Table, decode_list, encode_list, list_size,
};
use crate::infra::btree_v2::BTree;
use crate::store::Store;
use alloc::vec::Vec;
use core::cmp::Ordering;

const NAME: &str = "shared message table";

/// The type of B-trees over shared messages.
const TREE: u8 = 7;

impl Engine {
    /// Refuses an object whose records in the shared message table, of all kinds or of one, could not be taken out,
    /// should it go or change.
    pub(super) fn check_unshare(&mut self, addr: Addr, only: Option<u8>) -> Result<()> {
        if !self.has_shareable(addr, only)? {
            return Ok(());
        }
        let extension = self.extension()?;
        self.check_editable(extension)?;
        let table = self.store.shared_table.clone().unwrap_or_default();
        for index in &table.indexes {
            let records = Records::open(&self.store, index)?;
            records.check_alone(&self.store, addr, only)?;
        }
        Ok(())
    }

    /// Takes the records of messages in the header of an object out: of all that may be shared, or of one kind. Those
    /// left are marked as ones that are not known to the table.
    pub(super) fn unshare(&mut self, addr: Addr, only: Option<u8>) -> Result<()> {
        if !self.has_shareable(addr, only)? {
            return Ok(());
        }
        let mut table = self.store.shared_table.clone().unwrap_or_default();
        let mut changed = false;
        for index in &mut table.indexes {
            changed |= remove_records(&mut self.store, index, addr, only)?;
        }
        for message in &mut self.object(addr)?.header.messages {
            if only.is_none_or(|only| only == message.kind) {
                message.flags &= !flag::SHAREABLE;
            }
        }
        match changed {
            true => self.replace_shared_table(table),
            false => Ok(()),
        }
    }

    /// Whether the header of an object has messages that the table may know.
    fn has_shareable(&mut self, addr: Addr, only: Option<u8>) -> Result<bool> {
        if self.store.shared_table.is_none() {
            return Ok(false);
        }
        let messages = &self.object(addr)?.header.messages;
        Ok(messages.iter().any(|message| {
            message.flags & flag::SHAREABLE != 0 && only.is_none_or(|only| only == message.kind)
        }))
    }

    fn extension(&self) -> Result<Addr> {
        let extension = self.store.superblock.extension;
        extension.ok_or_else(|| Error::corrupt(NAME, "the file has no superblock extension"))
    }

    fn replace_shared_table(&mut self, table: Table) -> Result<()> {
        let widths = self.store.widths();
        let extension = self.extension()?;
        let (object, store, _) = self.touch(extension)?;
        let message = object.header.message(kind::SHARED_TABLE);
        let message = message.ok_or_else(|| Error::corrupt(NAME, "missing").at(extension.get()))?;
        let old = SharedTable::decode(&message.data, widths, extension.get())?;
        let len = Table::size(old.indexes, widths);
        let new = store.alloc(len)?;
        store.stage(new.addr, table.encode(widths))?;
        store.free(Extent::new(old.table, len));
        let message = SharedTable {
            table: new.addr,
            ..old
        };
        object
            .header
            .set_message(kind::SHARED_TABLE, message.encode(widths));
        store.shared_table = Some(table);
        Ok(())
    }
}

/// The records of an index.
enum Records {
    None,
    List { at: Extent, records: Vec<Record> },
    Tree(BTree),
}

impl Records {
    fn open(store: &Store, index: &Index) -> Result<Self> {
        let widths = store.widths();
        let Some(at) = index.records else {
            return Ok(Self::None);
        };
        if !index.is_tree {
            let at = Extent::new(at, list_size(index.list_max, widths));
            let bytes = store.read(at, "shared message list")?;
            let records = decode_list(&bytes, index.messages, widths, at.addr.get())?;
            return Ok(Self::List { at, records });
        }
        let tree = BTree::open(store, at)?;
        let shape = tree.shape();
        if shape.kind != TREE || usize::from(shape.record_size) != Record::size(widths) {
            return Err(
                Error::corrupt(NAME, "the B-tree has records of another kind").at(at.get()),
            );
        }
        Ok(Self::Tree(tree))
    }

    fn for_each(&self, store: &Store, visit: &mut dyn FnMut(Record) -> Result<()>) -> Result<()> {
        match self {
            Self::None => Ok(()),
            Self::List { records, .. } => records.iter().try_for_each(|record| visit(*record)),
            Self::Tree(tree) => tree.for_each(store, &mut |record| {
                visit(Record::decode(record, store.widths(), 0)?)
            }),
        }
    }

    /// The records of messages in the header of an object.
    fn of(&self, store: &Store, addr: Addr, only: Option<u8>) -> Result<Vec<Record>> {
        let mut found = Vec::new();
        self.for_each(store, &mut |record| {
            if let Location::Header { kind, addr: at, .. } = record.location
                && at == addr
                && only.is_none_or(|only| only == kind)
            {
                found.push(record);
            }
            Ok(())
        })?;
        Ok(found)
    }

    /// Refuses records that a tree has beside others of the same hash: their order follows from the messages.
    fn check_alone(&self, store: &Store, addr: Addr, only: Option<u8>) -> Result<()> {
        let Self::Tree(_) = self else { return Ok(()) };
        let found = self.of(store, addr, only)?;
        self.for_each(store, &mut |record| {
            let mut same = found.iter().filter(|found| found.hash == record.hash);
            match same.any(|found| *found != record) {
                true => Err(Error::unsupported("shared messages of the same hash").at(addr.get())),
                false => Ok(()),
            }
        })
    }
}

/// Takes the records of an object's messages out of an index; says whether there were any.
fn remove_records(
    store: &mut Store,
    index: &mut Index,
    addr: Addr,
    only: Option<u8>,
) -> Result<bool> {
    let mut all = Records::open(store, index)?;
    let gone = all.of(store, addr, only)?;
    if gone.is_empty() {
        return Ok(false);
    }
    match &mut all {
        Records::None => return Ok(false),
        Records::List { at, records } => {
            records.retain(|record| !gone.contains(record));
            let new = store.alloc(at.len)?;
            store.stage(new.addr, encode_list(records, at.len, store.widths()))?;
            store.free(*at);
            index.records = Some(new.addr);
        }
        Records::Tree(tree) => {
            for record in &gone {
                let mut compare = |store: &Store, bytes: &[u8]| -> Result<Ordering> {
                    let other = Record::decode(bytes, store.widths(), 0)?;
                    Ok(record.hash.cmp(&other.hash))
                };
                tree.remove(store, &mut compare)?;
            }
            index.records = Some(tree.stage(store)?);
        }
    }
    index.messages = index.messages.saturating_sub(gone.len() as u16);
    Ok(true)
}

#[cfg(test)]
mod tests;
