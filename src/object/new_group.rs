//! What a new group is to be.

use crate::error::{Error, Result};
use crate::format::message::group_info::GroupInfo;
use crate::format::object_header::Prefix;

/// The maximum number of compact links or attributes and the minimum number of dense ones, where an object does not say
/// otherwise.
pub(crate) const DEFAULT_PHASE_CHANGE: (u16, u16) = (8, 6);
/// The number of entries and the length of a name that libhdf5 expects where a group does not say otherwise.
const DEFAULT_ESTIMATES: (u16, u16) = (4, 8);

#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct NewGroup {
    /// The order in which links and attributes are made is kept and indexed.
    pub(crate) track_order: bool,
    pub(crate) attr_phase_change: Option<(u16, u16)>,
    pub(crate) links: GroupInfo,
}

/// What the builders of groups and files were asked for, not checked yet.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct GroupRequest {
    pub(crate) track_order: bool,
    pub(crate) attr_phase_change: Option<(u32, u32)>,
    pub(crate) link_phase_change: Option<(u32, u32)>,
    pub(crate) estimates: Option<(u32, u32)>,
}

impl GroupRequest {
    pub(crate) fn check(&self) -> Result<NewGroup> {
        Ok(NewGroup {
            track_order: self.track_order,
            attr_phase_change: phase_change(self.attr_phase_change)?,
            links: GroupInfo {
                phase_change: phase_change(self.link_phase_change)?,
                estimates: estimates(self.estimates)?,
            },
        })
    }
}

impl NewGroup {
    pub(crate) fn prefix(&self) -> Prefix {
        Prefix::ordered(self.track_order).changing(self.attr_phase_change)
    }
}

/// Two numbers as an object says them: not at all where they are the default.
fn pair(what: &'static str, pair: (u32, u32), default: (u16, u16)) -> Result<Option<(u16, u16)>> {
    let max = u32::from(u16::MAX);
    match (u16::try_from(pair.0), u16::try_from(pair.1)) {
        (Ok(first), Ok(second)) => Ok(Some((first, second)).filter(|pair| *pair != default)),
        _ => Err(Error::limit(what, pair.0.max(pair.1).into(), max.into())),
    }
}

/// The phase change values of a new object.
pub(crate) fn phase_change(values: Option<(u32, u32)>) -> Result<Option<(u16, u16)>> {
    let Some((max_compact, min_dense)) = values else {
        return Ok(None);
    };
    if max_compact < min_dense {
        return Err(Error::invalid(
            "the minimum number of dense links or attributes is more than the maximum of compact ones",
        ));
    }
    let what = "a phase change value";
    pair(what, (max_compact, min_dense), DEFAULT_PHASE_CHANGE)
}

/// The estimates of a new group.
fn estimates(values: Option<(u32, u32)>) -> Result<Option<(u16, u16)>> {
    match values {
        Some(values) => pair("an estimate of links", values, DEFAULT_ESTIMATES),
        None => Ok(None),
    }
}
