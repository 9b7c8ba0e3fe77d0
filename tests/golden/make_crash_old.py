"""Makes crash_old_*.h5.z: files of other writers in each form of the format, for the crash tests to edit, and
crash_old.txt: the objects of each whose header straddles a 512-byte sector, the exception that the commit documents.

    python make_crash_old.py
"""

import pathlib
import zlib

import h5py
import netCDF4
import numpy as np

here = pathlib.Path(__file__).parent


def fill(file, pad, track=False):
    file.attrs["pad"] = "x" * (pad % 480)
    file.attrs["rate"] = 2.5
    file.create_dataset("grows", data=np.arange(10.0), maxshape=(None,), chunks=(4,))
    file.create_dataset(
        "packed", data=np.arange(42, dtype="<i4").reshape(6, 7), maxshape=(None, None), chunks=(4, 4),
        compression="gzip", shuffle=True, fletcher32=True,
    )
    file.create_dataset("bound", data=np.arange(30, dtype="<i2"), maxshape=(40,), chunks=(8,), compression="gzip")
    names = file.create_dataset("names", (3,), maxshape=(None,), chunks=(4,), dtype=h5py.string_dtype())
    names[:] = ["a", "b" * 30, "c"]
    file.create_dataset("block", data=np.arange(100.0 + pad % 61))
    file.create_dataset("late", (20,), "<f8", fillvalue=1.5)
    file["late"].attrs["pad"] = "x" * (pad * 5 % 211)
    group = file.create_group("group", track_order=track)
    group.attrs["pad"] = "x" * (pad * 11 % 317)
    for number in range(9):
        group.create_dataset("d%02d" % number, data=np.float64(number))
    group["link"] = file["grows"]
    group["soft"] = h5py.SoftLink("/names")
    inner = group.create_group("inner", track_order=track)
    inner["x"] = np.arange(3.0)
    for number in range(10):
        file["grows"].attrs["a%02d" % number] = np.int64(number)
        group.attrs["a%02d" % number] = "text %d" % number


def with_h5py(path, pad, **options):
    with h5py.File(path, "w", **options) as file:
        fill(file, pad, track=options.get("track_order", False))


def with_netcdf(path, pad):
    with netCDF4.Dataset(path, "w", format="NETCDF4") as file:
        file.title = "x" * (pad % 480 + 1)
        file.createDimension("time", None)
        file.createDimension("lat", 4)
        file.createVariable("time", "f8", ("time",), fill_value=0)[:] = np.arange(5.0)
        file.createVariable("lat", "f4", ("lat",), fill_value=0)[:] = np.linspace(-90, 90, 4)
        wind = file.createVariable("wind", "f4", ("time", "lat"), zlib=True, chunksizes=(2, 4), fill_value=0)
        wind[:] = np.arange(20.0).reshape(5, 4)
        wind.factor = 0.5
        names = file.createVariable("names", str, ("time",))
        for number in range(5):
            names[number] = "n%d" % number
        group = file.createGroup("group")
        group.createDimension("x", 3)
        group.createVariable("x", "i4", ("x",), fill_value=0)[:] = [1, 2, 3]
        group.level = 7.0


def straddles(path, block):
    bad = []
    with h5py.File(path, "r") as file:
        items = [file["/"]]
        file.visititems(lambda name, item: items.append(item))
        for item in items:
            address = h5py.h5o.get_info(item.id).addr + block
            if address % 512 > 512 - 33 and not item.name.startswith("/group/d"):
                bad.append(item.name)
    return bad


KINDS = dict(
    earliest=lambda path, pad: with_h5py(path, pad, libver="earliest"),
    v108=lambda path, pad: with_h5py(path, pad, libver=("v108", "v108")),
    v110=lambda path, pad: with_h5py(path, pad, libver=("v110", "v110")),
    latest=lambda path, pad: with_h5py(path, pad, libver="latest"),
    ordered=lambda path, pad: with_h5py(path, pad, libver="earliest", track_order=True),
    userblock=lambda path, pad: with_h5py(path, pad, libver="earliest", userblock_size=512),
    page=lambda path, pad: with_h5py(path, pad, libver=("v110", "v110"), fs_strategy="page", fs_page_size=512),
    netcdf4=with_netcdf,
)
lines = []
for name, make in KINDS.items():
    path = here / ("crash_old_%s.h5" % name)
    block = 512 if name == "userblock" else 0
    tried = []
    for pad in range(0, 700, 7):
        make(path, pad)
        tried.append((straddles(path, block), pad))
        if not tried[-1][0]:
            break
    # The tests leave alone those whose header straddles whatever is before it.
    bad, pad = min(tried, key=lambda one: len(one[0]))
    make(path, pad)
    assert straddles(path, block) == bad
    raw = path.read_bytes()
    path.with_suffix(".h5.z").write_bytes(zlib.compress(raw, 9))
    path.unlink()
    lines.append(" ".join([name] + bad))
(here / "crash_old.txt").write_text("\n".join(lines) + "\n")
