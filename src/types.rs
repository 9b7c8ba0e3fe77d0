//! The types of elements in the module where hdf5-metno has them, for programs that come from it.
//!
//! ```
//! use h5quill::types::{FixedAscii, H5Type, IntSize, TypeDescriptor, VarLenArray, VarLenUnicode};
//!
//! assert_eq!(i32::type_descriptor(), TypeDescriptor::Integer(IntSize::U4));
//! assert_eq!(VarLenArray::<u8>::type_descriptor().to_string(), "[uint8] (var len)");
//! assert_eq!(FixedAscii::<4>::type_descriptor().size(), 4);
//! assert_eq!(VarLenUnicode::type_descriptor(), String::type_descriptor());
//! ```

pub use crate::dtype::descriptor::{
    CompoundField, CompoundType, EnumMember, EnumType, FloatSize, IntSize, Reference,
    TypeDescriptor,
};
pub use crate::dtype::{FixedAscii, FixedUnicode, VarLenArray, VarLenAscii, VarLenUnicode};

// The trait, and the macro of that name.
pub use crate::H5Type;
