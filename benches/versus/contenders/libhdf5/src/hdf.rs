//! Thin names over the C API: each call is checked, each identifier closed.

use hdf5_metno_sys::h5::{H5open, herr_t, hsize_t};
use hdf5_metno_sys::h5a::{H5Aclose, H5Acreate2, H5Awrite};
use hdf5_metno_sys::h5ac::H5AC_cache_config_t;
use hdf5_metno_sys::h5d::{
    H5D_fill_time_t, H5D_layout_t, H5Dclose, H5Dcreate2, H5Dopen2, H5Dread, H5Dset_extent,
    H5Dwrite, H5Dwrite_chunk,
};
use hdf5_metno_sys::h5f::{
    H5F_ACC_RDONLY, H5F_ACC_RDWR, H5F_ACC_TRUNC, H5F_libver_t, H5F_scope_t, H5Fclose, H5Fcreate,
    H5Fflush, H5Fopen,
};
use hdf5_metno_sys::h5i::hid_t;
use hdf5_metno_sys::h5p::{
    H5P_CLS_DATASET_ACCESS, H5P_CLS_DATASET_CREATE, H5P_CLS_FILE_ACCESS, H5Pclose, H5Pcreate,
    H5Pget_mdc_config, H5Pset_chunk, H5Pset_chunk_cache, H5Pset_deflate, H5Pset_fill_time,
    H5Pset_layout, H5Pset_libver_bounds, H5Pset_mdc_config, H5Pset_meta_block_size,
    H5Pset_obj_track_times, H5Pset_shuffle,
};
use hdf5_metno_sys::h5s::{
    H5S_ALL, H5S_UNLIMITED, H5S_class_t, H5S_seloper_t, H5Sclose, H5Screate, H5Screate_simple,
    H5Sselect_hyperslab, H5Sset_extent_simple,
};
use hdf5_metno_sys::h5t::{
    H5T_C_S1, H5T_NATIVE_DOUBLE, H5T_NATIVE_FLOAT, H5T_NATIVE_INT, H5T_NATIVE_USHORT, H5T_VARIABLE,
    H5T_cset_t, H5Tclose, H5Tcopy, H5Tset_cset, H5Tset_size,
};
use kit::{Failure, Job};
use std::ffi::{CStr, CString, c_void};
use std::path::Path;
use std::ptr;

pub type Result<T> = std::result::Result<T, Failure>;

pub const DEFAULT: hid_t = 0;

/// An identifier that is closed when it goes.
#[derive(Debug)]
pub struct Id(pub hid_t, unsafe extern "C" fn(hid_t) -> herr_t);

impl Drop for Id {
    fn drop(&mut self) {
        unsafe { (self.1)(self.0) };
    }
}

fn id(id: hid_t, close: unsafe extern "C" fn(hid_t) -> herr_t) -> Result<Id> {
    match id < 0 {
        true => Err("libhdf5 refused; its stack is above".into()),
        false => Ok(Id(id, close)),
    }
}

pub fn ok(code: herr_t) -> Result<()> {
    match code < 0 {
        true => Err("libhdf5 refused; its stack is above".into()),
        false => Ok(()),
    }
}

pub fn double() -> hid_t {
    *H5T_NATIVE_DOUBLE
}

pub fn float() -> hid_t {
    *H5T_NATIVE_FLOAT
}

pub fn int() -> hid_t {
    *H5T_NATIVE_INT
}

pub fn u16_type() -> hid_t {
    *H5T_NATIVE_USHORT
}

/// UTF-8 strings of so many bytes.
pub fn fixed_string_type(bytes: usize) -> Result<Id> {
    let string = unsafe { id(H5Tcopy(*H5T_C_S1), H5Tclose)? };
    unsafe {
        ok(H5Tset_size(string.0, bytes))?;
        ok(H5Tset_cset(string.0, H5T_cset_t::H5T_CSET_UTF8))?;
    }
    Ok(string)
}

/// UTF-8 strings of variable length.
pub fn string_type() -> Result<Id> {
    let string = unsafe { id(H5Tcopy(*H5T_C_S1), H5Tclose)? };
    unsafe {
        ok(H5Tset_size(string.0, H5T_VARIABLE))?;
        ok(H5Tset_cset(string.0, H5T_cset_t::H5T_CSET_UTF8))?;
    }
    Ok(string)
}

