//! Where blocks live and in what order they reach the device.

mod blocks;
mod commit;
mod flip_record;
mod flips;
mod listing;
#[cfg(test)]
pub(crate) mod mutant;
mod pages;
mod reads;
mod recovery;
mod reserve;
mod space;
mod stage;
mod stamp;
mod turns;
mod userblock;

pub(crate) use commit::Level;

pub(crate) use flips::{FlipOrder, Version};
pub(crate) use pages::Class;
pub(crate) use reads::SharedReads;
pub(crate) use stage::Store;
pub(crate) use stamp::{SECTOR, Stamp};
pub(crate) use turns::turns;
