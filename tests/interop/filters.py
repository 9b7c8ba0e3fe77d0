"""usage: filters.py write FILE | change FILE ROUND: every filter of h5py, and of hdf5plugin where that is installed.

`filtered/NAME` and `plain/NAME` hold the same values. `change` compares them, then changes both in the same way. Prints
the number of datasets."""
import sys

import h5py
import numpy as np
from h5py import h5z

try:
    import hdf5plugin
except ImportError:
    hdf5plugin = None

ROWS, COLUMNS = 70, 23


def own(kind):
    yield 'deflate', dict(shuffle=True, compression='gzip')
    yield 'fletcher32', dict(fletcher32=True)
    yield 'lzf', dict(compression='lzf')
    yield 'shuffle lzf', dict(shuffle=True, compression='lzf')
    yield 'lzf fletcher32', dict(compression='lzf', fletcher32=True)
    for coding in 'ec', 'nn':
        for pixels in 4, 16, 32:
            yield f'szip {coding} {pixels}', dict(compression='szip', compression_opts=(coding, pixels))
    if kind in 'iu':
        yield 'scaleoffset', dict(scaleoffset=0)
        yield 'scaleoffset fill', dict(scaleoffset=0, fillvalue=4)
        yield 'scaleoffset 5', dict(scaleoffset=5)
    else:
        yield 'scaleoffset 2', dict(scaleoffset=2)
        yield 'scaleoffset 0', dict(scaleoffset=0, fillvalue=3)


def plugins():
    yield 'lz4', hdf5plugin.LZ4()
    yield 'lz4 blocks', hdf5plugin.LZ4(nbytes=1024)
    for level in 1, 19:
        yield f'zstd {level}', hdf5plugin.Zstd(clevel=level)
    for cname in 'none', 'lz4', 'zstd':
        yield f'bitshuffle {cname}', hdf5plugin.Bitshuffle(cname=cname)
    yield 'bitshuffle 64', hdf5plugin.Bitshuffle(nelems=64, cname='lz4')
    yield 'bzip2', hdf5plugin.BZip2()
    for cname in 'blosclz', 'lz4', 'lz4hc', 'snappy', 'zlib', 'zstd':
        for shuffle in range(3):
            yield f'blosc {cname} {shuffle}', hdf5plugin.Blosc(cname=cname, clevel=6, shuffle=shuffle)
    for cname in 'blosclz', 'lz4', 'lz4hc', 'zlib', 'zstd':
        for filters in hdf5plugin.Blosc2.NOFILTER, hdf5plugin.Blosc2.SHUFFLE, hdf5plugin.Blosc2.BITSHUFFLE:
            yield f'blosc2 {cname} {filters}', hdf5plugin.Blosc2(cname=cname, clevel=6, filters=filters)


def values(dtype, kind, random):
    if kind == 0:
        return np.full((ROWS, COLUMNS), 3, dtype)
    if kind == 1:
        return (np.arange(ROWS * COLUMNS).reshape(ROWS, COLUMNS) // 5 % 100 + random.integers(0, 3, (ROWS, COLUMNS))).astype(dtype)
    if np.dtype(dtype).kind == 'f':
        return random.normal(size=(ROWS, COLUMNS)).astype(dtype)
    limits = np.iinfo(dtype)
    return random.integers(limits.min, limits.max, (ROWS, COLUMNS), endpoint=True, dtype=np.dtype(dtype).newbyteorder('=')).astype(dtype)


def write(path):
    random, count = np.random.default_rng(5), 0
    with h5py.File(path, 'w') as file:
        for dtype in 'u1', '<i2', '>i4', '<i8', '<f4', '>f8':
            filters = list(own(np.dtype(dtype).kind))
            if hdf5plugin is not None:
                filters += [(name, dict(compression=filter)) for name, filter in plugins()]
            for name, options in filters:
                for kind in range(3):
                    data, name_of = values(dtype, kind, random), f'{dtype} {kind} {name}'
                    filtered = file.create_dataset(f'filtered/{name_of}', data=data, chunks=(16, COLUMNS), maxshape=(None, COLUMNS), **options)
                    filtered.flush()
                    filtered.id.close()
                    count += 1
    with h5py.File(path, 'a') as file:
        for name, filtered in file['filtered'].items():
            # What a filter loses is lost for both.
            file.create_dataset(f'plain/{name}', data=filtered[...])
    print(count)


def change(path, turn):
    random, count = np.random.default_rng(100 + turn), 0
    with h5py.File(path, 'r+') as file:
        for name, filtered in file['filtered'].items():
            plain = file[f'plain/{name}']
            old = filtered[...]
            np.testing.assert_array_equal(old.view('V%d' % old.dtype.itemsize), plain[...].view('V%d' % old.dtype.itemsize), err_msg=name)
            rows = filtered.shape[0]
            for data in filtered, plain:
                data[2:6 + turn] = old[20:24 + turn]
                data[32:48] = old[0:16]
                data.resize(rows + 11, axis=0)
                data[rows - 1:rows + 8] = old[5:14]
            count += 1
    with h5py.File(path, 'r') as file:
        for name, filtered in file['filtered'].items():
            new = filtered[...]
            np.testing.assert_array_equal(new.view('V%d' % new.dtype.itemsize), file[f'plain/{name}'][...].view('V%d' % new.dtype.itemsize), err_msg=name)
    print(count)


if __name__ == '__main__':
    if sys.argv[1] == 'write':
        write(sys.argv[2])
    else:
        change(sys.argv[2], int(sys.argv[3]))
