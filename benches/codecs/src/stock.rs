//! Stock zlib, as libhdf5 calls it: a new stream for each chunk.

use libz_sys::{compress2, compressBound, uLong, uncompress};

pub fn deflate(level: u8) -> crate::Encode {
    Box::new(move |input, output| {
        // SAFETY: the lengths are those of the slices, the bound is zlib's own.
        unsafe {
            let mut len = compressBound(input.len() as uLong);
            output.resize(len as usize, 0);
            let status = compress2(
                output.as_mut_ptr(),
                &mut len,
                input.as_ptr(),
                input.len() as uLong,
                level.into(),
            );
            assert_eq!(status, libz_sys::Z_OK);
            output.truncate(len as usize);
        }
    })
}

pub fn inflate(stored: &[u8], len: usize) -> Vec<u8> {
    let mut output = vec![0; len];
    let mut got = len as uLong;
    // SAFETY: the lengths are those of the slices.
    let status = unsafe {
        uncompress(
            output.as_mut_ptr(),
            &mut got,
            stored.as_ptr(),
            stored.len() as uLong,
        )
    };
    assert_eq!((status, got as usize), (libz_sys::Z_OK, len));
    output
}
