//! What the fuzz targets do: checksums put right after a mutation, a walk over all that a file holds, and edits.

#![forbid(unsafe_code)]

#[allow(
    dead_code,
    unreachable_pub,
    reason = "the library's own, with its tests"
)]
#[path = "../../src/bytes/checksum.rs"]
mod checksum;
mod edit;
mod fix;
#[path = "../../tests/support/storage.rs"]
mod storage;
mod walk;

use h5quill::File;
use storage::Shared;

/// Whatever the bytes are, opening, walking and reading end with values or errors, and nothing is written.
pub fn open_walk_read(data: &[u8]) {
    let mut bytes = data.to_vec();
    fix::fix(&mut bytes);
    let shared = Shared::from(bytes.clone());
    if let Ok(file) = File::open_on(shared.clone()) {
        walk::Walk::of(&file);
        drop(file);
        assert!(shared.bytes() == bytes, "reading wrote");
    }
}

/// An edit of a damaged file is refused and changes nothing, or the file reopens and reads the same. The edits are
/// chosen by the last bytes.
pub fn open_edit_reopen(data: &[u8]) {
    let Some(split) = data.len().checked_sub(edit::SCRIPT) else {
        return;
    };
    let (file, script) = data.split_at(split);
    let mut bytes = file.to_vec();
    fix::fix(&mut bytes);
    edit::run(bytes, script);
}
