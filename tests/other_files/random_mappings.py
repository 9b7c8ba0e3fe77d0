"""Makes virtual datasets with random mappings, and says what h5py reads of them.

Arguments: directory, first seed, number of cases. Prints for each case lines
"file dataset shape" and "  selection hex", or "  selection !" where h5py fails.
"""
import os
import random
import sys

import h5py
import numpy as np
from h5py import h5d, h5p, h5s, h5t

directory, first, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
os.chdir(directory)
UNLIMITED = h5s.UNLIMITED


def factors(random, total, rank):
    """`rank` numbers with the product `total`."""
    sides = [1] * rank
    for prime in (2, 3, 5, 7):
        while total % prime == 0:
            sides[random.randrange(rank)] *= prime
            total //= prime
    sides[random.randrange(rank)] *= total
    return sides


def hyperslab(random, lens):
    """A regular hyperslab with so many indices on each axis, and an extent that holds it."""
    start, stride, counts, block, extent = [], [], [], [], []
    for length in lens:
        size = random.choice([d for d in range(1, length + 1) if length % d == 0])
        n = length // size
        gap = random.choice([0, 0, 1, 3])
        start.append(random.choice([0, 0, 1, 4]))
        stride.append(size + gap)
        counts.append(n)
        block.append(size)
        extent.append(start[-1] + (n - 1) * (size + gap) + size + random.choice([0, 0, 2]))
    return tuple(start), tuple(stride), tuple(counts), tuple(block), tuple(extent)


def select(space, slab):
    start, stride, counts, block = slab[:4]
    space.select_hyperslab(start, counts, stride, block)
    return space


def irregular(random, extent):
    space = h5s.create_simple(extent)
    space.select_none()
    for number in range(random.randrange(1, 5)):
        start = tuple(random.randrange(e) for e in extent)
        size = tuple(random.randrange(1, e - s + 1) for s, e in zip(start, extent))
        op = h5s.SELECT_SET if number == 0 else random.choice([h5s.SELECT_OR, h5s.SELECT_OR, h5s.SELECT_NOTB])
        space.select_hyperslab(start, size, op=op)
    if space.get_select_npoints() == 0:
        space.select_hyperslab((0,) * len(extent), (1,) * len(extent))
    return space


def source(random, group, name, extent, dtype, libver):
    n = int(np.prod(extent))
    values = (np.arange(n, dtype="i8") * 7 + random.randrange(100)).astype(dtype).reshape(extent)
    layout = random.choice(["contiguous", "chunked", "gzip", "grows"])
    chunk = tuple(random.randrange(1, e + 1) for e in extent)
    options = {
        "contiguous": {},
        "chunked": {"chunks": chunk},
        "gzip": {"chunks": chunk, "compression": "gzip", "shuffle": True},
        "grows": {"chunks": chunk, "maxshape": (None,) * len(extent)},
    }[layout]
    group.create_dataset(name, data=values, **options)


