"""usage: foreign.py make FILE LOW HIGH | check FILE. Files of libhdf5 with every structure that can be edited, and what
they hold after `edit_all` of foreign.rs."""
import common
import h5py
import numpy as np

FIXED = {'fixed': (40, 30), 'fixed filtered': (40, 30), 'fixed paged': (90, 60), 'implicit': (40, 30), 'single': (40, 30),
         'single filtered': (40, 30), 'contiguous': (40, 30), 'compact': (10, 12)}
GROWING = {'extensible': (50, 10), 'extensible filtered': (50, 10), 'extensible paged': (3000, 4), 'btree': (30, 20),
           'btree filtered': (30, 20), 'btree deep': (60, 60)}
GROUPS = ['few', 'many', 'ordered', 'ordered many', 'old times']
STRING = h5py.string_dtype()


def arrays():
    out = {}
    for seed, (name, shape) in enumerate((FIXED | GROWING).items()):
        out[name] = (np.arange(np.prod(shape)) * 7 + seed).reshape(shape).astype('i4')
    for name in ('shrunk', 'shrunk filtered'):
        out[name] = np.arange(300, dtype='i4').reshape(30, 10)
    out['strings'] = np.array(['a', 'ä' * 50, '', '😀', 'x' * 3000], object)
    out['fixed strings'] = np.array([b'one', b'two22'], 'S5')
    out['bool'] = np.array([True, False, True])
    out['scalar'] = np.float64(1.25)
    out['attributes'] = np.arange(3)
    out['big'] = np.arange(20, dtype='>f8')
    out['compound'] = np.array([(1, 2.5), (3, 4.5)], [('a', 'i4'), ('b', 'f8')])
    return out


def members(name):
    return 60 if 'many' in name else 4


def attribute_count(name):
    return 30 if 'many' in name else 4


def make(path, low, high):
    values = arrays()
    with h5py.File(path, 'w', libver=(low, high)) as file:
        def put(name, chunks=None, maxshape=None, **more):
            file.create_dataset(name, data=values[name], chunks=chunks, maxshape=maxshape, **more)
        put('fixed', (7, 8))
        put('fixed filtered', (7, 8), compression=4, shuffle=True)
        put('fixed paged', (2, 2))
        plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        plist.set_chunk((7, 8))
        plist.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
        low_level = h5py.h5d.create(file.id, b'implicit', h5py.h5t.STD_I32LE, h5py.h5s.create_simple((40, 30)), plist)
        h5py.Dataset(low_level)[...] = values['implicit']
        put('single', (40, 30))
        put('single filtered', (40, 30), compression=1, fletcher32=True)
        put('contiguous')
        plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        plist.set_layout(h5py.h5d.COMPACT)
        low_level = h5py.h5d.create(file.id, b'compact', h5py.h5t.STD_I32LE, h5py.h5s.create_simple((10, 12)), plist)
        h5py.Dataset(low_level)[...] = values['compact']
        put('extensible', (4, 3), (None, 10))
        put('extensible filtered', (4, 3), (None, 10), compression=4, shuffle=True, fletcher32=True)
        put('extensible paged', (1, 4), (None, 4))
        put('btree', (4, 3), (None, None))
        put('btree filtered', (4, 3), (None, None), compression=6)
        put('btree deep', (1, 1), (None, None))
        put('shrunk', (4, 3), (None, 10), fillvalue=11)
        put('shrunk filtered', (4, 3), (None, None), fillvalue=11, compression=1)
        file.create_dataset('strings', data=values['strings'], dtype=STRING, maxshape=(None,), chunks=(2,))
        put('fixed strings', (2,), (None,))
        for name in ('bool', 'scalar', 'attributes', 'big', 'compound'):
            put(name)
        for number in range(20):
            file['attributes'].attrs[f'attr {number}'] = number
        file.create_dataset('doomed', data=np.arange(10_000), chunks=(100,), maxshape=(None,))
        for name in GROUPS:
            group = file.create_group(name, track_order=name.startswith('ordered') or None)
            for number in range(members(name)):
                group.create_dataset(f'member {number}', data=[number], track_times=name == 'old times')
            for number in range(attribute_count(name)):
                group.attrs[f'attr {number}'] = number
        file['few'].attrs['text'] = ['ä', 'b']
        file['many/soft'] = h5py.SoftLink('/btree')
        file.attrs['title'] = 'thé file'


