"""Checks with h5py what a contender wrote: check.py WORKLOAD FILE SCALE. Makes the data again as kit/src/data.rs does.

Every value of small files is compared, and of large ones the values at random places; prints what is unusual.
"""

import os
import sys

import h5py
import numpy as np

COLUMNS, SIDE, FEATURE, GROUPS = 8, 512, (40, 200), 100
ARRAY_SIDE, TILE_SIDE, RATE = 4096, 16, 1000.0
COUNTS = {
    "rows": 2_000_000,
    "frames": 2000,
    "frames-deflate": 400,
    "seed": 10_000,
    "strings": 1000,
    "objects": 1000,
    "flush": 100_000,
    "reopen": 100_000,
    "reopens": 2000,
    "rewrite": 200_000,
    "sync": 500,
}


def seed(number):
    return np.uint64(number << 40)


def mix(numbers):
    with np.errstate(over="ignore"):
        x = np.asarray(numbers, np.uint64) + np.uint64(0x9E3779B97F4A7C15)
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return x ^ (x >> np.uint64(31))


def small(numbers):
    """f32 in 0..1 of 24 bits."""
    return (mix(numbers) >> np.uint64(40)).astype(np.float32) / np.float32(1 << 24)


def rows(numbers):
    numbers = np.asarray(numbers, np.uint64)
    column = np.arange(COLUMNS, dtype=np.uint64)
    place = (numbers % np.uint64(4096))[:, None] * np.uint64(COLUMNS) + column
    values = (mix(seed(1) + place) >> np.uint64(11)).astype(np.float64) / 2.0**53 + column.astype(np.float64)
    values[:, 0] = numbers
    return values


def frame(number):
    y, x = np.mgrid[0:SIDE, 0:SIDE]
    background = 200 + (3 * y + 2 * x) // 4
    random = mix(seed(2) + (number % 16 * SIDE * SIDE + y * SIDE + x).astype(np.uint64))
    total = sum(((random >> np.uint64(8 * at)) & np.uint64(255)).astype(np.int64) for at in range(4))
    pixels = background + (total - 510) * np.floor(np.sqrt(background)).astype(np.int64) // 148
    pixels = pixels.astype(np.uint16)
    pixels[0, 0], pixels[0, 1] = number & 0xFFFF, number >> 16
    return pixels


def feature(number):
    size = FEATURE[0] * FEATURE[1]
    values = small(seed(3) + np.arange(size, dtype=np.uint64) + np.uint64(number % 32 * size))
    values[0] = number
    return values.reshape(FEATURE)


def text(number):
    number %= 64_000
    return f"event {number} detector {int(mix(seed(4) + np.uint64(number))) % 8}".encode()


def tiles(count):
    array = np.arange(ARRAY_SIDE * ARRAY_SIDE).astype(np.float32).reshape(ARRAY_SIDE, ARRAY_SIDE)
    area = TILE_SIDE * TILE_SIDE
    pool = small(seed(5) + np.arange(64 * area, dtype=np.uint64)).reshape(64, TILE_SIDE, TILE_SIDE)
    random = mix(seed(6) + np.arange(count, dtype=np.uint64))
    places = np.uint64(ARRAY_SIDE - TILE_SIDE + 1)
    ys, xs = (random & np.uint64(0xFFFFFFFF)) % places, (random >> np.uint64(32)) % places
    for number, (y, x) in enumerate(zip(ys.tolist(), xs.tolist())):
        tile = pool[number % 64]
        tile[0, 0] = number
        array[y : y + TILE_SIDE, x : x + TILE_SIDE] = tile
    return array


def some(count, how_many):
    """First, last and random ones among `count`."""
    random = np.random.default_rng(1).integers(0, count, how_many).tolist()
    return sorted({0, count - 1, *random})


def same(what, found, wanted):
    if not np.array_equal(found, wanted):
        raise ValueError(f"{what}: found {found!r}, wanted {wanted!r}")


def rate(data):
    same(f"the attribute rate of {data.name}", data.attrs["rate"], RATE)


