"""nexusformat opens the example and finds what is to be plotted."""

import sys

import nexusformat
import numpy as np
from nexusformat.nexus import nxload

root = nxload(sys.argv[1])
assert root.nxclass == "NXroot" and root.entry.nxclass == "NXentry" and root.entry.data.nxclass == "NXdata"
assert root.entry.title.nxvalue == "a peak"
data = root.get_default()
assert data.nxpath == "/entry/data", data.nxpath
assert data.nxsignal.nxname == "counts" and [axis.nxname for axis in data.nxaxes] == ["two_theta"]
two_theta = 10.0 + 0.1 * np.arange(101)
np.testing.assert_array_equal(data.nxaxes[0].nxdata, two_theta)
counts = (1000 * np.exp(-((two_theta - 15.0) ** 2))).astype("i4")
assert np.abs(data.nxsignal.nxdata - counts).max() <= 1 and data.nxsignal.nxdata.dtype == "i4"
assert data.nxaxes[0].attrs["units"] == "degree" and data.plottable_data is not None
assert data[14.0:16.0].nxsignal.shape == (21,)
print("read by nexusformat", nexusformat.__version__)
