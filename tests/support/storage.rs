//! Storage whose bytes stay in view of the test.
#![allow(dead_code)]

use h5quill::storage::{MemoryStorage, Storage, StorageError};
use std::sync::{Arc, Mutex};

/// Memory that several owners see: what the engine wrote can be looked at, copied and limited at any time.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shared(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    memory: MemoryStorage,
    limit: Option<u64>,
}

impl Shared {
    pub(crate) fn from(bytes: Vec<u8>) -> Self {
        let shared = Self::default();
        shared.0.lock().unwrap().memory = MemoryStorage::from(bytes);
        shared
    }

    /// A copy of the bytes as they are now: what a death would leave.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.0.lock().unwrap().memory.clone().into_bytes()
    }

    /// The device is full at this length.
    pub(crate) fn limit(&self, limit: u64) {
        self.0.lock().unwrap().limit = Some(limit);
    }
}

impl State {
    fn fits(&self, end: u64) -> Result<(), StorageError> {
        match self.limit {
            Some(limit) if end > limit => Err(StorageError::new("no space left on device")),
            _ => Ok(()),
        }
    }
}

impl Storage for Shared {
    fn len(&self) -> Result<u64, StorageError> {
        self.0.lock().unwrap().memory.len()
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<(), StorageError> {
        self.0.lock().unwrap().memory.read_at(offset, buffer)
    }

    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> Result<(), StorageError> {
        let mut state = self.0.lock().unwrap();
        state.fits(offset + bytes.len() as u64)?;
        state.memory.write_at(offset, bytes)
    }

    fn set_len(&mut self, len: u64) -> Result<(), StorageError> {
        let mut state = self.0.lock().unwrap();
        state.fits(len)?;
        state.memory.set_len(len)
    }

    fn sync(&mut self) -> Result<(), StorageError> {
        Ok(())
    }
}
