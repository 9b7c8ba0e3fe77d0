//! Where blocks live and in what order they reach the device. Knows no HDF5 beyond the superblock.

mod blocks;
mod commit;
mod listing;
#[cfg(test)]
pub(crate) mod mutant;
mod pages;
mod reads;
mod reserve;
mod space;
mod stage;
mod stamp;
mod userblock;

pub(crate) use commit::Level;

pub(crate) use pages::Class;
pub(crate) use reads::SharedReads;
pub(crate) use stage::{FlipOrder, Store};
pub(crate) use stamp::{SECTOR, Stamp};
