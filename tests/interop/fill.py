"""usage: fill.py FOLDER: in every `step N.h5` the values are those listed in `expected`, the elements of stored chunks
beyond the extent are the fill value, and what a stock extend uncovers is too. Rows dropped by a shrink must come back as
fill: the model of the steps says which values must be there. Prints how many chunks it looked at."""
import json
import os
import zlib

import common
import h5py
import numpy as np

CHUNK = (4, 3)


def numbers(rows, columns, first):
    return first + np.arange(rows)[:, None] * 100 + np.arange(columns)


def resized(old, shape, fill):
    new = np.full(shape, fill, 'i4')
    both = tuple(slice(0, min(a, b)) for a, b in zip(old.shape, shape))
    new[both] = old[both]
    return new


def step(values, number, name, fill):
    grows, wide = not name.startswith('fixed'), name.split()[0] in ('two', 'bounded')
    rows, columns = values.shape
    sizes = {1: [(6, columns)], 2: [(15, columns)], 6: [(3, columns), (20, columns), (9, columns)], 7: [(0, columns), (10, columns)]}
    if number == 0 and grows:
        values = np.concatenate([values, numbers(2, columns, 1000)])
    elif number in sizes and grows:
        for shape in sizes[number]:
            values = resized(values, shape, fill)
    elif number in (3, 4) and wide:
        values = resized(values, (rows, 2 if number == 3 else 7), fill)
    elif number == 5:
        values[rows - 2:, 1:4] = numbers(2, 3, 2000)[:, :values.shape[1] - 1]
    elif number == 8:
        values[5:6, 0:2] = numbers(1, 2, 3000)
    return values


def model(name):
    """The values after each step."""
    fill = int(name.split()[2])
    values = np.full((11, 5), fill, 'i4')
    values[:, :4] = numbers(11, 4, 1)
    yield values
    for number in range(9):
        values = step(values.copy(), number, name, fill)
        yield values


def raw_chunk(dataset, offset):
    mask, data = dataset.id.read_direct_chunk(offset)
    properties = dataset.id.get_create_plist()
    filters = [properties.get_filter(n)[0] for n in range(properties.get_nfilters())]
    for number in reversed(range(len(filters))):
        if mask >> number & 1:
            continue
        if filters[number] == h5py.h5z.FILTER_FLETCHER32:
            data = data[:-4]
        elif filters[number] == h5py.h5z.FILTER_DEFLATE:
            data = zlib.decompress(data)
        elif filters[number] == h5py.h5z.FILTER_SHUFFLE:
            data = np.frombuffer(data, 'u1').reshape(4, -1).T.tobytes()
    return np.frombuffer(data, '<i4').reshape(CHUNK)


def check_chunks(dataset, expected, where):
    count = dataset.id.get_num_chunks()
    for number in range(count):
        offset = dataset.id.get_chunk_info(number).chunk_offset
        stored = raw_chunk(dataset, offset)
        want = np.full(CHUNK, dataset.fillvalue, 'i4')
        inside = expected[offset[0]:offset[0] + CHUNK[0], offset[1]:offset[1] + CHUNK[1]]
        want[:inside.shape[0], :inside.shape[1]] = inside
        assert np.array_equal(stored, want), f'{where} chunk {offset}:\n{stored}\nis not\n{want}'
    return count


def run(folder):
    listed = {}
    for line in open(os.path.join(folder, 'expected'), encoding='utf8'):
        number, name, shape, values = line.rstrip('\n').split('\t')
        listed[int(number), name] = np.array(json.loads(values), 'i4').reshape(json.loads(shape))
    models = {name: list(model(name)) for _, name in listed}
    chunks = 0
    for number in range(10):
        path = os.path.join(folder, f'step {number}.h5')
        with h5py.File(path, 'r+') as file:
            for name, dataset in file.items():
                expected = models[name][number]
                where = f'step {number}: {name}'
                assert np.array_equal(dataset[()], expected), f'{where}:\n{dataset[()]}\nis not\n{expected}'
                assert np.array_equal(listed[number, name], expected), f'{where}: h5quill reads other values'
                chunks += check_chunks(dataset, expected, where)
                room = [old if limit is not None and limit < old + 5 else old + 5
                        for old, limit in zip(dataset.shape, dataset.maxshape)]
                dataset.resize(room)
                assert np.array_equal(dataset[()], resized(expected, room, dataset.fillvalue)), f'{where}: after a stock extend'
    print(chunks)


common.main(run)
