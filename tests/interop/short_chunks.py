"""usage: short_chunks.py make FILE LIBVER | check FILE: chunks at the edge that hold only what the extent has of them.

`make` prints which datasets it could make; `check` finds what short_chunks.rs did to them."""
import sys
import zlib

import h5py
import numpy as np

FILL = 7


def values(shape):
    return np.arange(np.prod(shape), dtype='<i4').reshape(shape)


def make(path, libver):
    with h5py.File(path, 'w', libver=libver) as file:
        for rank, shape, chunk in ((1, (15,), (10,)), (2, (5, 6), (4, 4))):
            for filtered in (True, False):
                # Only the old index keeps the sizes of chunks without filters.
                if not filtered and libver != 'earliest':
                    continue
                name = f"{'packed' if filtered else 'plain'} {rank}"
                data = file.create_dataset(name, shape, '<i4', chunks=chunk, maxshape=(None,) * rank, fillvalue=FILL,
                                           **({'compression': 'gzip'} if filtered else {}))
                whole = np.full(tuple(-(-n // c) * c for n, c in zip(shape, chunk)), -1, '<i4')
                whole[tuple(map(slice, shape))] = values(shape)
                for at in np.ndindex(*(n // c for n, c in zip(whole.shape, chunk))):
                    start = tuple(a * c for a, c in zip(at, chunk))
                    block = whole[tuple(slice(s, s + c) for s, c in zip(start, chunk))]
                    last = np.ravel_multi_index([min(c, n - s) - 1 for c, n, s in zip(chunk, shape, start)], chunk)
                    stored = block.tobytes()[:4 * (last + 1)]
                    data.id.write_direct_chunk(start, zlib.compress(stored) if filtered else stored)
    with h5py.File(path) as file:
        for name, data in file.items():
            assert np.array_equal(data[()], values(data.shape)), name
            print(name)


def check(path):
    with h5py.File(path) as file:
        for name, data in file.items():
            if name.endswith(' copy'):
                assert np.array_equal(data[()], values(data.shape)), name
            elif name.endswith('1'):
                expected = np.concatenate([values((15,)), [FILL] * 2, [100, 101], [FILL] * 6])
                expected[12] = -5
                assert np.array_equal(data[()], expected), (name, data[()])
            else:
                expected = np.full((9, 9), FILL)
                expected[:5, :6] = values((5, 6))
                expected[4, 5] = -5
                assert np.array_equal(data[()], expected), (name, data[()])


if __name__ == '__main__':
    if sys.argv[1] == 'make':
        make(sys.argv[2], sys.argv[3])
    else:
        check(sys.argv[2])
