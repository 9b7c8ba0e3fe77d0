"""usage: rounds.py check FILE DONE | edit FILE ROUND. Rounds of edits that edited.rs makes too: a model of all rounds so
far says what the file must hold; `edit` checks it, then makes one more round with h5py."""
import common
import h5py
import numpy as np

LIST = 60
STRING = h5py.string_dtype()


class Model:
    def __init__(self):
        self.arrays = dict(grow=np.zeros((0, 3)), packed=np.zeros((0, 5), 'i4'), two=np.zeros((0, 0), 'i2'),
                           yoyo=np.zeros(0, 'i4'), down=np.full(30, 9, 'i4'), up=np.full(30, 9, 'i4'),
                           names=np.zeros(0, object), flat=np.zeros(100, 'f4'), fixed=np.zeros((20, 20), 'u1'))
        self.fill = dict(two=7, yoyo=9, down=9, up=9, names='')
        self.attributes, self.dense, self.dense_attributes = {}, {f'member {n}' for n in range(100)}, {}
        self.made, self.links = {}, []
        for n in range(50):
            self.dense_attributes[f'attr {n}'] = float(n)

    def resize(self, name, shape):
        old = self.arrays[name]
        new = np.full(shape, self.fill.get(name, 0), old.dtype)
        both = tuple(slice(0, min(a, b)) for a, b in zip(old.shape, new.shape))
        new[both] = old[both]
        self.arrays[name] = new

    def write(self, name, key, value):
        self.arrays[name][key] = value

    def attribute(self, name, value):
        self.attributes[name] = value

    def drop_attribute(self, name):
        del self.attributes[name]

    def grow_dense(self, k):
        self.dense.add(f'extra {k}')
        self.dense.remove(f'member {k * 3}')
        self.dense_attributes[f'new {k}'] = k + 0.25
        del self.dense_attributes[f'attr {k * 2}']

    def make(self, k):
        self.made[str(k)] = np.arange(10, dtype='i4') * k

    def unmake(self, k):
        del self.made[str(k)]

    def link(self, k):
        self.links.append(f'link {k}')

    def shape(self, name):
        return self.arrays[name].shape


class Editor:
    def __init__(self, file):
        self.file = file

    def resize(self, name, shape):
        self.file[name].resize(shape)

    def write(self, name, key, value):
        self.file[name][key] = value

    def attribute(self, name, value):
        self.file.attrs[name] = value

    def drop_attribute(self, name):
        del self.file.attrs[name]

    def grow_dense(self, k):
        dense = self.file['dense']
        dense.create_group(f'extra {k}')
        del dense[f'member {k * 3}']
        dense.attrs[f'new {k}'] = k + 0.25
        del dense.attrs[f'attr {k * 2}']

    def make(self, k):
        self.file.require_group('made').create_dataset(str(k), data=np.arange(10, dtype='i4') * k, chunks=(4,), maxshape=(None,))

    def unmake(self, k):
        del self.file[f'made/{k}']

    def link(self, k):
        self.file[f'link {k}'] = self.file['grow']

    def shape(self, name):
        return self.file[name].shape


def one_round(on, k):
    rows = on.shape('grow')[0]
    on.resize('grow', (rows + 3 + k, 3))
    on.write('grow', np.s_[rows:], (np.arange(rows * 3, (rows + 3 + k) * 3) + 0.5 * k).reshape(-1, 3))
    rows = on.shape('packed')[0]
    on.resize('packed', (rows + 4, 5))
    on.write('packed', np.s_[rows:], (np.arange(rows * 5, (rows + 4) * 5) + k).reshape(-1, 5))
    on.write('packed', np.s_[k], -k)
    height, width = on.shape('two')
    on.resize('two', (height + 5, width) if k % 2 == 0 else (height, width + 6))
    if k > 0:
        on.write('two', np.s_[0:k + 1, 0], k)
    on.resize('yoyo', (5,))
    on.resize('yoyo', (12 + k,))
    on.write('yoyo', np.s_[10:12], k + 1)
    if k % 2 == 0:
        on.resize('down', (3,))
        on.resize('up', (30,))
        on.write('up', np.s_[20:30], k)
    else:
        on.resize('down', (30,))
        on.write('down', np.s_[20:30], k)
        on.resize('up', (3,))
    count = on.shape('names')[0]
    on.resize('names', (count + 2,))
    on.write('names', np.s_[count], f'näme {k} a')
    on.write('names', np.s_[count + 1], f'näme {k} b')
    on.write('names', np.s_[k], 're' * k)
    on.write('flat', np.s_[k * 10:(k + 1) * 10], k)
    on.write('fixed', np.s_[k:k + 3, 2:9], k)
    on.attribute('round', np.int64(k))
    on.attribute('title', f'títle {k}')
    on.attribute(f'at {k}', np.array([k, k + 1]))
    if k >= 2:
        on.drop_attribute(f'at {k - 2}')
        on.unmake(k - 2)
    on.make(k)
    on.grow_dense(k)
    on.link(k)


def check(file, model):
    for name, expected in model.arrays.items():
        found = file[name]
        assert found.shape == expected.shape, (name, found.shape, expected.shape)
        got = found.asstr()[()] if name == 'names' else found[()]
        assert np.array_equal(got, expected), f'{name}: {got} is not {expected}'
    assert {n: (v.tolist() if isinstance(v, np.ndarray) else v) for n, v in file.attrs.items()} == \
        {n: (v.tolist() if isinstance(v, np.ndarray) else v) for n, v in model.attributes.items()}, dict(file.attrs)
    dense = file['dense']
    assert set(dense) == model.dense and len(dense) == len(model.dense)
    assert dict(dense.attrs) == model.dense_attributes and len(dense.attrs) == len(model.dense_attributes)
    assert set(file.get('made', ())) == set(model.made)
    for name, expected in model.made.items():
        assert np.array_equal(file['made'][name][()], expected), name
    for name in model.links:
        assert file[name] == file['grow']
    assert h5py.h5o.get_info(file['grow'].id).rc == 1 + len(model.links)
    assert set(file) == set(model.arrays) | {'dense'} | ({'made'} if model.made else set()) | set(model.links), set(file)


def run(what, path, number):
    number = int(number)
    model = Model()
    for k in range(number):
        one_round(model, k)
    with h5py.File(path, 'r') as file:
        check(file, model)
    if what == 'edit':
        one_round(model, number)
        with h5py.File(path, 'r+', libver=('v110', 'v110')) as file:
            one_round(Editor(file), number)
        with h5py.File(path, 'r') as file:
            check(file, model)


common.main(run)
