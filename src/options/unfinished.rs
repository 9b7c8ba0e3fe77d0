//! What a death leaves of a file that was being created: nothing, or a file of the length of a new one that is zero where
//! nothing had been written yet. The superblock, with the signature, is written last.

use super::FileBuilder;
use crate::error::Result;
use crate::object::engine::NewFile;
use crate::object::other_files::Located;
use crate::storage::{Storage, StorageError};
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec;
use std::sync::{Mutex, PoisonError};

/// The length of the superblock of a new file.
const SUPERBLOCK: u64 = 48;

impl FileBuilder {
    /// Whether the device holds no more than a death during the creation of a file with these options, or with none, can
    /// have left: then nothing is lost with it.
    pub(super) fn is_unfinished(&self, storage: &dyn Storage, new: &NewFile) -> Result<bool> {
        let len = storage.len()?;
        let mut first = [0; SUPERBLOCK as usize];
        let first = &mut first[..len.min(SUPERBLOCK) as usize];
        storage.read_at(0, first)?;
        // By far most files end the question here.
        if first.iter().any(|&byte| byte != 0) {
            return Ok(false);
        }
        let usual = Self::default();
        Ok(len == 0
            || self.sketch(new)?.may_have_left(storage, len)?
            || usual
                .sketch(&usual.new_file()?)?
                .may_have_left(storage, len)?)
    }

    /// What the creation of such a file writes.
    fn sketch(&self, new: &NewFile) -> Result<Sketch> {
        let sketch = Sketch::default();
        let file = self.begin(Box::new(sketch.clone()), new.clone(), "", Located::nowhere)?;
        let drawn = sketch.with(|drawn| drawn.clone());
        drop(file);
        Ok(Sketch(Arc::new(Mutex::new(drawn))))
    }
}

/// A device that keeps what is written to it and nothing in between: the pages of a new file may be large.
#[derive(Debug, Clone, Default)]
struct Sketch(Arc<Mutex<Drawn>>);

#[derive(Debug, Clone, Default)]
struct Drawn {
    len: u64,
    bytes: BTreeMap<u64, u8>,
}

