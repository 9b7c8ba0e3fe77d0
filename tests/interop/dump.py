"""usage: dump.py FILE: everything that a file holds, a line each, as dump.rs says it too."""
import sys
import zlib

import h5py
import numpy as np


def escape(text):
    out = []
    for c in text:
        out.append({'\\': '\\\\', '"': '\\"', "'": "\\'", '\n': '\\n', '\t': '\\t', '\r': '\\r', '\0': '\\0'}.get(c, c))
    return ''.join(out)


def texts(value):
    flat = [v if isinstance(v, bytes) else v.encode('utf8', 'surrogateescape') for v in np.asarray(value, object).ravel()]
    return 'strings %08x' % zlib.crc32(b''.join(v + b'\0' for v in flat))


def raw(low, stored, shape):
    """The bytes of a dataset or attribute without conversion."""
    count = int(np.prod(shape, dtype=int))
    out = np.zeros((count, stored.get_size()), np.uint8)
    if count:
        if isinstance(low, h5py.h5a.AttrID):
            low.read(out, mtype=stored)
        else:
            low.read(h5py.h5s.ALL, h5py.h5s.ALL, out, mtype=stored)
    return out


def names_places(stored):
    """Whether the bytes of an element name places in the file."""
    kind = stored.get_class()
    if kind == h5py.h5t.STRING:
        return stored.is_variable_str()
    if kind == h5py.h5t.ARRAY:
        return names_places(stored.get_super())
    if kind == h5py.h5t.COMPOUND:
        return any(names_places(stored.get_member_type(number)) for number in range(stored.get_nmembers()))
    return kind in (h5py.h5t.VLEN, h5py.h5t.REFERENCE)


def values(low, stored, shape, item):
    if stored.get_class() == h5py.h5t.STRING and stored.is_variable_str():
        return texts(item())
    if names_places(stored):
        return 'no bytes'
    out = raw(low, stored, shape)
    if isinstance(low, h5py.h5a.AttrID) and stored.get_class() in (h5py.h5t.INTEGER, h5py.h5t.FLOAT) \
            and stored.get_order() == h5py.h5t.ORDER_BE:
        out = np.ascontiguousarray(out[:, ::-1])
    return 'bytes %d %08x' % (out.size, zlib.crc32(out.tobytes()))


def shape_of(shape):
    return '[' + ', '.join(map(str, shape)) + ']'


def dump(file):
    lines = []

    def attributes(item, path):
        for number in range(h5py.h5a.get_num_attrs(item.id)):
            low = h5py.h5a.open(item.id, index=number)
            name = low.name.decode('utf8', 'surrogateescape')
            null = low.get_space().get_simple_extent_type() == h5py.h5s.NULL
            shape = (0,) if null else low.shape
            item_values = lambda: [] if null else item.attrs[name]
            lines.append('%s@%s\tattribute %s %s' % (escape(path), escape(name), shape_of(shape),
                                                    values(low, low.get_type(), shape, item_values)))

    def walk(group, path, depth):
        lines.append(escape(path) + '\tgroup')
        attributes(group, path)
        if depth > 60:
            return
        for name in group:
            below = path + '/' + name
            try:
                item = group[name]
            except (KeyError, OSError):
                lines.append(escape(below) + '\tdangling')
                continue
            if isinstance(item, h5py.Group):
                walk(item, below, depth + 1)
            elif isinstance(item, h5py.Dataset):
                null = item.shape is None
                shape = (0,) if null else item.shape
                found = values(item.id, item.id.get_type(), shape, lambda: [] if null else item[()])
                lines.append('%s\tdataset %s %s' % (escape(below), shape_of(shape), found))
                attributes(item, below)
            else:
                lines.append(escape(below) + '\ttype')

    walk(file['/'], '', 0)
    return sorted(lines, key=str.encode)


if __name__ == '__main__':
    with h5py.File(sys.argv[1], 'r') as file:
        print('\n'.join(dump(file)))
