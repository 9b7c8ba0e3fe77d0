"""usage: creation.py phases FILE TURN | orders FILE LIBVER | aligned FILE NUMBERS: what files of ours were created with.

`phases` reads how many links and attributes are in headers, then TURN says what h5py does: `grow` or `shrink` both
of each object. `aligned` checks where data are: NUMBERS are "threshold alignment userblock"."""
import ctypes

import common
import h5py
from raw_edges import library

ORDERED = h5py.h5p.CRT_ORDER_TRACKED | h5py.h5p.CRT_ORDER_INDEXED
PHASES = {'/': (3, 2), 'none': (0, 0), 'few': (2, 1), 'usual': (8, 6), 'many': (40, 10)}


def pair(hdf5, name, plist):
    first, second = ctypes.c_uint(), ctypes.c_uint()
    assert getattr(hdf5, name)(ctypes.c_int64(plist.id), ctypes.byref(first), ctypes.byref(second)) >= 0
    return first.value, second.value


def check_dense(raw, item, links, phases):
    """Dense storage where there is more than the header may have; a count in between may be either."""
    info = h5py.h5o.get_info(item.id)
    size = info.meta_size
    count, heap, index = (len(item), size.obj.heap_size, size.obj.index_size) if links else \
        (len(item.attrs), size.attr.heap_size, size.attr.index_size)
    most, least = phases
    assert (heap > 0) == (index > 0)
    if count > most:
        assert heap > 0, (item.name, count, phases)
    if count < least or count == 0:
        assert heap == 0, (item.name, count, phases)
    return heap > 0


def phases(path, turn):
    hdf5 = library()
    with h5py.File(path) as file:
        for name, expected in PHASES.items():
            group = file[name]
            creation = group.id.get_create_plist()
            assert creation.get_attr_phase_change() == expected, name
            assert pair(hdf5, 'H5Pget_link_phase_change', creation) == expected, name
            estimates = pair(hdf5, 'H5Pget_est_link_info', creation)
            assert estimates == ((200, 12) if name == 'few' else (4, 8)), estimates
            check_dense(hdf5, group, True, expected)
            check_dense(hdf5, group, False, expected)
            if name != '/':
                data = group['data']
                assert data.id.get_create_plist().get_attr_phase_change() == expected, name
                check_dense(hdf5, data, False, expected)
    with h5py.File(path, 'r+') as file:
        for name in PHASES:
            group = file[name]
            for item in (group, *([group['data']] if name != '/' else ())):
                if turn == 'grow':
                    for number in range(50):
                        item.attrs[f'h{number}'] = number
                elif turn == 'shrink':
                    for attribute in list(item.attrs)[1:]:
                        del item.attrs[attribute]
            if turn == 'grow':
                for number in range(50):
                    group.create_group(f'h{number}')
            elif turn == 'shrink':
                for link in [link for link in group if link not in PHASES and link != 'data']:
                    del group[link]


def orders(path, _):
    with h5py.File(path) as file:
        for item in (file['/'], file['group'], file['data']):
            creation = item.id.get_create_plist()
            assert creation.get_attr_creation_order() == ORDERED
            if not isinstance(item, h5py.Dataset):
                assert creation.get_link_creation_order() == ORDERED
                assert list(item)[:2] == (['group', 'data'] if item.name == '/' else ['z', 'a']), list(item)
            assert list(item.attrs)[:2] == ['z', 'a']
        # Of those that were made on the way, and the rest, nothing is kept.
        for item in (file['group/on/the'], file['group/on/the/way'], file['plain']):
            assert item.id.get_create_plist().get_attr_creation_order() == 0
            assert list(item.attrs) == ['a', 'z'] if len(item.attrs) else True
        assert file['group/on'].id.get_create_plist().get_link_creation_order() == 0
        block = file.userblock_size
        assert block == 1024
    assert open(path, 'rb').read(4) == b'ours'
    with h5py.File(path, 'r+') as file:
        for item in (file['/'], file['group'], file['data']):
            for number in range(12):
                item.attrs[f'b{12 - number}'] = number
                if not isinstance(item, h5py.Dataset):
                    item.create_group(f'b{12 - number}')


def aligned(path, numbers):
    threshold, alignment, userblock = map(int, numbers.split())
    with h5py.File(path) as file:
        assert file.userblock_size == userblock
        places = []

        def visit(name, item):
            if not isinstance(item, h5py.Dataset):
                return
            if item.chunks is None:
                if item.id.get_offset() is not None:
                    places.append((item.id.get_offset(), item.id.get_storage_size()))
            else:
                chunks = item.id
                stored = [chunks.get_chunk_info(at) for at in range(chunks.get_num_chunks())]
                places.extend((chunk.byte_offset, chunk.size) for chunk in stored)
        file.visititems(visit)
    large = [start for start, size in places if size >= threshold]
    assert len(large) > 10, places
    wrong = [start for start in large if (start - userblock) % alignment]
    assert not wrong, wrong


def run(what, path, argument):
    dict(phases=phases, orders=orders, aligned=aligned)[what](path, argument)


common.main(run)
