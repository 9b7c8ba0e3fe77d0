//! The attributes of an object, held against what indexes them.

use super::{Attributes, order_of_record};
use crate::error::{Error, Result};
use crate::format::message::attribute::Attribute;
use crate::object::header::Header;
use crate::object::verify::note;
use crate::store::Store;
use alloc::vec::Vec;

impl Attributes {
    /// All attributes; what is wrong with them goes to `found`.
    pub(crate) fn verify(
        &mut self,
        store: &Store,
        header: &Header,
        found: &mut Vec<Error>,
    ) -> Result<Vec<Attribute>> {
        let at = header.addr.get();
        let all = self.list(store, header)?;
        if let Some(dense) = &mut self.dense {
            let order_of = |record: &[u8], _: &[u8]| order_of_record(record);
            dense.verify(store, header, &order_of, found)?;
        }
        if header.prefix.tracks_creation_order() {
            let next = self.info.as_ref().and_then(|info| info.max_creation_index);
            let orders = all.iter().map(|(order, _)| *order);
            if next.is_some_and(|next| orders.max() >= Some(u64::from(next))) {
                let reason = "an attribute was made after the last one";
                note(
                    found,
                    Error::corrupt("attribute info message", reason).at(at),
                );
            }
        }
        let mut attributes: Vec<Attribute> =
            all.into_iter().map(|(_, attribute)| attribute).collect();
        attributes.sort_by(|a, b| a.name.cmp(&b.name));
        if attributes
            .windows(2)
            .any(|pair| pair[0].name == pair[1].name)
        {
            let reason = "two attributes have one name";
            note(found, Error::corrupt("object header", reason).at(at));
        }
        Ok(attributes)
    }
}
