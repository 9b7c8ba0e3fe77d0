"""usage: reuse.py make FILE OPTIONS | free FILE BYTES | turn FILE ROUND. Free space that the file keeps. `make` writes a file of the strategy "strategy
persist threshold page_size libver" with space that is free in it; `free` says how many bytes are, and in which sections where ctypes
finds the library, and that they are at least BYTES; `turn` replaces what the round is for, as reuse.rs does."""
import ctypes
import glob
import os

import common
import h5py
import numpy as np

NAMES = 8


def values(name, number):
    return np.arange(700 + 90 * name, dtype='i4') + 1000 * number


def make(path, options):
    strategy, persist, threshold, page_size, libver = options.split()
    space = dict(fs_strategy=strategy, fs_persist=persist == '1', fs_threshold=int(threshold))
    if strategy == 'page':
        space.update(fs_page_size=int(page_size))
    with h5py.File(path, 'w', libver=libver, **space) as file:
        for name in range(NAMES):
            file[f'flat {name}'] = values(name, 0)
        file.create_dataset('packed', data=np.arange(4000) % 50, chunks=(500,), maxshape=(None,), compression=4)
    with h5py.File(path, 'r+', libver=libver) as file:
        file['gone'] = np.arange(5000)
        file['last'] = np.arange(3000)
    with h5py.File(path, 'r+', libver=libver) as file:
        del file['gone']


def sections(file):
    """What H5Fget_free_sections says."""
    library = glob.glob(os.path.join(os.path.dirname(os.path.dirname(h5py.__file__)), 'h5py.libs', 'libhdf5-*.so*'))
    if not library:
        return None
    get = ctypes.CDLL(library[0]).H5Fget_free_sections
    get.restype = ctypes.c_ssize_t
    get.argtypes = [ctypes.c_int64, ctypes.c_int, ctypes.c_size_t, ctypes.c_void_p]
    count = get(file.id.id, 0, 0, None)
    found = np.zeros((max(count, 1), 2), 'u8')
    assert get(file.id.id, 0, count, found.ctypes.data) == count
    return found[:count]


def free(path, least):
    with h5py.File(path, 'r') as file:
        said = file.id.get_freespace()
        assert said >= int(least), said
        found = sections(file)
        if found is not None:
            assert found[:, 1].sum() == said, (found, said)
            ends = found.sum(axis=1)
            assert len(ends) == 0 or ends.max() <= os.path.getsize(path), ends
            ordered = found[found[:, 0].argsort()]
            assert (ordered[:-1].sum(axis=1) <= ordered[1:, 0]).all(), ordered
        print(said)


def turn(path, number):
    number = int(number)
    with h5py.File(path, 'r+') as file:
        for name in range(NAMES):
            assert np.isin(file[f'flat {name}'][0] // 1000, (number - 1, number - 2, 0))
            before = file[f'flat {name}'][()]
            assert np.array_equal(before, values(name, before[0] // 1000)), name
        for name in range(number % 2, NAMES, 2):
            del file[f'flat {name}']
            file[f'flat {name}'] = values(name, number)
        packed = file['packed']
        packed.resize((2000,))
        packed.resize((4000,))
        packed[2000:] = np.arange(2000) % (50 + number)
        file.attrs['row'] = np.arange(1 + number * 7 % 40)
        if 'group' in file:
            del file['group']
        else:
            group = file.create_group('group')
            for name in range(20):
                group[f'{name}'] = name


def run(what, path, argument):
    dict(make=make, free=free, turn=turn)[what](path, argument)


common.main(run)
