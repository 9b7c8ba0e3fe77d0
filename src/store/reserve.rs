//! Space for a block whose size is guessed before it is known: its address is needed at once.

use super::stage::Store;
use super::stamp::SECTOR;
use crate::bytes::{Addr, Extent};
use crate::error::Result;
use alloc::vec::Vec;

/// How often such a guess was enough.
#[derive(Debug, Default)]
pub(crate) struct Guesses {
    right: u64,
    wrong: u64,
}

impl Guesses {
    /// Whether guesses are right often enough to be worth what a wrong one wastes.
    fn are_good(&self) -> bool {
        self.wrong <= 8 + self.right / 8
    }
}

impl Store {
    /// Sets space aside for a block of perhaps `len` bytes, whose first `head` bytes lie in one sector; `None` where such
    /// guesses have often been wrong.
    pub(crate) fn reserve(&mut self, len: u64, head: u64) -> Result<Option<Extent>> {
        if !self.guesses.are_good() {
            return Ok(None);
        }
        self.alloc_within(len, head, SECTOR as u64).map(Some)
    }

    /// Puts a block into the space set aside for it, and gives the rest back; `false` where it is too large.
    pub(crate) fn stage_reserved(&mut self, reserved: Extent, bytes: Vec<u8>) -> Result<bool> {
        let len = bytes.len() as u64;
        if len > reserved.len {
            self.guesses.wrong += 1;
            return Ok(false);
        }
        self.guesses.right += 1;
        self.give_back_from(reserved, len);
        self.stage(reserved.addr, bytes)?;
        Ok(true)
    }

    /// Gives back what is behind the first `kept` bytes of space set aside.
    pub(crate) fn give_back_from(&mut self, reserved: Extent, kept: u64) {
        if reserved.len > kept {
            let rest: Addr = reserved.addr.plus(kept);
            self.free(Extent::new(rest, reserved.len - kept));
        }
    }
}
