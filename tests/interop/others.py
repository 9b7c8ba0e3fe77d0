"""usage: others.py FILE: netCDF-4 (its own libhdf5) reads the numbers of `plain.h5`."""
import common
import numpy as np


def run(path):
    try:
        import netCDF4
    except ImportError:
        print('left out: netCDF4')
        return
    with netCDF4.Dataset(path) as file:
        expected = (np.arange(23 * 5) * 0.5).reshape(23, 5)
        for name in ('packed', 'two', 'flat'):
            found = file.variables[name][:]
            assert np.array_equal(found, expected), (name, found)
        assert file.fs == 16000
    print('netCDF4', netCDF4.__version__, 'on libhdf5', netCDF4.__hdf5libversion__)


common.main(run)
