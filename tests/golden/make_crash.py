"""Makes files that libhdf5 writes with its newest structures, for the crash tests to edit: crash_foreign.h5; the same
with free space kept in the file, crash_managed.h5, and that in pages, crash_paged.h5; and crash_marked.h5, whose writer died.
Those that are there already stay. No header of an object
that they edit straddles a 512-byte sector, the exception that the commit documents."""

import pathlib
import struct

import h5py
import numpy as np

here = pathlib.Path(__file__).parent


def make(path, pad, **options):
    with h5py.File(path, "w", libver=("v110", "v110"), **options) as file:
        if options:
            file["gone"] = np.arange(200.0)
        file.attrs["pad"] = "x" * pad
        file.attrs["rate"] = 2.5
        file.create_dataset("x", data=np.arange(40.0), maxshape=(None,), chunks=(16,))
        file.create_dataset(
            "y", data=np.arange(60, dtype="<i4").reshape(6, 10), maxshape=(None, None), chunks=(4, 4),
            compression="gzip", shuffle=True, fletcher32=True,
        )
        names = file.create_dataset("names", (3,), maxshape=(None,), dtype=h5py.string_dtype())
        names[:] = ["a", "b" * 30, "c"]
        file.create_dataset("c", data=np.arange(300.0))
        group = file.create_group("g")
        for number in range(12):
            group.create_dataset("d%02d" % number, data=np.float64(number))
        for number in range(10):
            file["x"].attrs["a%d" % number] = np.int64(number)
        edited = [file[name].id for name in ("/", "x", "y", "names", "c", "g")]
        addrs = [h5py.h5o.get_info(object).addr for object in edited]
        file.flush()
        marked = path.read_bytes()
        if options:
            del file["gone"]
    extension = struct.unpack_from("<Q", path.read_bytes(), 20)[0]
    addrs += [extension] * (extension != 2**64 - 1)
    if "marked" in path.name:
        assert marked[11] != 0
        path.write_bytes(marked)
    return not any(addr % 512 > 512 - 33 for addr in addrs)


PAGED = dict(fs_strategy="page", fs_persist=True, fs_page_size=512)
MANAGED = dict(fs_strategy="fsm", fs_persist=True)
for name, options in [("foreign", {}), ("paged", PAGED), ("managed", MANAGED), ("marked", {})]:
    if (here / f"crash_{name}.h5").exists():
        continue
    for pad in range(400):
        if make(here / f"crash_{name}.h5", pad, **options):
            break
    else:
        raise SystemExit("no padding keeps all headers inside sectors")