def edited():
    values = arrays()
    for name in FIXED:
        values[name][1:4, 2:7] = -1
    for name in GROWING:
        rows, columns = values[name].shape
        values[name] = np.concatenate([values[name], np.arange(7 * columns, dtype='i4').reshape(7, columns)])
        values[name][rows // 2] = -2
        if name.startswith('btree'):
            values[name] = np.concatenate([values[name], np.full((rows + 7, 3), -3, 'i4')], 1)
    for name in ('shrunk', 'shrunk filtered'):
        values[name][3:] = 11
    values['strings'] = np.concatenate([values['strings'], np.array(['naïve', ''], object)])
    values['strings'][0] = 'rewritten'
    values['fixed strings'] = np.append(values['fixed strings'], [b'end'])
    values['bool'][1] = True
    values['scalar'] = np.float64(2.5)
    return values


def check(path):
    with h5py.File(path, 'r') as file:
        for name, expected in edited().items():
            found = file[name].asstr()[()] if name == 'strings' else file[name][()]
            assert np.array_equal(found, expected), f'{name}: {found} is not {expected}'
            assert name == 'scalar' or found.dtype == expected.dtype
        for name in GROUPS:
            group = file[name]
            expected = {f'member {n}' for n in range(members(name)) if n != 1} | {'ours', 'our data'}
            expected |= {'linked'} if name == 'few' else {'soft'} if name == 'many' else set()
            assert set(group) == expected and len(group) == len(expected), name
            for number in range(members(name)):
                assert number == 1 or group[f'member {number}'][0] == number
            if name.startswith('ordered'):
                assert list(group)[-2:] == ['ours', 'our data'] and list(group)[0] == 'member 0', list(group)
            attributes = {f'attr {n}': n for n in range(attribute_count(name)) if n != 1}
            attributes |= {'ours': 7, 'attr 0': 'replaced'}
            found = {key: value for key, value in group.attrs.items() if key != 'text'}
            assert found == attributes, (name, found)
            assert len(group.attrs) == len(attributes) + (name == 'few')
            assert list(group['our data']) == [1, 2, 3, 4]
        assert file['few'].attrs['text'].tolist() == ['ä', 'b']
        assert file['few/linked'] == file['btree'] == file['many/soft']
        assert file['btree'].attrs['ours'].tolist() == [1.5, 2.5]
        assert dict(file['attributes'].attrs) == {f'attr {n}': 55 if n == 5 else n for n in range(20) if n != 3}
        assert 'doomed' not in file
        assert file.attrs['title'] == 'thé file'
    # libhdf5 goes on where we stopped.
    with h5py.File(path, 'r+') as file:
        for name in GROWING:
            old = file[name][()]
            file[name].resize(old.shape[0] + 9, 0)
            assert not file[name][old.shape[0]:].any(), f'{name}: what a stock extend uncovers is not fill'
            file[name][-1] = 5
            assert np.array_equal(file[name][:old.shape[0]], old)
        for name in ('shrunk', 'shrunk filtered'):
            file[name].resize(40, 0)
            assert (file[name][3:] == 11).all(), name
        for name in GROUPS:
            for number in range(40):
                file[name].create_group(f'theirs {number}')
                file[name].attrs[f'theirs {number}'] = number
            for number in range(2, members(name)):
                del file[name][f'member {number}']
    with h5py.File(path, 'r') as file:
        for name in GROUPS:
            assert {f'theirs {n}' for n in range(40)} <= set(file[name])


def run(what, *arguments):
    (make if what == 'make' else check)(*arguments)


common.main(run)
