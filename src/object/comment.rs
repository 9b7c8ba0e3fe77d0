//! IV.A.2.n. The comment of an object: a header message with text and a zero byte.

use super::engine::Engine;
use crate::bytes::Addr;
use crate::error::{Error, Result};
use crate::format::message::kind;
use alloc::vec::Vec;

/// With the zero byte; what else a header has needs some room.
const MAX: usize = 65_535 - 64;

impl Engine {
    /// The comment, without its zero byte.
    pub(crate) fn comment(&mut self, addr: Addr) -> Result<Option<Vec<u8>>> {
        let Some(message) = self.object(addr)?.header.message(kind::COMMENT) else {
            return Ok(None);
        };
        let text = message.data.split(|&byte| byte == 0).next();
        Ok(text.map(<[u8]>::to_vec))
    }

    /// Sets the comment, or takes it out.
    pub(crate) fn set_comment(&mut self, addr: Addr, text: Option<&str>) -> Result<()> {
        if text.is_some_and(|text| text.contains('\0')) {
            return Err(Error::invalid("the comment has a NUL"));
        }
        if let Some(text) = text
            && text.len() >= MAX
        {
            let (len, max) = (text.len() as u64, MAX as u64 - 1);
            return Err(Error::limit("the length of a comment", len, max));
        }
        self.check_editable(addr)?;
        if text.is_none() && self.object(addr)?.header.message(kind::COMMENT).is_none() {
            return Ok(());
        }
        self.change(|engine| {
            let (object, ..) = engine.touch(addr)?;
            let header = &mut object.header;
            match text {
                Some(text) => {
                    let mut data = text.as_bytes().to_vec();
                    data.push(0);
                    header.set_message(kind::COMMENT, data);
                }
                None => header.remove_message(kind::COMMENT),
            }
            Ok(())
        })
    }
}
