"""usage: raw_edges.py make FOLDER COUNT | made FOLDER COUNT | early FILE | ours FOLDER | h5py FOLDER: files whose chunks at the edge go unfiltered.

Each line of FOLDER/steps is `file resize rows columns` or `file write row rows column columns value`; h5py does them to
the file, or the file has them already; both ways they are done to the model in file.npy and the two compared. `made`
checks new files of ours."""
import ctypes
import glob
import os
import sys

import h5py
import numpy as np

FILL = 7


def library():
    site = os.path.dirname(os.path.dirname(h5py.__file__))
    names = glob.glob(os.path.join(site, 'h5py.libs', 'libhdf5-*')) + glob.glob(os.path.join(site, 'h5py', '.libs', 'libhdf5-*'))
    return ctypes.CDLL(names[0])


def make(folder, count):
    hdf5 = library()
    kinds = [(None, None), (None, 40), (40, None), (40, 40), None]
    for number in range(count):
        shape = (5 + number % 7, 4 + number % 6)
        creation = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        creation.set_chunk((4, 3))
        creation.set_fill_value(np.array(FILL, 'i4'))
        if number % 3 != 1:
            creation.set_deflate(3)
        if number % 3 != 0:
            creation.set_fletcher32()
        assert hdf5.H5Pset_chunk_opts(ctypes.c_int64(creation.id), ctypes.c_uint(2)) >= 0
        kind = kinds[number % len(kinds)]
        extent = shape if kind is None else tuple(h5py.h5s.UNLIMITED if most is None else most for most in kind)
        with h5py.File(os.path.join(folder, f'{number}.h5'), 'w', libver=('v110', 'v110' if number % 2 else 'latest')) as file:
            space = h5py.h5s.create_simple(shape, extent)
            data = h5py.h5d.create(file.id, b'data', h5py.h5t.NATIVE_INT32, space, creation)
            values = np.arange(shape[0] * shape[1], dtype='i4').reshape(shape)
            data.write(h5py.h5s.ALL, h5py.h5s.ALL, values)
        check_made(hdf5, folder, number)


def made(folder, count):
    hdf5 = library()
    for number in range(count):
        check_made(hdf5, folder, number)


def check_made(hdf5, folder, number):
    """Whoever made the file must have left chunks unfiltered, else nothing is tested."""
    shape = (5 + number % 7, 4 + number % 6)
    values = np.arange(shape[0] * shape[1], dtype='i4').reshape(shape)
    np.save(os.path.join(folder, f'{number}.npy'), values)
    with h5py.File(os.path.join(folder, f'{number}.h5')) as file:
        chunks = file['data'].id
        options, creation = ctypes.c_uint(), chunks.get_create_plist()
        assert hdf5.H5Pget_chunk_opts(ctypes.c_int64(creation.id), ctypes.byref(options)) >= 0
        assert options.value == 2, options
        sizes = [chunks.get_chunk_info(at).size for at in range(chunks.get_num_chunks())]
        unfiltered = len(sizes) - (shape[0] // 4) * (shape[1] // 3)
        assert sizes.count(48) == unfiltered, (number, sizes)
        assert np.array_equal(file['data'][()], values)


def run(folder, by_h5py):
    for line in open(os.path.join(folder, 'steps')):
        name, verb, *rest = line.split()
        numbers = [int(x) for x in rest]
        model = np.load(os.path.join(folder, name + '.npy'))
        if by_h5py and verb == 'resize' and model.size:
            # libhdf5 2.0 fails to resize where a chunk at the edge was never written, also in files of its own.
            with h5py.File(os.path.join(folder, name + '.h5'), 'r+') as file:
                file['data'][...] = model
        if verb == 'resize':
            new = np.full(numbers, FILL, 'i4')
            common = tuple(slice(0, min(a, b)) for a, b in zip(model.shape, numbers))
            new[common] = model[common]
            model = new
        else:
            row, rows, column, columns, value = numbers
            model[row:row + rows, column:column + columns] = value
        np.save(os.path.join(folder, name + '.npy'), model)
        if by_h5py:
            with h5py.File(os.path.join(folder, name + '.h5'), 'r+') as file:
                if verb == 'resize':
                    file['data'].resize(numbers)
                else:
                    file['data'][row:row + rows, column:column + columns] = value
    for path in glob.glob(os.path.join(folder, '*.npy')):
        model = np.load(path)
        with h5py.File(path[:-3] + 'h5') as file:
            assert np.array_equal(file['data'][:], model), (path, file['data'][:], model)
        model.tofile(path[:-3] + 'bin')


def early(path):
    """Everything is fill, whatever the extent comes to be."""
    def check(file):
        for name, data in file.items():
            assert (data[()] == FILL).all(), (name, data[()])

    with h5py.File(path, 'r+') as file:
        check(file)
        for data in file.values():
            if data.maxshape[0] is None:
                data.resize(11, 0)
                data.resize(6, 0)
            if data.maxshape[1] is None:
                data.resize(8, 1)
    with h5py.File(path) as file:
        check(file)


if __name__ == '__main__':
    if sys.argv[1] == 'early':
        early(sys.argv[2])
    elif sys.argv[1] == 'make':
        make(sys.argv[2], int(sys.argv[3]))
    elif sys.argv[1] == 'made':
        made(sys.argv[2], int(sys.argv[3]))
    else:
        run(sys.argv[2], sys.argv[1] == 'h5py')