impl Sketch {
    fn with<T>(&self, run: impl FnOnce(&mut Drawn) -> T) -> T {
        run(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether the device, of this length, has nothing but bytes of the sketch and zeros, and no superblock yet.
    fn may_have_left(&self, storage: &dyn Storage, len: u64) -> Result<bool> {
        const STEP: u64 = 64 << 10;
        let drawn = self.with(|drawn| drawn.clone());
        let mut bytes = drawn.bytes;
        let Some(base) = bytes.keys().next().copied() else {
            return Ok(false);
        };
        // The superblock comes last, in the one write of its sector.
        bytes.retain(|&at, _| at >= base + SUPERBLOCK);
        if drawn.len != len {
            return Ok(false);
        }
        let mut buffer = vec![0; STEP.min(len) as usize];
        let mut at = 0;
        while at < len {
            let buffer = &mut buffer[..STEP.min(len - at) as usize];
            storage.read_at(at, buffer)?;
            let foreign = |(offset, &byte): (usize, &u8)| {
                byte != 0 && bytes.get(&(at + offset as u64)) != Some(&byte)
            };
            if buffer.iter().enumerate().any(foreign) {
                return Ok(false);
            }
            at += buffer.len() as u64;
        }
        Ok(true)
    }
}

impl Storage for Sketch {
    fn len(&self) -> Result<u64, StorageError> {
        Ok(self.with(|drawn| drawn.len))
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<(), StorageError> {
        self.with(|drawn| {
            for (at, byte) in (offset..).zip(buffer) {
                *byte = drawn.bytes.get(&at).copied().unwrap_or(0);
            }
        });
        Ok(())
    }

    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> Result<(), StorageError> {
        self.with(|drawn| {
            drawn.len = drawn.len.max(offset + bytes.len() as u64);
            drawn.bytes.extend((offset..).zip(bytes.iter().copied()));
        });
        Ok(())
    }

    fn set_len(&mut self, len: u64) -> Result<(), StorageError> {
        self.with(|drawn| drawn.len = len);
        Ok(())
    }

    fn sync(&mut self) -> Result<(), StorageError> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::MemoryStorage;
    use crate::storage::recorder::{Event, Recorder};
    use crate::{ErrorKind, File, FileSpaceStrategy, LibVer};
    use alloc::vec::Vec;

    /// What is on the device after each change that the creation makes, the last but for one byte of it included.
    fn deaths(options: &FileBuilder) -> Vec<Vec<u8>> {
        let recorder = Recorder::default();
        let file = options.create_on(recorder.clone()).unwrap();
        let log = recorder.log();
        drop(file);
        let mut device = MemoryStorage::new();
        let mut deaths = vec![Vec::new()];
        for event in log {
            match event {
                Event::Write { offset, bytes } => {
                    let mut torn = device.clone();
                    torn.write_at(offset, &bytes[..bytes.len() / 2]).unwrap();
                    device.write_at(offset, &bytes).unwrap();
                    // A sector is written wholly or not at all.
                    let is_first = bytes.starts_with(b"\x89HDF");
                    deaths.extend((!is_first).then(|| torn.into_bytes()));
                }
                Event::SetLen(len) => device.set_len(len).unwrap(),
                Event::Sync | Event::Mark(_) => {}
            }
            deaths.push(device.clone().into_bytes());
        }
        deaths
    }

    fn options() -> Vec<FileBuilder> {
        let usual = File::with_options();
        let strategy = |paged, persist| FileSpaceStrategy::FreeSpaceManager {
            paged,
            persist,
            threshold: 1,
        };
        vec![
            usual.clone(),
            usual.clone().userblock(1024),
            usual.clone().track_order(true).attr_phase_change(3, 2),
            usual.clone().libver(LibVer::V18),
            usual.clone().alignment(1, 4096),
            usual.clone().file_space_page_size(512),
            usual.clone().file_space_strategy(strategy(true, true)),
            usual.clone().file_space_strategy(strategy(true, false)),
            usual.clone().file_space_strategy(strategy(false, true)),
            usual.file_space_strategy(FileSpaceStrategy::None),
        ]
    }

    #[test]
    fn append_takes_what_a_death_during_the_creation_left() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        for options in options() {
            let deaths = deaths(&options);
            assert!(deaths.len() > 4);
            for (number, left) in deaths.iter().enumerate() {
                std::fs::write(&path, left).unwrap();
                let context = format!("{options:?} death {number} of {}", deaths.len());
                let file = options.append(&path).expect(&context);
                assert!(file.is_empty().unwrap(), "{context}");
                file.create_group("later").unwrap();
                file.close().unwrap();
                let file = File::open(&path).unwrap();
                assert!(file.verify().unwrap().is_sound(), "{context}");
                assert!(file.exists("later").unwrap(), "{context}");
                // The last image has the signature, and is a file.
                let is_file = File::open_memory(left.clone()).is_ok();
                assert_eq!(is_file, number + 1 == deaths.len(), "{context}");
            }
        }
    }

    #[test]
    fn append_leaves_what_no_creation_left() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let options = File::with_options();
        let left = deaths(&options);
        let written = &left[left.len() - 2];
        let mut other_byte = written.clone();
        let last = other_byte.iter().rposition(|&byte| byte != 0).unwrap();
        other_byte[last] ^= 1;
        let mut longer = written.clone();
        longer.push(0);
        for bytes in [b"text".to_vec(), vec![0; 100], other_byte, longer] {
            std::fs::write(&path, &bytes).unwrap();
            let error = options.append(&path).unwrap_err();
            assert_eq!(error.kind(), &ErrorKind::NotHdf5);
            assert_eq!(std::fs::read(&path).unwrap(), bytes);
        }
    }
}
