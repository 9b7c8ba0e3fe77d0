"""Values that samples.rs computes too, and what every check needs."""
import json
import sys

import h5py
import numpy as np

M = (1 << 64) - 1
FILL_INDEX = 1 << 40
LONG_STRINGS = 1000
SIZES = dict(i1=1, i2=2, i4=4, i8=8, u1=1, u2=2, u4=4, u8=8, f2=2, bf16=2, f4=4, f8=8, f80=16, f128=16, bool=1, S8=8, U12=12)
VARIABLE = ('vstr', 'vascii')


def mix(seed, index):
    """64 bits for each index (an array of uint64)."""
    with np.errstate(over='ignore'):
        x = (index.astype(np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
        x = x + np.uint64(seed * 0xD1B54A32D192ED03 & M)
        x = x ^ (x >> np.uint64(31))
        x = x * np.uint64(0xBF58476D1CE4E5B9)
        return x ^ (x >> np.uint64(29))


def ascii(x):
    return ''.join(chr(33 + (x >> (8 + 5 * at)) % 94) for at in range(x % 9))


def unicode(x, length):
    return ''.join('aé♀😀Z'[(x >> (8 + 3 * at)) % 5] for at in range(length))


def dimensions(token):
    """The dimensions of an array type, and the type of its elements."""
    *dims, base = token.split('*')
    return [int(dim) for dim in dims], base


def element(base, seed, index, x):
    if base == 'vstr':
        if seed >= LONG_STRINGS and index % 4 == 3:
            return 'é' * (40_000 + index)
        return unicode(x, x % 8)
    if base == 'U12':
        return unicode(x, x % 4)
    return ascii(x)


def sample(token, order, seed, indices):
    """What is stored for the elements of these indices: rows of bytes, or lists of strings."""
    dims, base = dimensions(token)
    count = int(np.prod(dims, dtype=int))
    indices = np.asarray(indices, np.uint64).ravel()
    flat = (indices[:, None] * np.uint64(count) + np.arange(count, dtype=np.uint64)).ravel()
    x = mix(seed, flat)
    if base in VARIABLE + ('S8', 'U12'):
        strings = [element(base, seed, int(i), int(v)) for i, v in zip(flat, x)]
        if base in VARIABLE:
            return np.array(strings, object).reshape(len(indices), count)
        size = SIZES[base]
        raw = b''.join(text.encode().ljust(size, b'\0') for text in strings)
        return np.frombuffer(raw, np.uint8).reshape(len(indices), count * size)
    if base == 'bool':
        raw = (x & np.uint64(1)).astype('u1')
    elif base == 'f80':
        raw = np.zeros((len(x), 16), 'u1')
        raw[:, :8] = (x | np.uint64(1 << 63)).astype('<u8').view('u1').reshape(-1, 8)
        raw[:, 8:10] = (x ^ x >> np.uint64(16)).astype('<u2').view('u1').reshape(-1, 2)
    elif base == 'f128':
        raw = np.stack([~x, x], 1).astype('<u8').view('u1')
    else:
        raw = x.astype('<u%d' % SIZES[base]).view('u1')
    size = SIZES[base]
    raw = np.ascontiguousarray(raw).view('u1').reshape(-1, size)
    if order == '>':
        raw = raw[:, ::-1]
    return np.ascontiguousarray(raw).reshape(len(indices), count * size)


def check_type(stored, token, order):
    """The low-level type is the one that a C program would expect."""
    dims, base = dimensions(token)
    for dim in dims:
        assert stored.get_class() == h5py.h5t.ARRAY, stored.get_class()
        assert stored.get_array_dims() == (dim,), stored.get_array_dims()
        stored = stored.get_super()
    if base in VARIABLE:
        assert stored.is_variable_str()
        utf8 = h5py.h5t.CSET_UTF8 if base == 'vstr' else h5py.h5t.CSET_ASCII
        assert stored.get_cset() == utf8
        return
    assert stored.get_size() == SIZES[base], stored.get_size()
    if base in ('S8', 'U12'):
        assert stored.get_class() == h5py.h5t.STRING
        assert stored.get_cset() == (h5py.h5t.CSET_UTF8 if base == 'U12' else h5py.h5t.CSET_ASCII)
    elif base == 'bool':
        assert stored.dtype == np.dtype(bool), stored.dtype
    elif base in ('bf16', 'f128', 'f80') and (base != 'f80' or order == '>'):
        fields, bias = {'bf16': ((15, 7, 8, 0, 7), 127), 'f128': ((127, 112, 15, 0, 112), 16383),
                        'f80': ((79, 64, 15, 0, 64), 16383)}[base]
        assert stored.get_fields() == fields, stored.get_fields()
        assert stored.get_ebias() == bias
        assert stored.get_order() == (h5py.h5t.ORDER_BE if order == '>' else h5py.h5t.ORDER_LE)
        assert stored.get_norm() == (h5py.h5t.NORM_NONE if base == 'f80' else h5py.h5t.NORM_IMPLIED)
    elif base == 'f80':
        assert stored.equal(h5py.h5t.NATIVE_LDOUBLE)
        assert stored.dtype == np.dtype(np.longdouble)
    else:
        assert stored.dtype == np.dtype(order + base), stored.dtype


def read_raw(dataset):
    """The elements as the file stores them (no conversion): rows of bytes."""
    stored = dataset.id.get_type()
    count = int(np.prod(dataset.shape, dtype=int))
    out = np.full((count, stored.get_size()), 0xEE, np.uint8)
    if count:
        dataset.id.read(h5py.h5s.ALL, h5py.h5s.ALL, out, mtype=stored)
    return out


def strings(value, count):
    """Strings of a dataset or attribute of `count` elements, however nested, as rows."""
    flat = [v.decode() if isinstance(v, bytes) else v for v in np.asarray(value, object).ravel()]
    width = len(flat) // count if count else 0
    return [flat[at * width:(at + 1) * width] for at in range(count)]


def stored_values(dataset, token):
    _, base = dimensions(token)
    if base in VARIABLE:
        return strings(dataset[()], int(np.prod(dataset.shape, dtype=int)))
    return read_raw(dataset)


def same(found, expected, where):
    if isinstance(expected, np.ndarray) and expected.dtype == np.uint8:
        assert found.shape == expected.shape, f'{where}: {found.shape} is not {expected.shape}'
        wrong = np.flatnonzero((found != expected).any(axis=1))
        assert len(wrong) == 0, f'{where}: {len(wrong)} of {len(found)} elements differ, first {wrong[0]}: ' \
            f'{found[wrong[0]].tobytes().hex()} is not {expected[wrong[0]].tobytes().hex()}'
    else:
        expected = [list(row) for row in expected]
        assert found == expected, f'{where}: {[pair for pair in zip(found, expected) if pair[0] != pair[1]][:2]!r:.500}'


def expected_values(case, shape=None):
    """The values of a dataset of the manifest: the sample where it was written, the fill value elsewhere."""
    shape = tuple(case['shape'] if shape is None else shape)
    count = int(np.prod(shape, dtype=int))
    if count == 0:
        return sample(case['type'], case['order'], case['seed'], [])
    values = sample(case['type'], case['order'], case['seed'], np.arange(count))
    written = np.zeros(shape, bool)
    written[tuple(slice(0, n) for n in case['written'])] = True
    if case['fill']:
        fill = sample(case['type'], case['order'], case['seed'], [FILL_INDEX])[0]
    elif dimensions(case['type'])[1] in VARIABLE:
        fill = ''
    else:
        fill = 0
    values = values.copy()
    values[~written.ravel()] = fill
    return values


FILL_TIMES = {'OnAllocation': h5py.h5d.FILL_TIME_ALLOC, 'Never': h5py.h5d.FILL_TIME_NEVER, 'IfSet': h5py.h5d.FILL_TIME_IFSET}
LAYOUTS = {'compact': h5py.h5d.COMPACT, 'contiguous': h5py.h5d.CONTIGUOUS, 'chunked': h5py.h5d.CHUNKED}


def check_dataset(file, case):
    dataset = file[case['path']]
    check_type(dataset.id.get_type(), case['type'], case['order'])
    if case['shape'] == 'null':
        assert dataset.shape is None
        return
    assert dataset.shape == tuple(case['shape']), dataset.shape
    assert dataset.maxshape == tuple(case['max']), dataset.maxshape
    properties = dataset.id.get_create_plist()
    assert properties.get_layout() == LAYOUTS[case['layout']], properties.get_layout()
    if case['chunk'] is None:
        assert (dataset.chunks is not None) == (case['layout'] == 'chunked')
    else:
        assert dataset.chunks == tuple(case['chunk']), dataset.chunks
    filters = [properties.get_filter(n)[0] for n in range(properties.get_nfilters())]
    assert filters == case['filters'], filters
    fill_time = case['fill_time']
    if dimensions(case['type'])[1] in VARIABLE and fill_time == 'IfSet' and not case['fill']:
        # libhdf5 makes it this, too.
        fill_time = 'OnAllocation'
    assert properties.get_fill_time() == FILL_TIMES[fill_time], properties.get_fill_time()
    if case['early']:
        assert properties.get_alloc_time() == h5py.h5d.ALLOC_TIME_EARLY
        # Space for all of it is there, whatever was written.
        assert dataset.id.get_storage_size() > 0 or 0 in dataset.shape
    defined = h5py.h5d.FILL_VALUE_USER_DEFINED if case['fill'] else h5py.h5d.FILL_VALUE_DEFAULT
    assert properties.fill_value_defined() == defined, properties.fill_value_defined()
    same(stored_values(dataset, case['type']), expected_values(case), case['path'])


def check_attribute(file, case):
    low = h5py.h5a.open(file[case['path']].id, case['attribute'].encode())
    stored = low.get_type()
    check_type(stored, case['type'], case['order'])
    if case['shape'] == 'null':
        assert low.get_space().get_simple_extent_type() == h5py.h5s.NULL
        return
    assert low.shape == tuple(case['shape']), low.shape
    count = int(np.prod(low.shape, dtype=int))
    expected = sample(case['type'], case['order'], case['seed'], np.arange(count))
    where = f"{case['path']}@{case['attribute']}"
    if dimensions(case['type'])[1] in VARIABLE:
        value = file[case['path']].attrs[case['attribute']]
        same(strings(value, count), expected, where)
    else:
        out = np.full((count, stored.get_size()), 0xEE, np.uint8)
        if count:
            low.read(out, mtype=stored)
        same(out, expected, where)


def check(file, manifest):
    """Checks every line of a manifest; returns how many."""
    count = 0
    for line in open(manifest, encoding='utf8'):
        case = json.loads(line)
        try:
            (check_attribute if 'attribute' in case else check_dataset)(file, case)
        except Exception as error:
            raise AssertionError(f'{case}: {type(error).__name__}: {error}') from error
        count += 1
    return count


def counted(file, manifest):
    """As check, and the file holds no dataset that the manifest does not name."""
    found = []
    file.visititems(lambda name, item: found.append(name) if isinstance(item, h5py.Dataset) else None)
    named = {json.loads(line)['path'].lstrip('/') for line in open(manifest, encoding='utf8') if '"attribute"' not in line}
    assert set(found) <= named, set(found) - named
    attributes = {}
    for line in open(manifest, encoding='utf8'):
        case = json.loads(line)
        attributes.setdefault('/' + case['path'].strip('/'), set()).update({case['attribute']} if 'attribute' in case else ())
    for path, names in attributes.items():
        low = file[path].id
        assert h5py.h5a.get_num_attrs(low) == len(names), f'{path}: {h5py.h5a.get_num_attrs(low)} attributes'
        assert {h5py.h5a.open(low, index=n).name.decode() for n in range(len(names))} == names, path
    return check(file, manifest)


def main(run):
    try:
        run(*sys.argv[1:])
    except BaseException:
        import traceback
        traceback.print_exc()
        sys.exit(1)
