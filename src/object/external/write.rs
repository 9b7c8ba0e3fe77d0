//! Changes of data in external files. They are made at once and are no part of a commit.

use super::{External, MAX_OPEN, for_each_part};
use crate::bytes::Addr;
use crate::chunk::for_each_run;
use crate::error::{Error, Result};
use crate::object::engine::Engine;
use crate::object::other_files::{Files, not_allowed};
use crate::selection::Resolved;
use crate::storage::Storage;
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::sync::Arc;

impl Engine {
    /// Refuses to open the file `name`, which has data, where no other file may be opened.
    pub(crate) fn check_other_files(&self, name: &str) -> Result<()> {
        match self.others.is_allowed() {
            true => Ok(()),
            false => Err(not_allowed(name, "the data are in")),
        }
    }

    /// Writes elements to external files, of a dataset that is about to get the extent `grown` or keeps its own; false where
    /// the data are not in such files. An error leaves this file as it is.
    pub(in crate::object) fn write_external(
        &mut self,
        addr: Addr,
        grown: Option<&[u64]>,
        selection: &Resolved,
        bytes: &[u8],
    ) -> Result<bool> {
        let dataset = self.dataset(addr)?;
        let Some(external) = dataset.external() else {
            return Ok(false);
        };
        let element = dataset.element_size();
        let dims = grown.unwrap_or_else(|| dataset.selectable_dims()).to_vec();
        self.across(|files| files.write_external(&external, &dims, element, selection, bytes))?;
        Ok(true)
    }
}

impl Files<'_> {
    fn write_external(
        &mut self,
        external: &Arc<External>,
        dims: &[u64],
        element: usize,
        selection: &Resolved,
        bytes: &[u8],
    ) -> Result<()> {
        let mut open: BTreeMap<usize, (String, Box<dyn Storage>)> = BTreeMap::new();
        for_each_run(dims, element, selection, &mut |at, dense, len| {
            let run = &bytes[dense..dense + len];
            for_each_part(&external.pieces, at, len, &mut |number, offset, part| {
                let offset =
                    offset.ok_or_else(|| Error::invalid("an external file ends beyond 64 bits"))?;
                if !open.contains_key(&number) {
                    if open.len() >= MAX_OPEN {
                        open.clear();
                    }
                    let name = &external.pieces[number].name;
                    open.insert(number, self.open_raw_to_write(name)?);
                }
                match open.get_mut(&number) {
                    Some((name, storage)) => storage
                        .write_at(offset, &run[part])
                        .map_err(|error| Error::from(error).file(name)),
                    None => Ok(()),
                }
            })
        })
    }
}
