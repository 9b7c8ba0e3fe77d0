"""Does with h5py what tests/two_way.rs asks for: each request is a length and lines of operations, words parted by tabs;
each answer a length and "ok" with everything that the file then holds, a line each, or what went wrong.

    start FILE OPTIONS     makes a file
    turn FILE OPTIONS      opens it for the operations that follow
    list FILE              only looks at it
"""
import json
import struct
import sys
import zlib

import h5py
import numpy as np
from h5py import h5a, h5d, h5f, h5g, h5o, h5p, h5s, h5t

STRING = h5py.string_dtype()
COMPOUND = np.dtype([('a', '<i4'), ('b', '>f8'), ('c', 'S5')])
ENUM = h5py.enum_dtype({'A': 0, 'B': 1, 'C': 2}, 'u1')
KINDS = [np.dtype(name) for name in ('u2', 'i4', 'f8', 'f16', '?')] + [
    np.dtype(('<i2', (3,))), np.dtype('S9'), STRING, COMPOUND, ENUM]


def text(seed):
    if seed == 0:
        return ''
    if seed % 97 == 0:
        return 'é' * (seed % 5000)
    return 'é' + 'x' * (seed % 40) + str(seed)


def values(kind, seeds):
    """The values of seeds (an array of uint32), as tests/model/state.rs makes them."""
    seeds = seeds.astype('<u4')
    if kind == 0:
        return (seeds & 0xFFFF).astype('<u2')
    if kind == 1:
        return -(seeds & 0xFFFFFF).astype('<i4')
    if kind in (2, 3):
        return seeds.astype('<f8') / 8
    if kind == 4:
        return seeds % 2 == 1
    if kind == 5:
        return np.stack([seeds.astype('<i2'), -(seeds.astype('<i2') & 0xFF), (seeds // 3).astype('<i2')], -1)
    flat = [int(seed) for seed in seeds.ravel()]
    if kind == 6:
        return np.array([str(seed)[:9].encode() if seed else b'' for seed in flat], 'S9').reshape(seeds.shape)
    if kind == 7:
        return np.array([text(seed) for seed in flat], object).reshape(seeds.shape)
    if kind == 8:
        out = np.zeros(seeds.shape, COMPOUND)
        out['a'], out['b'] = seeds.astype('<i4'), seeds / 8
        out['c'] = np.array([b'%05d' % (seed % 100000) if seed else b'' for seed in flat], 'S5').reshape(seeds.shape)
        return out
    return (seeds % 3).astype('u1')


class Turn:
    def __init__(self, path, options):
        self.path, self.options = path, json.loads(options)
        self.open()

    def open(self):
        options = dict(self.options)
        if isinstance(options.get('libver'), list):
            options['libver'] = tuple(options['libver'])
        self.file = h5py.File(self.path, 'r+', **options)

    def reopen(self):
        self.file.close()
        self.open()

    def flush(self):
        self.file.flush()

    def group(self, path, tracked):
        self.file.create_group(path, track_order=tracked == '1')

    def dataset(self, path, kind, big, dims, maximum, chunk, shuffle, deflate, fletcher, fill, early, layout):
        kind, dims, maximum, chunk = int(kind), json.loads(dims), json.loads(maximum), json.loads(chunk)
        dtype = KINDS[kind]
        if big == '1' and kind < 6:
            dtype = np.dtype((dtype.base.newbyteorder('>'), dtype.shape)) if dtype.shape else dtype.newbyteorder('>')
        properties = h5p.create(h5p.DATASET_CREATE)
        if chunk:
            properties.set_chunk(tuple(chunk))
        if shuffle == '1':
            properties.set_shuffle()
        if deflate != 'null':
            properties.set_deflate(int(deflate))
        if fletcher == '1':
            properties.set_fletcher32()
        if fill != '0':
            properties.set_fill_value(values(kind, np.array([int(fill)])))
        if early == '1':
            properties.set_alloc_time(h5d.ALLOC_TIME_EARLY)
        if early == '1' or not chunk:
            # Otherwise libhdf5 shows what happened to be in the file where no fill value was given.
            properties.set_fill_time(h5d.FILL_TIME_ALLOC)
        if layout == '1':
            properties.set_layout(h5d.COMPACT)
        if dims:
            space = h5s.create_simple(tuple(dims), tuple(h5s.UNLIMITED if m is None else m for m in maximum))
        else:
            space = h5s.create(h5s.SCALAR)
        links = h5p.create(h5p.LINK_CREATE)
        links.set_create_intermediate_group(False)
        links.set_char_encoding(h5t.CSET_UTF8)
        h5d.create(self.file.id, path.encode(), h5t.py_create(dtype, logical=True), space, properties, links)

    def resize(self, path, dims):
        self.file[path].resize(json.loads(dims))

    def write(self, path, kind, part, shape, first):
        part, shape = json.loads(part), json.loads(shape)
        seeds = (int(first) + np.arange(int(np.prod(shape, dtype=int)), dtype='u4')).reshape(shape)
        data = values(int(kind), seeds)
        if part and 0 in shape:
            return
        key = tuple(slice(*axis) for axis in part)
        self.file[path][key] = data if part else data[()]

    def attr(self, path, name, kind, value=''):
        attributes = self.file[path].attrs
        if kind == 'number':
            attributes[name] = np.int64(int(value))
        elif kind == 'real':
            attributes[name] = np.float64(value)
        elif kind == 'flag':
            attributes[name] = np.bool_(value == '1')
        elif kind == 'text':
            attributes[name] = value
        elif kind == 'texts':
            attributes[name] = value.split('\x01')
        else:
            attributes[name] = np.array(json.loads(value), '<f8')

    def delattr(self, path, name):
        del self.file[path].attrs[name]

    def renameattr(self, path, old, new):
        h5a.rename(self.file[path].id, old.encode(), new.encode())

    def hard(self, target, path):
        self.file[path] = self.file[target]

    def soft(self, target, path):
        self.file[path] = h5py.SoftLink(target)

    def unlink(self, path):
        del self.file[path]

    def move(self, old, new):
        self.file.move(old, new)

    def copy(self, old, new):
        self.file.copy(old, self.file, name=new)

    def extra(self, path, kind):
        file = self.file
        if kind == 'type':
            file[path] = np.dtype([('x', '<f4'), ('y', '>i2')])
        elif kind == 'typed':
            file[path + ' type'] = np.dtype('<i4')
            file.create_dataset(path, (5,), file[path + ' type'], chunks=(2,), maxshape=(None,))[:] = np.arange(5)
            del file[path + ' type']
        elif kind == 'sequences':
            made = file.create_dataset(path, (4,), h5py.vlen_dtype('<i2'), chunks=(2,), maxshape=(None,))
            made[0], made[2] = [1, 2, 3], list(range(50))
        elif kind == 'mixed':
            mixed = np.dtype([('name', STRING), ('n', '<i4')])
            file.create_dataset(path, data=np.array([('é', 1), ('', 2)], mixed))
        elif kind == 'references':
            file.create_dataset(path, data=np.array([file['/'].ref, None], h5py.ref_dtype), dtype=h5py.ref_dtype)
        elif kind == 'virtual':
            layout = h5py.VirtualLayout((10,), '<i4')
            layout[:5] = h5py.VirtualSource('.', '/nowhere', (5,))
            file.create_virtual_dataset(path, layout, fillvalue=-7)
        elif kind == 'lzf':
            file.create_dataset(path, data=np.arange(100, dtype='<i4'), chunks=(30,), compression='lzf', maxshape=(None,))
        else:
            file.create_dataset(path, data=h5py.Empty('<f8'))

    def close(self):
        self.file.close()


def canonical(value):
    if isinstance(value, h5py.Reference):
        return 'reference' if value else 'null'
    if isinstance(value, np.void):
        return '(' + ','.join(canonical(item) for item in value.item()) + ')' if value.dtype.names else repr(value)
    if isinstance(value, np.ndarray):
        return '[' + ','.join(canonical(item) for item in value.ravel()) + ']'
    return repr(value)


def texts(items):
    return b''.join((item if isinstance(item, bytes) else item.encode()) + b'\0' for item in items)


def is_extra(low, stored, dtype):
    if stored.committed() or low.get_space().get_simple_extent_type() == h5s.NULL:
        return True
    if dtype.kind == 'O' and not (stored.get_class() == h5t.STRING):
        return True
    if dtype.names and dtype != COMPOUND:
        return True
    properties = low.get_create_plist()
    if properties.get_layout() == h5d.VIRTUAL:
        return True
    return any(properties.get_filter(number)[0] == h5py.h5z.FILTER_LZF for number in range(properties.get_nfilters()))


def numbers(array):
    if array.dtype.kind in 'OS':
        return texts(array.ravel())
    if array.dtype.names:
        return array.tobytes()
    return array.astype('<f8').tobytes()


def dataset(low):
    stored = low.get_type()
    dtype = low.dtype
    if is_extra(low, stored, dtype):
        item = h5py.Dataset(low)
        said = canonical(item[()]) if item.shape is not None else 'null'
        return 'X', '%s %s %08x' % (dtype, item.shape, zlib.crc32(said.encode()))
    shape = low.shape
    array = np.empty(shape, dtype)
    if dtype.shape:
        array = np.empty(shape + dtype.shape, dtype.base)
    if array.size:
        low.read(h5s.ALL, h5s.ALL, array, mtype=h5t.py_create(dtype) if dtype.shape else None)
    limits = low.get_space().get_simple_extent_dims(True)
    maximum = ' '.join('-' if m == h5s.UNLIMITED else str(m) for m in limits)
    return 'D', '[%s]\t%s\t%08x' % (', '.join(map(str, shape)), maximum, zlib.crc32(numbers(array)))


def attributes(node, path, lines):
    for number in range(h5a.get_num_attrs(node)):
        low = h5a.open(node, index=number)
        array = np.empty(low.shape, low.dtype)
        low.read(array)
        lines.append('A\t%s\t%s\t%08x' % (path, low.name.decode(), zlib.crc32(numbers(array))))


def walk(group, path, lines):
    names = list(h5py.Group(group))
    lines.append('G\t%s\t%s' % (path, '|'.join(names)))
    attributes(group, path, lines)
    assert group.get_num_objs() == len(names), 'the number of links'
    for name in names:
        below, raw = path + '/' + name, name.encode()
        if group.links.get_info(raw).type == h5py.h5l.TYPE_SOFT:
            lines.append('S\t%s\t%s' % (below, group.links.get_val(raw).decode()))
            continue
        node = h5o.open(group, raw)
        if isinstance(node, h5g.GroupID):
            walk(node, below, lines)
        elif isinstance(node, h5d.DatasetID):
            what, said = dataset(node)
            lines.append('%s\t%s\t%s' % (what, below, said))
            attributes(node, below, lines)
        else:
            lines.append('X\t%s\ttype %s' % (below, node.dtype))
            attributes(node, below, lines)


def listing(path):
    access = h5p.create(h5p.FILE_ACCESS)
    access.set_fclose_degree(h5f.CLOSE_STRONG)
    file = h5f.open(path.encode(), h5f.ACC_RDONLY, fapl=access)
    lines = []
    try:
        walk(h5g.open(file, b'/'), '', lines)
    finally:
        file.close()
    return sorted(lines, key=str.encode)


def answer(text):
    lines = [line.split('\t') for line in text.split('\n') if line]
    (what, path, *options), operations = lines[0], lines[1:]
    if what == 'start':
        options = {name: tuple(value) if isinstance(value, list) else value for name, value in json.loads(options[0]).items()}
        h5py.File(path, 'w', **options).close()
    elif what == 'turn':
        turn = Turn(path, options[0])
        try:
            for name, *arguments in operations:
                try:
                    getattr(turn, name)(*arguments)
                except Exception as error:
                    raise RuntimeError('%s %s: %s: %s' % (name, arguments, type(error).__name__, error)) from error
        finally:
            turn.close()
    return 'ok\n' + '\n'.join(listing(path))


def main():
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    while True:
        head = source.read(4)
        if len(head) < 4:
            return
        text = source.read(struct.unpack('<I', head)[0]).decode()
        try:
            said = answer(text)
        except Exception as error:  # whatever libhdf5 says about a file is an answer
            said = 'error %s: %s' % (type(error).__name__, error)
        raw = said.encode('utf8', 'replace')
        sink.write(struct.pack('<I', len(raw)) + raw)
        sink.flush()


main()
