//! A new dataset that has its data in other datasets or files.

use super::{Data, Dataset, name_committed};
use crate::error::{Error, Result};
use crate::format::message::layout::{Layout, LayoutClass};
use crate::format::message::{RawMessage, flag, kind};
use crate::infra::global_heap::GlobalHeap;
use crate::object::external::External;
use crate::object::plan::{Outside, Plan};
use crate::object::virtual_dataset::Virtual;
use crate::store::Store;
use alloc::sync::Arc;
use alloc::vec::Vec;

impl Dataset {
    /// A new dataset that has no data in the file.
    pub(super) fn create_outside(
        store: &mut Store,
        heap: &mut GlobalHeap,
        plan: Plan,
    ) -> Result<(Self, Vec<RawMessage>)> {
        let (widths, bytes, max_dims) = (store.widths(), plan.bytes()?, plan.max_dims());
        let mut files = None;
        let (data, layout) = match plan.outside {
            Some(Outside::Virtual(layout)) => {
                let at = heap.insert(store, &layout.encode(widths)?)?;
                let class = LayoutClass::Virtual {
                    heap: Some(at.addr),
                    index: at.index,
                };
                let state = Virtual::new(at, layout, max_dims.len());
                (Data::Virtual(state), Layout { version: 4, class })
            }
            Some(Outside::External(pieces)) => {
                let (external, message) = External::create(store, &pieces)?;
                files = Some(message.encode(widths));
                let (addr, size) = (None, bytes);
                let class = LayoutClass::Contiguous { addr, size };
                let data = Data::External(Arc::new(external));
                (data, Layout { version: 3, class })
            }
            None => return Err(Error::invalid("a dataset with its data in the file")),
        };
        let dataset = Self {
            datatype: plan.datatype,
            space: plan.space,
            filters: Vec::new(),
            max_dims,
            fill: plan.fill.clone().unwrap_or_default(),
            layout_version: layout.version,
            data,
            messages_changed: false,
            appendable: false,
            widths,
        };
        let mut messages = dataset.initial_messages(store, plan.fill, plan.fill_time, plan.early);
        name_committed(&mut messages, plan.committed, widths);
        if let Some(files) = files {
            messages.push(RawMessage::new(kind::EXTERNAL_FILES, flag::CONSTANT, files));
        }
        messages.push(RawMessage::new(kind::LAYOUT, 0, layout.encode(widths)));
        Ok((dataset, messages))
    }
}
