"""netCDF-C, by netCDF4, and xarray with both of its engines open the example; netCDF-C goes on with it."""

import importlib.metadata
import sys

import netCDF4
import numpy as np
import xarray as xr

path = sys.argv[1]
AIR = np.array([[281.5, 299.0, 280.0], [282.0, 301.25, np.nan]], dtype="f4")

with netCDF4.Dataset(path) as file:
    assert file.data_model == "NETCDF4" and file.Conventions == "CF-1.11"
    sizes = {name: (len(dimension), dimension.isunlimited()) for name, dimension in file.dimensions.items()}
    assert list(sizes.items()) == [("time", (2, True)), ("lat", (3, False)), ("bounds", (2, False))], sizes
    assert list(file.variables) == ["time", "lat", "air", "lat_bounds"], list(file.variables)
    air = file["air"]
    assert air.dimensions == ("time", "lat") and air.ncattrs() == ["_FillValue", "units", "long_name"], air
    assert air.filters()["zlib"] and air.filters()["shuffle"] and air.filters()["complevel"] == 4
    assert air[:].mask.tolist() == [[False] * 3, [False, False, True]]
    np.testing.assert_array_equal(air[:].filled(np.nan), AIR)
    assert file["lat_bounds"].dimensions == ("lat", "bounds")
    assert file["time"].units == "hours since 2026-01-01"
    np.testing.assert_array_equal(file["lat"][:], [-45.0, 0.0, 45.0])

for engine in ["netcdf4", "h5netcdf"]:
    with xr.open_dataset(path, engine=engine) as data:
        assert dict(data.sizes) == {"time": 2, "lat": 3, "bounds": 2}, data
        assert list(data.coords) == ["time", "lat"] and set(data.data_vars) == {"air", "lat_bounds"}, data
        assert data.time.values[1] == np.datetime64("2026-01-01T06:00:00"), data.time
        np.testing.assert_array_equal(data.air.values, AIR)
        assert data.air.sel(lat=0.0).mean().item() == 300.125
        assert data.encoding["unlimited_dims"] == {"time"} and data.air.attrs["units"] == "K"

# netCDF-C makes the file longer, with a variable and a dimension of its own.
with netCDF4.Dataset(path, "a") as file:
    file["time"][2] = 12.0
    file["air"][2] = [1.0, 2.0, 3.0]
    file.createDimension("height", 4)
    file.createVariable("wind", "f8", ("time", "height"))[:] = 5.0
with xr.open_dataset(path, engine="h5netcdf") as data:
    assert dict(data.sizes) == {"time": 3, "lat": 3, "bounds": 2, "height": 4}
    np.testing.assert_array_equal(data.air.values[:2], AIR)
    np.testing.assert_array_equal(data.air.values[2], [1, 2, 3])
    assert (data.wind.values == 5.0).all() and data.wind.shape == (3, 4)

version = importlib.metadata.version
print("read by netCDF4", netCDF4.__version__, "netCDF-C", netCDF4.__netcdf4libversion__, end=", ")
print("xarray", version("xarray"), "h5netcdf", version("h5netcdf"))
