//! Which filter an identifier stands for: those of the user of a file, then those of this library.

use super::{Filter, Unusable, deflate, fletcher32, shuffle};
use crate::error::{Error, Result};
use crate::format::message::filter_pipeline::FilterDescription;
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::sync::Arc;

type Make = dyn Fn(&[u32]) -> Result<Box<dyn Filter>> + Send + Sync;

/// The filters of the user, by their identifiers. Each file has its own: nothing is global, so that two parts of a program
/// do not get into each other's way, and there is nothing to lock where there is no `std`.
#[derive(Clone, Default)]
pub(crate) struct Registry {
    own: Arc<BTreeMap<u16, Arc<Make>>>,
}

impl core::fmt::Debug for Registry {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_set().entries(self.own.keys()).finish()
    }
}

impl Registry {
    /// From here on, `id` stands for what `make` makes of the parameters.
    pub(crate) fn add(
        &mut self,
        id: u16,
        make: impl Fn(&[u32]) -> Result<Box<dyn Filter>> + Send + Sync + 'static,
    ) {
        Arc::make_mut(&mut self.own).insert(id, Arc::new(make));
    }

    /// The filter that is described, or why it cannot be applied.
    pub(super) fn make(&self, description: &FilterDescription) -> Result<Box<dyn Filter>> {
        let values = description.values.as_slice();
        if let Some(make) = self.own.get(&description.id) {
            return make(values);
        }
        match description.id {
            deflate::ID => boxed(deflate::Deflate::new(values)),
            shuffle::ID => boxed(shuffle::Shuffle::new(values)),
            fletcher32::ID => Ok(Box::new(fletcher32::Fletcher32)),
            // Not an error of the parameters: an optional filter is not left out because it is not known here.
            id => Ok(Box::new(Unusable(Error::unsupported(
                match &description.name {
                    Some(name) => format!("filter {id} ({name})"),
                    None => format!("filter {id}"),
                },
            )))),
        }
    }
}

fn boxed(filter: Result<impl Filter + 'static>) -> Result<Box<dyn Filter>> {
    filter.map(|filter| Box::new(filter) as Box<dyn Filter>)
}
