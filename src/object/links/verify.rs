//! The links of a group, held against what indexes them.

use super::Links;
use crate::error::{Error, Result};
use crate::format::message::link::Link;
use crate::object::header::Header;
use crate::object::verify::note;
use crate::store::Store;
use alloc::vec::Vec;

impl Links {
    /// All links; what is wrong with them goes to `found`.
    pub(crate) fn verify(
        &mut self,
        store: &Store,
        header: &Header,
        found: &mut Vec<Error>,
    ) -> Result<Vec<Link>> {
        let at = header.addr.get();
        let mut links = self.list(store, header)?;
        if let Some(symbols) = &self.symbols {
            let mut lost = 0;
            for link in &links {
                lost += usize::from(symbols.find(store, &link.name)?.as_ref() != Some(link));
            }
            if lost > 0 {
                let reason = alloc::format!("{lost} names are not found where they should be");
                note(found, Error::corrupt("symbol table", reason).at(at));
            }
        }
        if let Some(dense) = &mut self.dense {
            let widths = store.widths();
            let order_of = |_: &[u8], message: &[u8]| {
                let link = Link::decode(message, widths, at)?;
                Ok(link.creation_order.unwrap_or(0))
            };
            dense.verify(store, header, &order_of, found)?;
        }
        if let Some(next) = self.info.max_creation_index
            && links.iter().any(|link| link.creation_order >= Some(next))
        {
            let reason = "a link was made after the last one";
            note(found, Error::corrupt("link info message", reason).at(at));
        }
        let mut orders: Vec<_> = links
            .iter()
            .filter_map(|link| link.creation_order)
            .collect();
        orders.sort_unstable();
        if orders.windows(2).any(|pair| pair[0] == pair[1]) {
            let reason = "two links have one place in the order of creation";
            note(found, Error::corrupt("group", reason).at(at));
        }
        links.sort_by(|a, b| a.name.cmp(&b.name));
        if links.windows(2).any(|pair| pair[0].name == pair[1].name) {
            note(
                found,
                Error::corrupt("group", "two links have one name").at(at),
            );
        }
        Ok(links)
    }
}
