//! What dense storage says, held against itself: the indexes by name and by creation order, and the heap.

use super::{Dense, StoredId, heap_header, read};
use crate::bytes::lookup3;
use crate::error::{Error, Result};
use crate::object::header::Header;
use crate::object::verify::note;
use crate::store::Store;
use alloc::vec::Vec;

const NAMES: &str = "name index of dense storage";
const ORDERS: &str = "creation order index of dense storage";

impl Dense {
    /// Looks at every record and every message. `order_of` gives the creation order of a name record and its message.
    pub(crate) fn verify(
        &mut self,
        store: &Store,
        header: &Header,
        order_of: &dyn Fn(&[u8], &[u8]) -> Result<u64>,
        found: &mut Vec<Error>,
    ) -> Result<()> {
        let (kind, heap) = (self.kind, &mut self.heap);
        let at = self.heap_at.get();
        let wrong = |structure, reason| Error::corrupt(structure, reason).at(at);
        let (mut ids, mut orders) = (Vec::new(), Vec::new());
        let (mut count, mut last) = (0_u64, None);
        self.names.for_each(store, &mut |record| {
            let (id, hash) = (kind.split_name_record)(record)?;
            count += 1;
            let message = match read(heap, store, id) {
                Ok(message) => message,
                Err(error) => {
                    note(found, error.at(at));
                    return Ok(());
                }
            };
            let name = (kind.name_of)(&message)?.to_vec();
            if lookup3(&name) != hash {
                note(found, wrong(NAMES, "a hash is not that of its name"));
            }
            let place = Some((hash, name));
            if last >= place {
                note(found, wrong(NAMES, "the names are not in order"));
            }
            last = place;
            let order = order_of(record, &message)?;
            orders.push((order, (kind.order_record)(&id, order)));
            if let StoredId::Own(id) = id {
                ids.push(id.to_vec());
            }
            Ok(())
        })?;
        if count != self.names.len() {
            note(found, wrong(NAMES, "it has not as many records as it says"));
        }
        if let Some(tree) = &self.order {
            orders.sort_by_key(|(order, _)| *order);
            let mut expected = orders.iter();
            let mut same = true;
            tree.for_each(store, &mut |record| {
                same &= expected.next().is_some_and(|(_, bytes)| bytes == record);
                Ok(())
            })?;
            if !same || expected.next().is_some() || tree.len() != self.names.len() {
                note(
                    found,
                    wrong(ORDERS, "it does not say what the name index says"),
                );
            }
        }
        // Where heap and index change in two writes, the heap may be a commit ahead.
        let len = heap_header(store.widths());
        let exact = header.is_foreign() || header.shares_sector(self.heap_at, len);
        self.heap.verify(store, &ids, exact, found)
    }
}