pub fn scalar() -> Result<Id> {
    unsafe { id(H5Screate(H5S_class_t::H5S_SCALAR), H5Sclose) }
}

pub fn space(dims: &[hsize_t]) -> Result<Id> {
    unsafe {
        id(
            H5Screate_simple(dims.len() as i32, dims.as_ptr(), ptr::null()),
            H5Sclose,
        )
    }
}

/// How files are opened: version bounds as the variant has them, else of 1.10, whose files are as small and fast as later ones.
pub fn access(job: &Job) -> Result<Id> {
    unsafe {
        ok(H5open())?;
        let access = id(H5Pcreate(*H5P_CLS_FILE_ACCESS), H5Pclose)?;
        let low = match job.option("libver").unwrap_or("v110") {
            "earliest" => H5F_libver_t::H5F_LIBVER_EARLIEST,
            "v18" => H5F_libver_t::H5F_LIBVER_V18,
            "v110" => H5F_libver_t::H5F_LIBVER_V110,
            "v114" => H5F_libver_t::H5F_LIBVER_V114,
            "latest" => H5F_libver_t::H5F_LIBVER_V200,
            other => return Err(format!("no libver {other}").into()),
        };
        ok(H5Pset_libver_bounds(
            access.0,
            low,
            H5F_libver_t::H5F_LIBVER_V200,
        ))?;
        if let Some(bytes) = job.option("meta") {
            ok(H5Pset_meta_block_size(access.0, bytes.parse()?))?;
        }
        if let Some(bytes) = job.option("metacache") {
            metadata_cache(&access, bytes.parse()?)?;
        }
        Ok(access)
    }
}

/// A metadata cache that begins at this size and does not become smaller.
fn metadata_cache(access: &Id, bytes: usize) -> Result<()> {
    let mut config = H5AC_cache_config_t {
        version: 1,
        ..Default::default()
    };
    unsafe {
        ok(H5Pget_mdc_config(access.0, &raw mut config))?;
        config.set_initial_size = 1;
        config.initial_size = bytes;
        config.min_size = bytes;
        config.max_size = config.max_size.max(bytes);
        ok(H5Pset_mdc_config(access.0, &raw const config))
    }
}

fn c_path(path: &Path) -> Result<CString> {
    Ok(CString::new(path.to_str().ok_or("a path in UTF-8")?)?)
}

pub fn create(path: &Path, access: &Id) -> Result<Id> {
    unsafe {
        id(
            H5Fcreate(c_path(path)?.as_ptr(), H5F_ACC_TRUNC, DEFAULT, access.0),
            H5Fclose,
        )
    }
}

pub fn open(path: &Path, write: bool, access: &Id) -> Result<Id> {
    let flags = if write { H5F_ACC_RDWR } else { H5F_ACC_RDONLY };
    unsafe { id(H5Fopen(c_path(path)?.as_ptr(), flags, access.0), H5Fclose) }
}

pub fn flush(file: &Id) -> Result<()> {
    unsafe { ok(H5Fflush(file.0, H5F_scope_t::H5F_SCOPE_LOCAL)) }
}

/// Chunks without fill, filtered if there is a level.
pub fn chunked(chunk: &[hsize_t], level: Option<u8>) -> Result<Id> {
    let create = filled_chunks(chunk)?;
    unsafe {
        ok(H5Pset_fill_time(
            create.0,
            H5D_fill_time_t::H5D_FILL_TIME_NEVER,
        ))?;
        if let Some(level) = level {
            ok(H5Pset_shuffle(create.0))?;
            ok(H5Pset_deflate(create.0, level.into()))?;
        }
    }
    Ok(create)
}

/// Chunks with the fill that strings have to have.
pub fn filled_chunks(chunk: &[hsize_t]) -> Result<Id> {
    unsafe {
        let create = id(H5Pcreate(*H5P_CLS_DATASET_CREATE), H5Pclose)?;
        ok(H5Pset_chunk(create.0, chunk.len() as i32, chunk.as_ptr()))?;
        Ok(create)
    }
}

