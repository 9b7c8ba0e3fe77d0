"""usage: revised.py FILE: what libhdf5 makes of the revised references that we wrote, and of ours that it writes anew.

h5py does not know them, so that the library itself is asked. A line for each reference of /list and of the attribute
`list` of the root; then the elements of /list are written to /again, by libhdf5."""
import ctypes

import common
import h5py
from raw_edges import library

lib = library()
hid = ctypes.c_int64
for name in ('H5Dopen2', 'H5Aopen', 'H5Dcreate2', 'H5Screate_simple', 'H5Ropen_region', 'H5Ropen_object', 'H5Ropen_attr'):
    getattr(lib, name).restype = hid
for name in ('H5Rget_obj_name', 'H5Rget_attr_name'):
    getattr(lib, name).restype = ctypes.c_ssize_t
lib.H5Sget_select_npoints.restype = ctypes.c_int64


def describe(reference):
    kind = lib.H5Rget_type(reference)
    text = ctypes.create_string_buffer(200)
    if kind not in (2, 3, 4):
        return 'null'
    assert lib.H5Rget_obj_name(reference, hid(0), text, 200) >= 0
    said = text.value.decode()
    if kind == 2:
        opened = lib.H5Ropen_object(reference, hid(0), hid(0))
        assert opened >= 0
        lib.H5Oclose(hid(opened))
        return 'object ' + said
    if kind == 4:
        assert lib.H5Rget_attr_name(reference, text, 200) >= 0
        opened = lib.H5Ropen_attr(reference, hid(0), hid(0))
        assert opened >= 0
        lib.H5Aclose(hid(opened))
        return f'attribute {said} {text.value.decode()}'
    space = lib.H5Ropen_region(reference, hid(0), hid(0))
    assert space >= 0
    corners = [(ctypes.c_uint64 * 32)() for _ in range(2)]
    assert lib.H5Sget_select_bounds(hid(space), *corners) >= 0
    rank = lib.H5Sget_simple_extent_ndims(hid(space))
    points = lib.H5Sget_select_npoints(hid(space))
    lib.H5Sclose(hid(space))
    return f'region {said} {points} {list(corners[0])[:rank]} {list(corners[1])[:rank]}'


def run(path):
    # Where it writes a selection in an earlier version than it has read, it takes it to be as long, and leaves it out.
    with h5py.File(path, 'r+', libver=('v112', 'latest')) as file:
        count = file.attrs['count']
        standard = hid.in_dll(lib, 'H5T_STD_REF_g')
        buffers = []
        for read, opened in (('H5Dread', lib.H5Dopen2(hid(file.id.id), b'list', hid(0))),
                             ('H5Aread', lib.H5Aopen(hid(file.id.id), b'list', hid(0)))):
            assert opened >= 0
            buffer = (ctypes.c_ubyte * 64 * count)()
            if read == 'H5Dread':
                assert lib.H5Dread(hid(opened), standard, hid(0), hid(0), hid(0), buffer) >= 0
                lib.H5Dclose(hid(opened))
            else:
                assert lib.H5Aread(hid(opened), standard, buffer) >= 0
                lib.H5Aclose(hid(opened))
            buffers.append(buffer)
            for number in range(count):
                print(describe(ctypes.byref(buffer, 64 * number)))
        space = lib.H5Screate_simple(1, (ctypes.c_uint64 * 1)(count), None)
        made = lib.H5Dcreate2(hid(file.id.id), b'again', standard, hid(space), hid(0), hid(0), hid(0))
        assert lib.H5Dwrite(hid(made), standard, hid(0), hid(0), hid(0), buffers[0]) >= 0
        lib.H5Dclose(hid(made))
        lib.H5Sclose(hid(space))
        for buffer in buffers:
            for number in range(count):
                lib.H5Rdestroy(ctypes.byref(buffer, 64 * number))


common.main(run)
