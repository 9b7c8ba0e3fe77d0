//! What a link is, beside the object it may lead to.

use crate::format::message::datatype::CharacterSet;
use crate::format::message::link::{Link, LinkTarget, external_parts};
use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;

/// Where a link leads (specification IV.A.2.g). Paths and file names are the bytes that are stored: UTF-8 where they
/// were written by this library, in any encoding where by another.
///
/// ```
/// use h5quill::{File, LinkKind};
/// let file = File::create_memory()?;
/// file.link_soft("/runs/7", "latest")?;
/// let link = file.link("latest")?.expect("it was just made");
/// assert_eq!(link.kind(), &LinkKind::Soft(b"/runs/7".to_vec()));
/// # Ok::<(), h5quill::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LinkKind {
    /// To an object of this file.
    Hard,
    /// To whatever is at this path.
    Soft(Vec<u8>),
    /// To whatever is at a path in another file.
    External {
        /// The name of the file, as it is stored.
        file: Vec<u8>,
        /// The path in it.
        path: Vec<u8>,
    },
    /// What a program of the user's gives a meaning to; also an external link whose data are malformed (class 64).
    UserDefined {
        /// 65 to 255.
        class: u8,
        /// At most 65,535 bytes.
        data: Vec<u8>,
    },
}

/// A link: its name, its kind, and when it was made among those of its group.
///
/// ```
/// use h5quill::{File, LinkKind};
/// let file = File::create_memory()?;
/// file.create_group("a")?;
/// file.link_external("other.h5", "/data", "b")?;
/// let links = file.links()?;
/// let names: Vec<_> = links.iter().map(|link| link.name()).collect();
/// assert_eq!(names, ["a", "b"]);
/// assert_eq!(links[0].kind(), &LinkKind::Hard);
/// # Ok::<(), h5quill::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkInfo {
    name: Vec<u8>,
    charset: CharacterSet,
    creation_order: Option<u64>,
    kind: LinkKind,
}

impl LinkInfo {
    pub(super) fn new(link: Link) -> Self {
        let kind = match link.target {
            LinkTarget::Hard(_) => LinkKind::Hard,
            LinkTarget::Soft(path) => LinkKind::Soft(path),
            LinkTarget::External(data) => match external_parts(&data) {
                Ok((file, path)) => LinkKind::External {
                    file: file.to_vec(),
                    path: path.to_vec(),
                },
                Err(_) => LinkKind::UserDefined { class: 64, data },
            },
            LinkTarget::UserDefined { class, data } => LinkKind::UserDefined { class, data },
        };
        Self {
            name: link.name,
            charset: link.charset,
            creation_order: link.creation_order,
            kind,
        }
    }

    /// The name; what is not UTF-8 in it is replaced by U+FFFD.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    /// file.create_group("größe")?;
    /// assert_eq!(file.links()?[0].name(), "größe");
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    pub fn name(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.name)
    }

    /// The name as it is stored. [`Group::unlink_bytes`](crate::Group::unlink_bytes) and
    /// [`Group::relink_bytes`](crate::Group::relink_bytes) take it, also where it is not UTF-8.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    /// file.create_group("a")?;
    /// assert_eq!(file.links()?[0].name_bytes(), b"a");
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    pub fn name_bytes(&self) -> &[u8] {
        &self.name
    }

    /// The character set that the file says the name is in.
    ///
    /// ```
    /// use h5quill::{CharacterSet, File};
    /// let file = File::create_memory()?;
    /// file.create_group("größe")?;
    /// assert_eq!(file.links()?[0].charset(), CharacterSet::Utf8);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    pub fn charset(&self) -> CharacterSet {
        self.charset
    }

    /// How many links the group had been given before this one, where it tracks that.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    /// let tracked = file.new_group().track_order(true).create("tracked")?;
    /// tracked.create_group("b")?;
    /// tracked.create_group("a")?;
    /// assert_eq!(tracked.link("a")?.unwrap().creation_order(), Some(1));
    /// assert_eq!(file.link("tracked")?.unwrap().creation_order(), None);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    pub fn creation_order(&self) -> Option<u64> {
        self.creation_order
    }

    /// Where it leads.
    ///
    /// ```
    /// use h5quill::{File, LinkKind};
    /// let file = File::create_memory()?;
    /// file.link_user_defined(200, b"whatever", "mine")?;
    /// let kind = LinkKind::UserDefined { class: 200, data: b"whatever".to_vec() };
    /// assert_eq!(file.links()?[0].kind(), &kind);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    pub fn kind(&self) -> &LinkKind {
        &self.kind
    }
}