/// A chunk cache of so many bytes, unless the variant says otherwise; whole chunks leave first.
pub fn cache(job: &Job, bytes: usize) -> Result<Id> {
    let bytes = job.option("cache").map_or(Ok(bytes), str::parse)?;
    unsafe {
        let access = id(H5Pcreate(*H5P_CLS_DATASET_ACCESS), H5Pclose)?;
        ok(H5Pset_chunk_cache(access.0, 12_421, bytes, 1.0))?;
        Ok(access)
    }
}

/// A dataset, and the space that selections in it are made in.
#[derive(Debug)]
pub struct Data {
    pub id: Id,
    pub space: Id,
    max: Vec<hsize_t>,
}

impl Data {
    /// A dataset that grows along its first axis.
    pub fn create(
        file: &Id,
        name: &str,
        datatype: hid_t,
        row: &[hsize_t],
        create: &Id,
        access: &Id,
    ) -> Result<Self> {
        let dims: Vec<hsize_t> = std::iter::once(0).chain(row.iter().copied()).collect();
        let max: Vec<hsize_t> = std::iter::once(H5S_UNLIMITED)
            .chain(row.iter().copied())
            .collect();
        let name = CString::new(name)?;
        unsafe {
            let space = id(
                H5Screate_simple(dims.len() as i32, dims.as_ptr(), max.as_ptr()),
                H5Sclose,
            )?;
            let data = H5Dcreate2(
                file.0,
                name.as_ptr(),
                datatype,
                space.0,
                DEFAULT,
                create.0,
                access.0,
            );
            Ok(Self {
                id: id(data, H5Dclose)?,
                space,
                max,
            })
        }
    }

    /// A dataset of a fixed shape.
    pub fn fixed(
        file: &Id,
        name: &str,
        datatype: hid_t,
        dims: &[hsize_t],
        create: &Id,
        access: &Id,
    ) -> Result<Self> {
        let (name, space) = (CString::new(name)?, space(dims)?);
        let data = unsafe {
            H5Dcreate2(
                file.0,
                name.as_ptr(),
                datatype,
                space.0,
                DEFAULT,
                create.0,
                access.0,
            )
        };
        Ok(Self {
            id: id(data, H5Dclose)?,
            space,
            max: dims.to_vec(),
        })
    }

    /// An existing one, whose shape is known.
    pub fn open(file: &Id, name: &str, dims: &[hsize_t], grows: bool, access: &Id) -> Result<Self> {
        let name = CString::new(name)?;
        let mut max = dims.to_vec();
        if grows {
            max[0] = H5S_UNLIMITED;
        }
        unsafe {
            let data = id(H5Dopen2(file.0, name.as_ptr(), access.0), H5Dclose)?;
            let space = id(
                H5Screate_simple(dims.len() as i32, dims.as_ptr(), max.as_ptr()),
                H5Sclose,
            )?;
            Ok(Self {
                id: data,
                space,
                max,
            })
        }
    }

    fn dims<const N: usize>(&self, rows: hsize_t) -> [hsize_t; N] {
        std::array::from_fn(|axis| if axis == 0 { rows } else { self.max[axis] })
    }

    /// Grows to so many rows, and the space with it.
    pub fn extend<const N: usize>(&self, rows: hsize_t) -> Result<()> {
        let dims: [hsize_t; N] = self.dims(rows);
        unsafe {
            ok(H5Dset_extent(self.id.0, dims.as_ptr()))?;
            ok(H5Sset_extent_simple(
                self.space.0,
                N as i32,
                dims.as_ptr(),
                self.max.as_ptr(),
            ))
        }
    }

    /// Selects a box in the space.
    pub fn select<const N: usize>(&self, start: [hsize_t; N], count: [hsize_t; N]) -> Result<()> {
        let set = H5S_seloper_t::H5S_SELECT_SET;
        unsafe {
            ok(H5Sselect_hyperslab(
                self.space.0,
                set,
                start.as_ptr(),
                ptr::null(),
                count.as_ptr(),
                ptr::null(),
            ))
        }
    }