def check_rows(data, count, notes):
    rate(data)
    same(f"the type of {data.name}", data.dtype, np.dtype("<f8"))
    if data.ndim == 1:
        notes.append("rank 1")
        same("the shape", data.shape, (count * COLUMNS,))
    else:
        same("the shape", data.shape, (count, COLUMNS))
    for number in some(count, 50):
        first = max(0, number - 100)
        found = data[first * COLUMNS : (number + 1) * COLUMNS] if data.ndim == 1 else data[first : number + 1]
        same(f"rows {first} to {number}", found.reshape(-1, COLUMNS), rows(np.arange(first, number + 1)))


def check_frames(file, count, filtered, notes):
    data = file["frames"]
    rate(data)
    same("the type", data.dtype, np.dtype("<u2"))
    same("the shape", data.shape, (count, SIDE, SIDE))
    same("the chunks", data.chunks, (1, SIDE, SIDE))
    same("the filters", (data.shuffle, data.compression, data.compression_opts), filtered)
    for number in some(count, 8):
        same(f"frame {number}", data[number], frame(number))
    for number in some(count, 100):
        same(f"the stamp of frame {number}", data[number, 0, :2], [number & 0xFFFF, number >> 16])


def check_strings(data, count, how_many):
    same("the shape", data.shape, (count,))
    if tuple(h5py.check_string_dtype(data.dtype) or ()) != ("utf-8", None):
        raise ValueError(f"{data.name} has the type {data.dtype}")
    for number in some(count, how_many):
        first = max(0, number - 100)
        wanted = [text(at) for at in range(first, number + 1)]
        same(f"strings {first} to {number}", data[first : number + 1].tolist(), wanted)


def check_objects(file, count):
    same("the groups", sorted(file), [f"group{group:03}" for group in range(GROUPS)])
    names = [f"dataset{number:04}" for number in range(count)]
    for group in some(GROUPS, 10):
        group = file[f"group{group:03}"]
        same(f"the members of {group.name}", sorted(group), names)
        for number in some(count, 20):
            data = group[names[number]]
            found = (data.shape, data.dtype, data[()], data.attrs["gain"], data.attrs["channel"])
            same(data.name, np.array(found, object), np.array(((), np.dtype("<f8"), number, 2.5, number), object))
            same(f"the attributes of {data.name}", sorted(data.attrs), ["channel", "gain", "unit"])
            unit = data.attrs["unit"]
            same(f"the unit of {data.name}", unit.decode() if isinstance(unit, bytes) else unit, "volt")


def check(workload, path, scale, notes):
    def count(name):
        return max(2, int(COUNTS[name] * scale))

    with h5py.File(path) as file:
        if workload == "rows":
            check_rows(file["rows"], count("rows"), notes)
        elif workload in ("frames", "frames-deflate"):
            filtered = (True, "gzip", 4) if workload == "frames-deflate" else (False, None, None)
            check_frames(file, count(workload), filtered, notes)
        elif workload == "seed":
            data, steps = file["features"], count("seed")
            rate(data)
            same("the shape", data.shape, (steps, *FEATURE))
            for number in some(steps, 50):
                same(f"feature {number}", data[number], feature(number))
            check_strings(file["names"], steps, 20)
        elif workload == "strings":
            rate(file["strings"])
            check_strings(file["strings"], count("strings") * 1000, 50)
        elif workload == "objects":
            check_objects(file, count("objects"))
        elif workload == "flush":
            check_rows(file["rows"], count("flush"), notes)
        elif workload == "reopen":
            check_rows(file["rows"], count("reopen") + count("reopens"), notes)
        elif workload == "rewrite":
            rate(file["tiles"])
            same("the array", file["tiles"][...], tiles(count("rewrite")))
        elif workload == "sync":
            for side in ("left", "right"):
                check_rows(file[side], count("sync"), notes)
        else:
            raise ValueError(f"unknown workload {workload}")


if __name__ == "__main__":
    os.environ["HDF5_USE_FILE_LOCKING"] = "FALSE"
    unusual = []
    try:
        check(sys.argv[1], sys.argv[2], float(sys.argv[3]), unusual)
    except Exception as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        sys.exit(1)
    print(", ".join(dict.fromkeys(unusual)))
