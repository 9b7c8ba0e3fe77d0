//! The superblock extension: how the file gives out its space, and where it ends if libhdf5 keeps track of free space in
//! the file.
//!
//! The file space info message says where the file ended when space was last given out. libhdf5 1.10.1 cuts the file
//! off there when it next gives out space, to get rid of the managers behind; so every commit brings it up to date,
//! before anything that lies beyond is reached.

use super::header::Header;
use crate::bytes::{Addr, Extent};
use crate::error::Result;
use crate::format::message::file_space_info::FileSpaceInfo;
use crate::format::message::{RawMessage, flag, kind};
use crate::format::object_header::{Prefix, encode_whole};
use crate::format::{cache_image, driver_info};
use crate::store::{FlipOrder, SECTOR, Store};
use alloc::vec;
use alloc::vec::Vec;

#[derive(Debug)]
pub(crate) struct Extension {
    header: Header,
    info: FileSpaceInfo,
}

impl Extension {
    /// The extension of a new file, whose space is given out in pages from here on where it says so. In a file where libhdf5
    /// keeps track of free space it is a cell at `next`, in the first sector, and changes with every commit; such a file
    /// begins without managers. In another it is one block that nothing changes.
    pub(crate) fn create(
        store: &mut Store,
        info: FileSpaceInfo,
        next: &mut Addr,
    ) -> Result<Option<Self>> {
        if let Some(size) = info.page_size() {
            store.begin_pages(size);
        }
        let prefix = Prefix::new();
        let flags = flag::DONT_SHARE | flag::MARK_IF_UNKNOWN;
        let data = info.encode(store.widths());
        let messages = vec![RawMessage::new(kind::FILE_SPACE_INFO, flags, data)];
        if info.persistent {
            let addr = *next;
            *next = addr.plus(Header::new_cell_size(store, &prefix));
            store.superblock.extension = Some(addr);
            let header = Header::new(addr, prefix, messages, Vec::new(), true);
            return Ok(Some(Self { header, info }));
        }
        let bytes = encode_whole(&prefix, &messages)?;
        let block = store.alloc(bytes.len() as u64)?;
        store.stage(block.addr, bytes)?;
        store.superblock.extension = Some(block.addr);
        Ok(None)
    }

    /// Takes over how the file gives out its space; `None` where commits have nothing to keep up to date.
    pub(crate) fn open(store: &mut Store, header: Header) -> Result<Option<Self>> {
        let Some(message) = header.message(kind::FILE_SPACE_INFO) else {
            return Ok(None);
        };
        let info = FileSpaceInfo::decode(&message.data, store.widths(), header.addr.get())?;
        if let Some(size) = info.page_size() {
            // What libhdf5 left to its managers may be in pages that blocks of ours have for themselves.
            let managed = info.managers.iter().any(Option::is_some);
            store.use_pages(size, !managed);
        }
        if !info.persistent || info.version == 0 {
            return Ok(None);
        }
        header.check_adoptable(store)?;
        Ok(Some(Self { header, info }))
    }

    pub(super) fn info(&self) -> &FileSpaceInfo {
        &self.info
    }

    /// Stages the extension for a commit, whose other parts have been staged.
    pub(crate) fn stage(&mut self, store: &mut Store) -> Result<()> {
        store.final_end();
        if !store.will_change() {
            return Ok(());
        }
        let Self { header, info } = self;
        let sector = SECTOR as u64;
        let order = if header.addr.get() >= sector || store.flips_outside_sector_0() {
            FlipOrder::Early
        } else {
            FlipOrder::WithCells
        };
        header.stage_with(store, false, order, &mut |header, store| {
            info.end = Some(Addr::new(store.final_end()));
            header.set_message(kind::FILE_SPACE_INFO, info.encode(store.widths()));
        })
    }
}

/// What the file says of how its space is given out.
pub(super) fn file_space(store: &Store) -> Result<Option<FileSpaceInfo>> {
    let Some(addr) = store.superblock.extension else {
        return Ok(None);
    };
    let header = Header::load(store, addr)?;
    let message = header.message(kind::FILE_SPACE_INFO);
    let info =
        message.map(|message| FileSpaceInfo::decode(&message.data, store.widths(), addr.get()));
    info.transpose()
}

/// Makes reads find the blocks of a metadata cache image in their places.
pub(crate) fn show_cache_image(store: &mut Store, extension: &Header) -> Result<()> {
    let Some(message) = extension.message(kind::CACHE_IMAGE) else {
        return Ok(());
    };
    let extent = cache_image::decode_message(&message.data, store.widths(), extension.addr.get())?;
    let bytes = store.read(extent, "metadata cache image")?;
    for (addr, block) in cache_image::decode(&bytes, store.widths(), extent.addr.get())? {
        let place = Extent::new(addr, block.len() as u64);
        store.check_bounds(place, "metadata cache image")?;
        store.show(addr, block.to_vec());
    }
    Ok(())
}

/// Refuses a file that the driver information block of an old superblock says is split.
pub(crate) fn check_driver(store: &Store) -> Result<()> {
    match driver_block(store)? {
        Some(block) => store.check_bounds(block, "driver information block"),
        None => Ok(()),
    }
}

/// The driver information block.
pub(super) fn driver_block(store: &Store) -> Result<Option<Extent>> {
    let old = store.superblock.old.as_ref();
    let Some(at) = old.and_then(|old| old.driver_info) else {
        return Ok(None);
    };
    let header = Extent::new(at, driver_info::BLOCK_HEADER);
    let bytes = store.read(header, "driver information block")?;
    driver_info::check_block(&bytes, at).map(Some)
}
