"""Makes index_*.h5 (libhdf5 through h5py, one chunked dataset each) and indexes.txt: what libhdf5 says of them.

indexes.txt, per dataset: a line "name kind index_address filtered chunk_bytes | dims | max_dims (u: unlimited) | chunk",
then one line per chunk "scaled offsets : address size mask", in the order of libhdf5.

Where the unlimited axis of an extensible array is not axis 0, the list of chunks that libhdf5 gives (2.0 and before) has
wrong offsets: there the chunk is found by its content, as a read gives it.
"""

import itertools
import os

import h5py
import numpy as np

here = os.path.dirname(os.path.abspath(__file__))
SIGNATURE = {"fixed": b"FAHD", "extensible": b"EAHD", "btree": b"BTHD"}


def early(plist):
    plist.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)


def make(table, name, kind, dims, max_dims, chunk, write, filtered=False, setup=None):
    path = os.path.join(here, f"index_{name}.h5")
    with h5py.File(path, "w", libver=("v110", "v110")) as file:
        plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        plist.set_chunk(chunk)
        plist.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
        plist.set_obj_track_times(False)
        if filtered:
            plist.set_deflate(1)
        if setup:
            setup(plist)
        limits = tuple(h5py.h5s.UNLIMITED if m is None else m for m in max_dims)
        space = h5py.h5s.create_simple(dims, limits)
        data = h5py.Dataset(h5py.h5d.create(file.id, b"data", h5py.h5t.NATIVE_UINT8, space, plist))
        write(data)
    with h5py.File(path, "r") as file:
        data = file["data"]
        chunks = [data.id.get_chunk_info(i) for i in range(data.id.get_num_chunks())]
        dims, content = data.shape, data[...]
    with open(path, "rb") as file:
        image = file.read()
    if kind in SIGNATURE:
        assert image.count(SIGNATURE[kind]) == 1, (name, kind)
        address = image.index(SIGNATURE[kind])
    else:
        address = min(c.byte_offset for c in chunks)
    for signature in SIGNATURE.values():
        assert (signature in image) == (SIGNATURE.get(kind) == signature), (name, signature)

    def row(values):
        return " ".join("u" if v is None else str(v) for v in values)

    chunk_bytes = int(np.prod(chunk))
    table.write(f"{name} {kind} {address} {int(filtered)} {chunk_bytes} | {row(dims)} | {row(max_dims)} | {row(chunk)}\n")
    if kind == "extensible" and max_dims[0] is not None:
        grid = [range(n // k) for n, k in zip(dims, chunk)]
        for scaled in itertools.product(*grid):
            place = tuple(slice(i * k, (i + 1) * k) for i, k in zip(scaled, chunk))
            stored = content[place].tobytes()
            assert image.count(stored) == 1
            table.write(f"{row(scaled)} : {image.index(stored)} {chunk_bytes} 0\n")
        chunks = []
    for c in chunks:
        scaled = [o // n for o, n in zip(c.chunk_offset, chunk)]
        table.write(f"{row(scaled)} : {c.byte_offset} {c.size} {c.filter_mask}\n")
    print(name, len(image), len(chunks))


def at(*places):
    def write(data):
        for place in places:
            data[place] = 7
    return write


def everything(data):
    data[...] = np.arange(data.size, dtype="u1").reshape(data.shape)


def noise(data):
    data[...] = np.random.default_rng(1).integers(0, 256, data.shape, dtype="u1")


def some_unfiltered(data):
    everything(data)
    for k, place in enumerate(data.iter_chunks()):
        if k % 5 == 0:
            start = tuple(s.start for s in place)
            data.id.write_direct_chunk(start, bytes(int(np.prod(data.chunks))), filter_mask=1)


def grown(data):
    everything(data)
    data.resize((60, 60))
    data[30, 20:] = 9


with open(os.path.join(here, "indexes.txt"), "w") as table:
    make(table, "fixed", "fixed", (20, 30), (20, 30), (4, 7), everything)
    make(table, "fixed_sparse", "fixed", (20, 30), (40, 30), (4, 7), at((0, 0), (19, 29), (9, 8)))
    make(table, "fixed_filtered", "fixed", (50, 30), (50, 30), (10, 10), some_unfiltered, filtered=True)
    make(table, "fixed_paged", "fixed", (70, 50), (70, 50), (1, 1),
         at((0, 0), (0, 1), (20, 23), (20, 24), (60, 10), (69, 49)))
    make(table, "fixed_paged_filtered", "fixed", (2048,), (2048,), (1,), at(slice(1000, 1060), slice(2040, 2048)),
         filtered=True)
    make(table, "extensible_small", "extensible", (6, 4), (None, 4), (2, 4), everything)
    make(table, "extensible", "extensible", (300,), (None,), (1,), at(slice(0, 3), slice(20, 60), slice(240, 290)))
    make(table, "extensible_filtered", "extensible", (90, 30), (None, 60), (10, 10), some_unfiltered, filtered=True)
    make(table, "extensible_paged", "extensible", (150_000,), (None,), (1,),
         at(0, 3, 4, 5, 100, 2000, 50_000, 131_059, 131_060, 140_000, 149_999))
    make(table, "extensible_axis_1", "extensible", (10, 39, 6), (10, None, 9), (5, 3, 3), noise)
    make(table, "extensible_axis_2", "extensible", (4, 6, 40), (8, 6, None), (2, 3, 5), noise)
    make(table, "btree", "btree", (14, 22), (None, None), (1, 1), everything)
    make(table, "btree_filtered", "btree", (40, 60), (None, None), (8, 8), some_unfiltered, filtered=True)
    make(table, "btree_grown", "btree", (30, 30), (None, None), (6, 6), grown)
    make(table, "single", "single", (5, 6), (5, 6), (5, 6), everything)
    make(table, "single_filtered", "single", (5, 6), (5, 6), (5, 6), everything, filtered=True)
    make(table, "implicit", "implicit", (10, 9), (20, 9), (3, 4), everything, setup=early)
