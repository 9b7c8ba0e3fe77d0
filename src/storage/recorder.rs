//! A file in memory that keeps a log of every change, for tests that ask what a reader finds after a death at any of
//! them.

use super::{MemoryStorage, Storage, StorageError};
use alloc::boxed::Box;
use alloc::string::ToString;
use alloc::sync::Arc;
use alloc::vec::Vec;
use std::sync::Mutex;

const SECTOR: u64 = 512;

/// What happened to the device, in order.
#[derive(Debug, Clone)]
pub(crate) enum Event {
    Write {
        offset: u64,
        bytes: Vec<u8>,
    },
    SetLen(u64),
    Sync,
    /// The commit of this number has returned.
    Mark(usize),
}

/// How a call fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// EIO: nothing happened.
    Error,
    /// ENOSPC: a write or a change of the length did nothing; reads and syncs do not fail.
    NoSpace,
    /// Half of a write reached the device, but where it lies in one sector none of it did.
    ShortWrite,
    /// The call panics, and nothing happened.
    Panic,
}

/// The fault is to come after this many calls.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Planned {
    pub(crate) fault: Fault,
    pub(crate) after: usize,
}

/// Which call failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failed {
    Read,
    Change,
}

#[derive(Debug, Default)]
struct Shared {
    device: MemoryStorage,
    log: Vec<Event>,
    /// The session that is alive; calls of earlier ones fail.
    session: usize,
    planned: Option<Planned>,
    failed: Option<Failed>,
}

impl Shared {
    /// Whether this call is the one that fails.
    fn fails(&mut self, call: Failed, is_sync: bool) -> Option<Fault> {
        let planned = self.planned.as_mut()?;
        let may = match planned.fault {
            Fault::Error | Fault::Panic => true,
            Fault::NoSpace | Fault::ShortWrite => call == Failed::Change && !is_sync,
        };
        if !may {
            return None;
        }
        if planned.after > 0 {
            planned.after -= 1;
            return None;
        }
        let fault = planned.fault;
        self.planned = None;
        self.failed = Some(call);
        assert!(fault != Fault::Panic, "the panic that was planned");
        Some(fault)
    }
}

/// What a call says that panics.
const PANIC: &str = "the device panics";

fn failure(fault: Fault) -> StorageError {
    StorageError::new(match fault {
        Fault::Error => "input/output error",
        Fault::Panic => PANIC,
        Fault::NoSpace | Fault::ShortWrite => "no space left on device",
    })
}

/// The device and its log; clones share both.
#[derive(Debug, Clone, Default)]
pub(crate) struct Recorder {
    shared: Arc<Mutex<Shared>>,
    session: usize,
}

impl Recorder {
    /// A recorder whose device holds `bytes` before anything is logged.
    pub(crate) fn on(bytes: Vec<u8>) -> Self {
        let recorder = Self::default();
        recorder.with(|shared| shared.device = bytes.into());
        recorder
    }

    fn with<T>(&self, run: impl FnOnce(&mut Shared) -> T) -> T {
        // A panic that was planned leaves it as it was.
        let shared = self.shared.lock();
        run(&mut shared.unwrap_or_else(std::sync::PoisonError::into_inner))
    }

    /// Kills the process that writes: its calls fail from here on. What is returned is the device a later process
    /// finds, with the same log.
    pub(crate) fn kill(&self) -> Self {
        let session = self.with(|shared| {
            shared.session += 1;
            shared.session
        });
        Self {
            shared: self.shared.clone(),
            session,
        }
    }

    pub(crate) fn mark(&self, commit: usize) {
        self.with(|shared| shared.log.push(Event::Mark(commit)));
    }

    pub(crate) fn log(&self) -> Vec<Event> {
        self.with(|shared| shared.log.clone())
    }

    /// Lets one call fail.
    pub(crate) fn plan(&self, planned: Planned) {
        self.with(|shared| shared.planned = Some(planned));
    }

    /// The call that failed as planned.
    pub(crate) fn failed(&self) -> Option<Failed> {
        self.with(|shared| shared.failed)
    }

    /// The bytes on the device now.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.with(|shared| shared.device.clone().into_bytes())
    }

    fn alive<T>(
        &self,
        run: impl FnOnce(&mut Shared) -> Result<T, StorageError>,
    ) -> Result<T, StorageError> {
        let result = self.with(|shared| {
            if shared.session != self.session {
                return Err(StorageError::new("the process was killed"));
            }
            run(shared)
        });
        match result {
            // Not before the log is free again, and without a word on the screen.
            Err(error) if error.to_string() == PANIC => std::panic::resume_unwind(Box::new(PANIC)),
            result => result,
        }
    }
}

impl Storage for Recorder {
    fn len(&self) -> Result<u64, StorageError> {
        self.alive(|shared| shared.device.len())
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<(), StorageError> {
        self.alive(|shared| match shared.fails(Failed::Read, false) {
            Some(fault) => Err(failure(fault)),
            None => shared.device.read_at(offset, buffer),
        })
    }

    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> Result<(), StorageError> {
        self.alive(|shared| {
            if let Some(fault) = shared.fails(Failed::Change, false) {
                let sector = |at: u64| at / SECTOR;
                let torn = sector(offset) != sector(offset + bytes.len() as u64 - 1);
                if fault == Fault::ShortWrite && torn {
                    shared.device.write_at(offset, &bytes[..bytes.len() / 2])?;
                }
                return Err(failure(fault));
            }
            shared.log.push(Event::Write {
                offset,
                bytes: bytes.to_vec(),
            });
            shared.device.write_at(offset, bytes)
        })
    }

    fn set_len(&mut self, len: u64) -> Result<(), StorageError> {
        self.alive(|shared| {
            if let Some(fault) = shared.fails(Failed::Change, false) {
                return Err(failure(fault));
            }
            shared.log.push(Event::SetLen(len));
            shared.device.set_len(len)
        })
    }

    fn sync(&mut self) -> Result<(), StorageError> {
        self.alive(|shared| {
            if let Some(fault) = shared.fails(Failed::Change, true) {
                return Err(failure(fault));
            }
            shared.log.push(Event::Sync);
            shared.device.sync()
        })
    }
}
