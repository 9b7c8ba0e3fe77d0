"""usage: strategies.py make FILE OPTIONS | says FILE OPTIONS | paged FILE - | scraps FILE OPTIONS | strings FILE -. `make` writes what rounds.py edits, with a file space strategy:
OPTIONS are "strategy persist threshold page_size libver"; `says` compares them with what a file of ours says. `paged` reads the whole file through a page buffer, which
goes wrong where metadata and raw data share a page. `scraps` makes a file whose free space is full of old data; `strings`
writes a part of each dataset of strings that we then made in it, and reads the rest."""
import common
import h5py
import numpy as np

STRING = h5py.string_dtype()


def make(path, options):
    strategy, persist, threshold, page_size, libver = options.split()
    space = dict(fs_strategy=strategy)
    if strategy in ('page', 'fsm'):
        space.update(fs_persist=persist == '1', fs_threshold=int(threshold))
    if strategy == 'page':
        space.update(fs_page_size=int(page_size))
    with h5py.File(path, 'w', libver=libver, **space) as file:
        file.create_dataset('grow', shape=(0, 3), maxshape=(None, 3), chunks=(4, 3), dtype='f8')
        file.create_dataset('packed', shape=(0, 5), maxshape=(None, 5), chunks=(8, 5), dtype='i4', shuffle=True,
                            compression=4)
        file.create_dataset('two', shape=(0, 0), maxshape=(None, None), chunks=(3, 4), dtype='i2', fillvalue=7)
        file.create_dataset('yoyo', shape=(0,), maxshape=(None,), chunks=(4,), dtype='i4', compression=1,
                            fletcher32=True, fillvalue=9)
        file.create_dataset('down', shape=(30,), maxshape=(None,), chunks=(4,), dtype='i4', fillvalue=9)
        file.create_dataset('up', shape=(30,), maxshape=(None,), chunks=(4,), dtype='i4', compression=2, fillvalue=9)
        file.create_dataset('names', shape=(0,), maxshape=(None,), chunks=(5,), dtype=STRING)
        file.create_dataset('flat', shape=(100,), dtype='f4')
        file.create_dataset('fixed', shape=(20, 20), chunks=(7, 7), dtype='u1')
        dense = file.create_group('dense')
        for number in range(100):
            dense.create_group(f'member {number}')
        for number in range(50):
            dense.attrs[f'attr {number}'] = float(number)
        file['gone'] = np.arange(3000)
    with h5py.File(path, 'r+', libver=libver) as file:
        del file['gone']


def says(path, options):
    strategy, persist, threshold, page_size, _ = options.split()
    with h5py.File(path, 'r') as file:
        creation = file.id.get_create_plist()
        names = dict(fsm=h5py.h5f.FSPACE_STRATEGY_FSM_AGGR, page=h5py.h5f.FSPACE_STRATEGY_PAGE,
                     aggregate=h5py.h5f.FSPACE_STRATEGY_AGGR, none=h5py.h5f.FSPACE_STRATEGY_NONE)
        said = creation.get_file_space_strategy()
        assert said == (names[strategy], persist == '1', int(threshold)), said
        assert creation.get_file_space_page_size() == int(page_size)
        if strategy == 'page':
            # Blocks of raw data of a page and more begin at one, smaller ones are in one.
            addresses = [(file['flat'].id.get_offset(), 400)]
            for name in ('grow', 'packed', 'up'):
                chunks = file[name].id
                stored = [chunks.get_chunk_info(at) for at in range(chunks.get_num_chunks())]
                addresses += [(chunk.byte_offset, chunk.size) for chunk in stored]
            for start, size in addresses:
                page = start // int(page_size)
                assert start % int(page_size) == 0 or (start + size - 1) // int(page_size) == page, (start, size)


def paged(path, _):
    seen = []
    size = h5py.File(path, 'r').id.get_create_plist().get_file_space_page_size()
    with h5py.File(path, 'r', page_buf_size=size * 16) as file:
        def visit(name, item):
            seen.append((name, dict(item.attrs)))
            if isinstance(item, h5py.Dataset):
                seen.append(item[()])
        file.visititems(visit)
    with h5py.File(path, 'r') as file:
        def again(name, item):
            assert str(seen.pop(0)) == str((name, dict(item.attrs)))
            if isinstance(item, h5py.Dataset):
                assert np.array_equal(seen.pop(0), item[()]), name
        file.visititems(again)
    assert not seen


def scraps(path, options):
    strategy, persist, threshold, page_size, libver = options.split()
    space = dict(fs_page_size=int(page_size)) if strategy == 'page' else {}
    space.update(fs_strategy=strategy, fs_persist=persist == '1', fs_threshold=int(threshold))
    with h5py.File(path, 'w', libver=libver, **space) as file:
        for number in range(20):
            file[f'{number}'] = np.full(300, -1 - number)
    with h5py.File(path, 'r+', libver=libver) as file:
        for number in range(0, 20, 2):
            del file[f'{number}']


def strings(path, _):
    names = ('contiguous', 'chunked')
    with h5py.File(path, 'r+') as file:
        made = file.create_dataset('of h5py', (100,), STRING)
        for name in names:
            said = [item.id.get_create_plist().get_fill_time() for item in (file[name], made)]
            assert said[0] == said[1] == h5py.h5d.FILL_TIME_ALLOC, said
            file[name][30:40] = 'new'
    with h5py.File(path, 'r') as file:
        for name in names:
            expected = [b''] * 30 + [b'new'] * 10 + [b''] * 60
            assert list(file[name][()]) == expected, name


def run(what, path, options):
    dict(make=make, says=says, paged=paged, scraps=scraps, strings=strings)[what](path, options)


common.main(run)
