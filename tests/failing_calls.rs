//! A call that fails fails alone: what it was to change is as before, and everything else that waits is committed by the
//! next flush. Only a device that fails stops the handle.

#[path = "support/storage.rs"]
mod storage;

use h5quill::storage::{MemoryStorage, Storage, StorageError};
use h5quill::{ErrorKind, File};
use std::sync::Arc;
use std::sync::atomic::{AtomicIsize, Ordering};
use storage::Shared;

/// A device of which one call panics.
struct Panicking {
    device: Shared,
    /// How many calls until then.
    left: Arc<AtomicIsize>,
}

impl Panicking {
    fn called(&self) {
        if self.left.fetch_sub(1, Ordering::SeqCst) == 0 {
            // Without a word on the screen.
            std::panic::resume_unwind(Box::new("the network is gone"));
        }
    }
}

impl Storage for Panicking {
    fn len(&self) -> Result<u64, StorageError> {
        self.device.len()
    }
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<(), StorageError> {
        self.device.read_at(offset, buffer)
    }
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> Result<(), StorageError> {
        self.called();
        self.device.write_at(offset, bytes)
    }
    fn set_len(&mut self, len: u64) -> Result<(), StorageError> {
        self.called();
        self.device.set_len(len)
    }
    fn sync(&mut self) -> Result<(), StorageError> {
        self.called();
        self.device.sync()
    }
}

#[test]
fn after_a_device_that_panics_amid_a_flush_nothing_is_committed() {
    for call in 0.. {
        let (device, left) = (Shared::default(), Arc::new(AtomicIsize::new(isize::MAX)));
        let storage = Panicking {
            device: device.clone(),
            left: left.clone(),
        };
        let file = File::create_on(storage).unwrap();
        let data = file.new_dataset::<i32>().shape(0..).create("x").unwrap();
        data.append(&[1, 2]).unwrap();
        file.flush().unwrap();
        data.append(&[3]).unwrap();
        left.store(call, Ordering::SeqCst);
        let flushed = file.flush();
        if let Err(error) = &flushed {
            assert_eq!(
                error.to_string().split(": ").last(),
                Some("the network is gone")
            );
            assert!(matches!(error.kind(), ErrorKind::Storage(_)));
            assert_eq!(file.flush().unwrap_err().kind(), &ErrorKind::Poisoned);
        }
        drop((data, file));
        let file = File::open_memory(device.bytes()).unwrap();
        let rows = file.dataset("x").unwrap().read_raw::<i32>().unwrap();
        assert!(file.verify().unwrap().is_sound());
        if flushed.is_ok() {
            assert_eq!(rows, [1, 2, 3]);
            assert!(call > 1, "the flush writes something");
            return;
        }
        assert_eq!(rows, [1, 2], "call {call}");
    }
}

#[test]
fn an_alignment_that_no_file_can_hold_is_refused() {
    let bytes = File::create_memory().unwrap().into_bytes().unwrap();
    for alignment in [(1 << 32) + 1, 1 << 62, u64::MAX] {
        let options = File::with_options().alignment(0, alignment);
        let device = Shared::from(b"precious".to_vec());
        let error = options.create_on(device.clone()).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Limit { .. }), "{error}");
        assert_eq!(device.bytes(), b"precious");
        let opened = options.open_rw_on(MemoryStorage::from(bytes.clone()));
        assert!(matches!(
            opened.unwrap_err().kind(),
            ErrorKind::Limit { .. }
        ));
    }
}
