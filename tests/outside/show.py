"""Prints "name<tab>shape hex" of every dataset of the root group of a file, as h5py reads them."""
import sys

import h5py
import numpy as np

with h5py.File(sys.argv[1], "r") as f:
    for name, d in f.items():
        if isinstance(d, h5py.Dataset):
            # libhdf5 cannot read nothing from a virtual dataset.
            data = np.asarray(d[()]).astype(d.dtype).tobytes().hex() if d.size else ""
            print("/" + name + "\t" + ",".join(map(str, d.shape)), data)
