//! The comment of an object.

use super::Location;
use crate::error::{Error, Result};
use alloc::string::String;

impl Location {
    /// The comment, where there is one (specification IV.A.2.n).
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    /// let run = file.create_group("run")?;
    /// assert_eq!(run.comment()?, None);
    /// run.set_comment("with the new lens")?;
    /// assert_eq!(run.comment()?.as_deref(), Some("with the new lens"));
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// A comment that is not UTF-8, and what reading the file meets.
    pub fn comment(&self) -> Result<Option<String>> {
        let comment = self.object.with(|engine, addr| engine.comment(addr))?;
        let text = comment.map(String::from_utf8).transpose();
        text.map_err(|_| {
            Error::unsupported("a comment that is not UTF-8")
                .object(&self.object.path())
                .file(self.object.shared.name())
        })
    }

    /// Sets the comment; an empty one is none.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    /// file.set_comment("measured at night")?;
    /// file.set_comment("")?;
    /// assert_eq!(file.comment()?, None);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// A comment with a NUL, or of more than 65,470 bytes; a read-only file.
    pub fn set_comment(&self, comment: &str) -> Result<()> {
        let text = Some(comment).filter(|comment| !comment.is_empty());
        self.object
            .change(0, |engine, addr| engine.set_comment(addr, text))
    }

    /// Takes the comment out, where there is one.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    /// file.set_comment("measured at night")?;
    /// file.clear_comment()?;
    /// assert_eq!(file.comment()?, None);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// A read-only file.
    pub fn clear_comment(&self) -> Result<()> {
        self.object
            .change(0, |engine, addr| engine.set_comment(addr, None))
    }
}