def case(seed):
    rnd = random.Random(seed)
    libver = rnd.choice(["earliest", "latest", ("v110", "v110"), ("v112", "v114"), ("earliest", "v110")])
    dtype = rnd.choice(["i1", "<i2", ">i4", "<f8"])
    name = f"case_{seed}.h5"
    kind = rnd.choice(["limited", "limited", "limited", "irregular", "reshaped", "unlimited", "blocks", "whole"])
    fill = rnd.choice([None, 42])
    dcpl = h5p.create(h5p.DATASET_CREATE)
    if fill is not None:
        dcpl.set_fill_value(np.array([fill], dtype=dtype))
    rank = rnd.randrange(1, 4)
    with h5py.File(name, "w", libver=libver) as f:
        shared = f"source_{seed}.h5"
        other = h5py.File(shared, "w", libver=libver)
        # The group of a source must be there, the source need not.
        f.create_group("g")
        other.create_group("g")
        extent, maximum = [0] * rank, None
        maps = []

        def place():
            """The file name and the group of a source."""
            where = rnd.choice([".", shared, shared, name])
            return where, (other if where == shared else f)

        def grow(reach):
            for axis, value in enumerate(reach):
                extent[axis] = max(extent[axis], value)

        mappings = rnd.randrange(1, 5)
        unlimited_axis = rnd.randrange(rank)
        common = [rnd.choice([1, 2, 3, 4]) for _ in range(rank)]
        for number in range(mappings):
            if kind == "blocks" and number > 0 and unlimited_axis == 0:
                break
            path = rnd.choice(["", "/", "/g/"]) + f"s{number}"
            lens = [rnd.choice([1, 2, 3, 4, 6, 8]) for _ in range(rank)]
            target = hyperslab(rnd, lens)
            # Side by side along the first axis: libhdf5 forgets the fill value where mappings overlap.
            if maps:
                shift = extent[0]
                target = ((target[0][0] + shift,) + target[0][1:],) + target[1:4] + (
                    (target[4][0] + shift,) + target[4][1:],)
            missing = rnd.random() < 0.15
            where, group = place()
            if kind == "unlimited":
                axis = unlimited_axis
                if axis == 0 and mappings > 1:
                    # Interleaved.
                    lens = common
                    zero = (0,) * rank
                    target = (
                        (number,) + zero[1:], (mappings,) + (1,) * (rank - 1), (lens[0],) + (1,) * (rank - 1),
                        (1,) + tuple(lens[1:]), (lens[0] * mappings,) + tuple(lens[1:]))
                source_slab = hyperslab(rnd, lens)
                grown = list(source_slab[4])
                grown[axis] += rnd.randrange(12)


                def unlimited(slab, axis):
                    counts = list(slab[2])
                    block = list(slab[3])
                    if rnd.random() < 0.2 and (axis > 0 or mappings == 1):
                        block[axis], counts[axis] = UNLIMITED, 1
                    else:
                        counts[axis] = UNLIMITED
                    return slab[0], slab[1], tuple(counts), tuple(block)
                vspace = select(h5s.create_simple(target[4], (UNLIMITED,) * rank), unlimited(target, axis))
                sspace = select(h5s.create_simple(tuple(grown), (UNLIMITED,) * rank), unlimited(source_slab, axis))
                maximum = (UNLIMITED,) * rank
                source_extent = tuple(grown)
            elif kind == "blocks":
                axis = unlimited_axis
                counts = list(target[2])
                block = list(target[3])
                stride = list(target[1])
                counts[axis] = UNLIMITED
                lens[axis] = block[axis]
                vspace = select(h5s.create_simple(target[4], (UNLIMITED,) * rank),
                                (target[0], tuple(stride), tuple(counts), tuple(block)))
                source_slab = hyperslab(rnd, lens)
                sspace = select(h5s.create_simple(source_slab[4]), source_slab)
                maximum = (UNLIMITED,) * rank
                source_extent = source_slab[4]
                have = rnd.randrange(5)
                for i in range(have + 3):
                    if i != have:
                        source(rnd, group, f"{path}_{i}%", source_extent, dtype, libver)
                path += "_%b%%"
                missing = True
            elif kind == "irregular":
                e = tuple(rnd.randrange(2, 9) for _ in range(rank))
                sspace = irregular(rnd, e)
                source_extent = e
                if rnd.random() < 0.5 or maps:
                    n = sspace.get_select_npoints()
                    target = hyperslab(rnd, factors(rnd, n, rank))
                    target = ((target[0][0] + extent[0],) + target[0][1:],) + target[1:4] + (
                        (target[4][0] + extent[0],) + target[4][1:],)
                    vspace = select(h5s.create_simple(target[4]), target)
                else:
                    vspace = sspace.copy()
                    target = (0, 0, 0, 0, e)
            elif kind == "reshaped":
                lens_other = factors(rnd, int(np.prod(lens)), rnd.randrange(1, 4))
                source_slab = hyperslab(rnd, lens_other)
                source_extent = source_slab[4]
                sspace = select(h5s.create_simple(source_extent), source_slab)
                vspace = select(h5s.create_simple(target[4]), target)
            elif kind == "whole":
                source_extent = tuple(lens)
                sspace = h5s.create_simple(source_extent)
                vspace = select(h5s.create_simple(target[4]), target)
            else:
                source_slab = hyperslab(rnd, lens)
                source_extent = source_slab[4]
                sspace = select(h5s.create_simple(source_extent), source_slab)
                vspace = select(h5s.create_simple(target[4]), target)
            if not missing:
                source(rnd, group, path, source_extent, dtype, libver)
            if missing and kind != "blocks" and rnd.random() < 0.5:
                where = "not_there.h5"
            grow(target[4])
            maps.append((vspace, where, path, sspace))
        other.close()
        space = h5s.create_simple(tuple(extent), maximum)
        for vspace, where, path, sspace in maps:
            dcpl.set_virtual(vspace, where.encode(), path.encode(), sspace)
        h5d.create(f.id, b"v", h5t.py_create(np.dtype(dtype)), space, dcpl)
        nested = kind in ("limited", "whole", "irregular") and rnd.random() < 0.3
        if nested:
            layout = h5py.VirtualLayout(tuple(e + 1 for e in extent), dtype)
            layout[tuple(slice(1, e + 1) for e in extent)] = h5py.VirtualSource(".", "v", tuple(extent))
            f.create_virtual_dataset("nested", layout, fillvalue=7)
    with h5py.File(name, "r") as f:
        for dataset in ["v"] + (["nested"] if nested else []):
            d = f[dataset]
            print(name, dataset, ",".join(map(str, d.shape)) or "-", kind)
            regions = [tuple(slice(0, e, 1) for e in d.shape)]
            for _ in range(4):
                region = []
                for e in d.shape:
                    a = rnd.randrange(e + 1)
                    b = rnd.randrange(a, e + 1)
                    region.append(slice(a, b, rnd.choice([1, 1, 2, 3])))
                regions.append(tuple(region))
            for region in regions:
                text = ",".join(f"{s.start}:{s.stop}:{s.step}" for s in region)
                try:
                    values = d[region].astype(dtype).tobytes().hex()
                except OSError as error:
                    values = "!" + str(error).replace(" ", "_")
                print(" ", text, values or "-")


for seed in range(first, first + count):
    case(seed)
