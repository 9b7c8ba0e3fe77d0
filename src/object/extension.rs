//! The superblock extension: how the file gives out its space, and where it ends and which managers say what of it is free
//! if that is kept in the file.
//!
//! The file space info message says where the file ended when space was last given out. libhdf5 1.10.1 cuts the file
//! off there when it next gives out space, to get rid of the managers behind; so every commit brings it up to date,
//! before anything that lies beyond is reached.
//!
//! A manager never lists what the state of the file reaches that names it. So the first commit of a session takes their names
//! away, before anything is reached that they list; and new ones get theirs with the closing commit where the cell
//! of the extension changes in one write with everything else, and in a commit of their own elsewhere.

use super::header::Header;
use super::managers::{self, Managed};
use crate::bytes::{Addr, Extent};
use crate::error::{ErrorKind, Result};
use crate::format::message::file_space_info::FileSpaceInfo;
use crate::format::message::{RawMessage, flag, kind};
use crate::format::object_header::{Prefix, encode_whole};
use crate::format::{cache_image, driver_info};
#[cfg(test)]
use crate::store::mutant::{self, Mutant};
use crate::store::{FlipOrder, SECTOR, Store};
use alloc::vec;
use alloc::vec::Vec;

/// Who says what of the file is free.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FreeSpace {
    /// Managers that no change has needed yet.
    NotRead,
    /// Managers that are left as they are, if there are any.
    InManagers,
    /// This session; `listed`: the last commit named managers of ours.
    Here { listed: bool },
}

#[derive(Debug)]
pub(crate) struct Extension {
    header: Header,
    info: FileSpaceInfo,
    free: FreeSpace,
    /// A commit of this session has written something.
    changed: bool,
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
            let mut free = FreeSpace::InManagers;
            if info.has_known_managers() {
                store.begin_lists();
                free = FreeSpace::Here { listed: false };
            }
            return Ok(Some(Self {
                header,
                info,
                free,
                changed: false,
            }));
        }
        let bytes = encode_whole(&prefix, &messages)?;
        let block = store.alloc(bytes.len() as u64)?;
        store.stage(block.addr, bytes)?;
        store.superblock.extension = Some(block.addr);
        Ok(None)
    }

    /// Takes over how the file gives out its space; `None` where commits have nothing to keep up to date.
    pub(crate) fn open(store: &mut Store, header: Header) -> Result<Option<Self>> {
        let Some(message) = file_space_message(&header) else {
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
        let free = match info.has_known_managers() {
            true => FreeSpace::NotRead,
            false => FreeSpace::InManagers,
        };
        Ok(Some(Self {
            header,
            info,
            free,
            changed: false,
        }))
    }

    /// To be called before anything is changed: takes over what the managers of the file list, where they are to be believed.
    pub(crate) fn take_over(&mut self, store: &mut Store) -> Result<()> {
        if self.free != FreeSpace::NotRead {
            return Ok(());
        }
        self.free = FreeSpace::InManagers;
        if let Some(managed) = Managed::read(store, &self.info)? {
            store.begin_lists();
            managed.take_over(store);
            self.free = FreeSpace::Here { listed: false };
        }
        Ok(())
    }

    /// Whether managers say to a later session what is free.
    pub(crate) fn lists_free_space(&self) -> bool {
        matches!(self.free, FreeSpace::Here { .. })
    }

    /// Whether there is free space that no manager lists, once the closing commit is done.
    pub(crate) fn has_unlisted(&self, store: &Store) -> bool {
        self.changed
            && self.free == FreeSpace::Here { listed: false }
            && managers::any(store, &self.info)
    }

    pub(super) fn info(&self) -> &FileSpaceInfo {
        &self.info
    }

    /// Stages the extension for a commit, whose other parts have been staged.
    pub(crate) fn stage(&mut self, store: &mut Store) -> Result<()> {
        store.final_end();
        match store.will_change() {
            true => self.stage_with(store, false),
            false => Ok(()),
        }
    }

    /// As [`stage`](Self::stage), for the last commit: it names new managers where it changes everything in one write, and
    /// what it frees is not at the end of the file, which could move then.
    pub(crate) fn stage_last(&mut self, store: &mut Store) -> Result<()> {
        store.final_end();
        if !store.will_change() {
            return Ok(());
        }
        let in_sector_0 = self.header.addr.get() < SECTOR as u64 && !store.flips_outside_sector_0();
        let at_once = store.flips.is_empty() || in_sector_0;
        #[cfg(test)]
        let at_once = at_once || mutant::is(Mutant::ListedAtOnce);
        let list = at_once && self.lists_free_space() && !store.list_free().1;
        self.stage_with(store, list)
    }

    /// Stages what is free as managers, and nothing else.
    pub(crate) fn stage_managers(&mut self, store: &mut Store) -> Result<()> {
        self.stage_with(store, true)
    }

    fn stage_with(&mut self, store: &mut Store, list: bool) -> Result<()> {
        let Self { header, info, .. } = self;
        let sector = SECTOR as u64;
        let order = if header.addr.get() >= sector || store.flips_outside_sector_0() {
            FlipOrder::Early
        } else {
            FlipOrder::WithCells
        };
        if let FreeSpace::Here { listed } = &mut self.free {
            info.managers.fill(None);
            *listed = list;
        }
        self.changed = true;
        header.stage_with(store, false, order, &mut |header, store| {
            if list {
                info.managers = match managers::write(store, info) {
                    Err(error) if !matches!(error.kind(), ErrorKind::Limit { .. }) => {
                        return Err(error);
                    }
                    named => named.unwrap_or_else(|_| vec![None; info.managers.len()]),
                };
            }
            info.end = Some(Addr::new(store.final_end()));
            header.set_message(kind::FILE_SPACE_INFO, info.encode(store.widths()));
            Ok(())
        })
    }
}

/// The message that says how the space is given out. One that is marked as unknown to a writer is as good as none: that
/// writer did not keep it up to date, and libhdf5 does not look at it.
fn file_space_message(header: &Header) -> Option<&RawMessage> {
    header
        .message(kind::FILE_SPACE_INFO)
        .filter(|message| message.flags & flag::WAS_UNKNOWN == 0)
}

/// What the file says of how its space is given out.
pub(super) fn file_space(store: &Store) -> Result<Option<FileSpaceInfo>> {
    let Some(addr) = store.superblock.extension else {
        return Ok(None);
    };
    let header = Header::load(store, addr)?;
    let message = file_space_message(&header);
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
