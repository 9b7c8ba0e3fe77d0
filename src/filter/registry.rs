//! Which filter an identifier stands for: those of the user of a file, then those of this library.

use super::{BITSHUFFLE, BLOSC, BLOSC2, BZIP2, Elements, Filter, LZ4, SZIP, Unusable, ZSTD};
use super::{deflate, fletcher32, lzf, nbit, scale_offset, shuffle};
use crate::error::{Error, Result};
use crate::format::message::datatype::Datatype;
use crate::format::message::filter_pipeline::FilterDescription;
use crate::user_code;
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;

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
    pub(crate) fn make(&self, description: &FilterDescription) -> Result<Box<dyn Filter>> {
        let (id, values) = (description.id, description.values.as_slice());
        if let Some(make) = self.own.get(&id) {
            return user_code::run(|| make(values), Error::filter);
        }
        if let Some(known) = known(id) {
            return (known.make)(values);
        }
        // Not an error of the parameters: an optional filter is not left out because it is not known here.
        let error = not_built_in(id).unwrap_or_else(|| {
            Error::unsupported(match &description.name {
                Some(name) => format!("filter {id} ({name})"),
                None => format!("filter {id}"),
            })
        });
        Ok(Box::new(Unusable(error)))
    }
}

/// A filter of this library.
pub(crate) struct Known {
    pub(super) id: u16,
    pub(super) name: &'static str,
    /// Chunks that it cannot encode go without it.
    pub(super) optional: bool,
    /// Completes the parameters of the user by those of the dataset, or refuses them.
    pub(super) local: fn(&[u32], Elements<'_>) -> Result<Vec<u32>>,
    /// The filter of these parameters.
    pub(super) make: fn(&[u32]) -> Result<Box<dyn Filter>>,
}

static ALWAYS: [Known; 6] = [
    Known {
        id: deflate::ID,
        name: "deflate",
        optional: true,
        local: |values, _| match *values {
            [level] if level > 9 => Err(Error::limit("the level of deflate", level.into(), 9)),
            _ => Ok(values.to_vec()),
        },
        make: |values| boxed(deflate::Deflate::new(values)),
    },
    Known {
        id: shuffle::ID,
        name: "shuffle",
        optional: true,
        local: |_, elements| Ok(vec![elements.datatype.size()]),
        make: |values| boxed(shuffle::Shuffle::new(values)),
    },
    Known {
        id: fletcher32::ID,
        name: "fletcher32",
        optional: false,
        local: |_, elements| match elements.datatype {
            // As libhdf5: its copies of such a dataset, where it was deflated too, end in a crash.
            Datatype::VarLenSequence { .. } | Datatype::VarLenString { .. } => Err(
                Error::unsupported("the filter fletcher32 over elements of variable length"),
            ),
            _ => Ok(Vec::new()),
        },
        make: |_| Ok(Box::new(fletcher32::Fletcher32)),
    },
    nbit::KNOWN,
    scale_offset::KNOWN,
    lzf::KNOWN,
];

/// Those of features.
static CODECS: &[Known] = &[
    #[cfg(feature = "lz4")]
    super::lz4::KNOWN,
    #[cfg(feature = "bitshuffle")]
    super::bitshuffle::KNOWN,
    #[cfg(feature = "zstd")]
    super::zstandard::KNOWN,
    #[cfg(feature = "bzip2")]
    super::bzip2::KNOWN,
    #[cfg(feature = "szip")]
    super::szip::KNOWN,
    #[cfg(feature = "blosc")]
    super::blosc::KNOWN,
    #[cfg(feature = "blosc")]
    super::blosc::BLOSC2_KNOWN,
];

/// The filters that need a feature, and its name.
const FEATURES: [(u16, &str); 7] = [
    (LZ4, "lz4"),
    (BITSHUFFLE, "bitshuffle"),
    (ZSTD, "zstd"),
    (BZIP2, "bzip2"),
    (SZIP, "szip"),
    (BLOSC, "blosc"),
    (BLOSC2, "blosc"),
];

/// That the filter needs a feature which this build is without, if it does.
pub(super) fn not_built_in(id: u16) -> Option<Error> {
    let feature = FEATURES.iter().find(|(other, _)| *other == id);
    let (_, feature) = feature.filter(|_| known(id).is_none())?;
    Some(Error::unsupported(format!(
        "filter {id} ({feature}): this build is without the feature `{feature}`"
    )))
}

fn boxed(filter: Result<impl Filter + 'static>) -> Result<Box<dyn Filter>> {
    filter.map(|filter| Box::new(filter) as Box<dyn Filter>)
}

/// The filters that are there in every build, and those of its features.
pub(super) fn known(id: u16) -> Option<&'static Known> {
    ALWAYS.iter().chain(CODECS).find(|known| known.id == id)
}