    /// Appends `count` rows from `first` on: extent, selection, write.
    pub fn append<const N: usize, T>(
        &self,
        datatype: hid_t,
        memory: &Id,
        first: usize,
        count: usize,
        values: &[T],
    ) -> Result<()> {
        let (first, count) = (first as hsize_t, count as hsize_t);
        self.extend::<N>(first + count)?;
        let start: [hsize_t; N] = std::array::from_fn(|axis| if axis == 0 { first } else { 0 });
        self.select(start, self.dims::<N>(count))?;
        self.write(datatype, memory, values)
    }

    /// Writes what is selected.
    pub fn write<T>(&self, datatype: hid_t, memory: &Id, values: &[T]) -> Result<()> {
        let values = values.as_ptr().cast::<c_void>();
        unsafe {
            ok(H5Dwrite(
                self.id.0,
                datatype,
                memory.0,
                self.space.0,
                DEFAULT,
                values,
            ))
        }
    }

    /// Writes the bytes of a whole chunk as they are, past pipeline and cache.
    pub fn write_chunk<const N: usize, T>(&self, offset: [hsize_t; N], values: &[T]) -> Result<()> {
        let (bytes, values) = (
            std::mem::size_of_val(values),
            values.as_ptr().cast::<c_void>(),
        );
        unsafe {
            ok(H5Dwrite_chunk(
                self.id.0,
                DEFAULT,
                0,
                offset.as_ptr(),
                bytes,
                values,
            ))
        }
    }

    /// Reads what is selected; `values` points at room for it.
    pub fn read<T>(&self, datatype: hid_t, memory: &Id, values: *mut T) -> Result<()> {
        unsafe {
            ok(H5Dread(
                self.id.0,
                datatype,
                memory.0,
                self.space.0,
                DEFAULT,
                values.cast::<c_void>(),
            ))
        }
    }

    pub fn attribute<T>(&self, name: &CStr, datatype: hid_t, scalar: &Id, value: &T) -> Result<()> {
        set_attribute(&self.id, name, datatype, scalar, value)
    }
}

/// A dataset of the space, with the default access.
pub fn create_dataset(
    parent: hid_t,
    name: &CStr,
    datatype: hid_t,
    space: &Id,
    create: &Id,
) -> Result<Id> {
    unsafe {
        id(
            H5Dcreate2(
                parent,
                name.as_ptr(),
                datatype,
                space.0,
                DEFAULT,
                create.0,
                DEFAULT,
            ),
            H5Dclose,
        )
    }
}

/// Writes the whole of a dataset.
pub fn write_all<T>(data: &Id, datatype: hid_t, value: &T) -> Result<()> {
    let value = ptr::from_ref(value).cast::<c_void>();
    unsafe { ok(H5Dwrite(data.0, datatype, H5S_ALL, H5S_ALL, DEFAULT, value)) }
}

/// A scalar attribute.
pub fn set_attribute<T>(
    object: &Id,
    name: &CStr,
    datatype: hid_t,
    scalar: &Id,
    value: &T,
) -> Result<()> {
    unsafe {
        let made = H5Acreate2(
            object.0,
            name.as_ptr(),
            datatype,
            scalar.0,
            DEFAULT,
            DEFAULT,
        );
        let attribute = id(made, H5Aclose)?;
        ok(H5Awrite(
            attribute.0,
            datatype,
            ptr::from_ref(value).cast::<c_void>(),
        ))
    }
}

fn layout(layout: H5D_layout_t) -> Result<Id> {
    unsafe {
        let create = id(H5Pcreate(*H5P_CLS_DATASET_CREATE), H5Pclose)?;
        ok(H5Pset_layout(create.0, layout))?;
        ok(H5Pset_obj_track_times(create.0, 0))?;
        Ok(create)
    }
}

pub fn compact() -> Result<Id> {
    layout(H5D_layout_t::H5D_COMPACT)
}

pub fn contiguous() -> Result<Id> {
    layout(H5D_layout_t::H5D_CONTIGUOUS)
}

pub fn default_access() -> Result<Id> {
    unsafe { id(H5Pcreate(*H5P_CLS_DATASET_ACCESS), H5Pclose) }
}
