"""Makes datasets of random numbers, and what libhdf5 makes of each when it is read as another type.

usage: conversions.py FILE SEED CASES
prints a line per case: name, type asked for, whether every value stays what it is
"""
import sys
from fractions import Fraction

import h5py
import numpy as np
from h5py import h5d, h5s, h5t

INTS = ["i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"]
FLOATS = ["f2", "f4", "f8", "g"]
NAMES = {"i1": "i8", "i2": "i16", "i4": "i32", "i8": "i64", "u1": "u8", "u2": "u16", "u4": "u32", "u8": "u64",
         "f2": "f16", "f4": "f32", "f8": "f64", "g": "F80"}
ALL = INTS + FLOATS


def random_values(rng, dtype, target):
    n = int(rng.integers(1, 40))
    if dtype.kind in "iu":
        info = np.iinfo(dtype)
        pool = [0, 1, info.min, info.max]
        for bits in range(0, info.bits, 3):
            pool += [(1 << bits) - 1, 1 << bits, -(1 << bits), -(1 << bits) - 1, (1 << bits) + 1]
        pool += [int(v) for v in rng.integers(-200, 200, 20)]
        pool += [int.from_bytes(rng.bytes(8), "little", signed=dtype.kind == "i") >> int(rng.integers(0, 64)) for _ in range(20)]
        pool = [v for v in pool if info.min <= v <= info.max]
        if rng.random() < 0.5:  # a case where everything fits
            keep = [v for v in pool if abs(v) < 100 and (v >= 0 or target.kind != "u")]
            pool = keep or pool
        return np.array([pool[i] for i in rng.integers(0, len(pool), n)], dtype)
    with np.errstate(all="ignore"):
        pool = [np.longdouble(v) for v in (0.0, -0.0, 0.5, 1.5, -2.5, 127.0, 128.0, 255.75, -129.5, 65504, 65519, 65520, 70000)]
        pool += [np.longdouble(v) for v in rng.standard_normal(20)]
        pool += [np.ldexp(np.longdouble(rng.standard_normal()), int(e)) for e in rng.integers(-160, 160, 30)]
        pool += [np.ldexp(np.longdouble(rng.standard_normal()), int(e)) for e in rng.integers(-30, 70, 30)]
        pool += [np.ldexp(np.longdouble(int(rng.integers(1, 64))), int(e)) for e in rng.integers(-28, 8, 10)]
        if target.kind == "f":
            pool += [np.longdouble(np.inf), np.longdouble(-np.inf), np.longdouble(np.nan), np.longdouble(np.finfo(np.float32).max)]
            pool += [np.longdouble(np.finfo(np.float32).smallest_subnormal) * 3, np.longdouble(2.0) ** -25]
        if rng.random() < 0.5:
            pool = [np.longdouble(int(v)) for v in rng.integers(0, 100, 20)]
        values = np.array(pool, np.longdouble)[rng.integers(0, len(pool), n)].astype(dtype)
    if target.kind in "iu":
        # What C leaves undefined: no number, and what the largest integer is rounded to.
        with np.errstate(all="ignore"):
            rounded = dtype.type(np.iinfo(target).max)
        values[~np.isfinite(values)] = 1
        if not np.isfinite(rounded) or int(rounded) > np.iinfo(target).max:
            values[values == rounded] = 1
        if dtype.char == "e" and target.kind == "u":
            values[:] = abs(values)  # libhdf5 does not cut these off at 0
        # In big-endian order libhdf5 makes the smallest integer of these, not 0.
        values[(values < 0) & (values > -1)] = -1
    return values


def exact(v):
    if isinstance(v, np.floating):
        if v != v:
            return "nan"
        if np.isinf(v):
            return str(v)
        mantissa, exponent = np.frexp(np.longdouble(v))
        return Fraction(int(np.ldexp(mantissa, 64))) * Fraction(2) ** (int(exponent) - 64)
    return Fraction(int(v))


def main(path, seed, cases):
    rng = np.random.default_rng(int(seed))
    with h5py.File(path, "w", libver="latest") as f:
        for i in range(int(cases)):
            source = np.dtype(ALL[int(rng.integers(len(ALL)))])
            target = np.dtype(ALL[int(rng.integers(len(ALL)))])
            data = random_values(rng, source, target)
            # In big-endian order libhdf5 converts bit by bit, and to halves wrongly: infinities become NaN, ties go up.
            big = rng.random() < 0.3 and source.char != "g" and target.char != "e"
            stored = source.newbyteorder(">") if big else source
            if stored != source and source.kind in "iu":
                around_bugs(data, source, target)
            kind = "plain"
            tid = h5t.py_create(stored)
            if source.kind in "iu" and target.char != "e" and rng.random() < 0.2:
                tid, kind = odd(rng, tid, source, data)
            elif source.kind in "iu" and rng.random() < 0.15:
                tid, kind = h5t.enum_create(tid), "enum"
                tid.enum_insert(b"ONE", 1)
            name = "%03d %s%s as %s" % (i, kind, stored.str, target.str)
            space = h5s.create_simple(data.shape)
            d = h5d.create(f.id, name.encode(), tid, space)
            mtype = tid if kind == "enum" else h5t.py_create(source)
            d.write(h5s.ALL, h5s.ALL, data.astype(stored) if kind == "enum" else data, mtype=mtype)
            got = np.zeros(data.shape, target)
            d.read(h5s.ALL, h5s.ALL, got, mtype=h5t.py_create(target))
            f.create_dataset("want " + name, data=got)
            fits = all(exact(a) == exact(b) for a, b in zip(data, got))
            print("%s\t%s\t%d" % (name, NAMES[target.str[1:] if target.char != "g" else "g"], fits))


def around_bugs(data, source, target):
    """libhdf5 2.0 reverses the bytes of big-endian integers, and takes them for the other sign where sizes agree; of the
    smallest it makes no number."""
    if target.kind in "iu" and target.kind != source.kind and target.itemsize == source.itemsize:
        data[:] = [int(v) & np.iinfo("i%d" % source.itemsize).max for v in data]
    if source.kind == "i" and target.kind == "f":
        data[data == np.iinfo(source).min] += 1


def odd(rng, tid, source, data):
    """Fewer bits than the bytes have, somewhere in them; the values are cut to fit."""
    bits = source.itemsize * 8
    precision = int(rng.integers(2, bits + 1))
    tid = tid.copy()
    tid.set_precision(precision)
    tid.set_offset(int(rng.integers(0, bits - precision + 1)))
    low, high = (-(1 << precision - 1), (1 << precision - 1) - 1) if source.kind == "i" else (0, (1 << precision) - 1)
    data[:] = [min(max(int(v), low), high) for v in data]
    return tid, "odd"


main(*sys.argv[1:])
