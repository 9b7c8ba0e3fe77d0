#!/bin/sh
# Sets up what the interop suites talk to, as far as it is missing: hdf5-tools (h5dump and the others), strace, and virtual
# environments with h5py on several versions of libhdf5. Run from anywhere; a second run changes nothing.
#
#   .venv         h5py 3.16.0 (libhdf5 2.0.0), numpy, netCDF4 (libhdf5 2.2.0), hdf5plugin     needed
#   .venv-h5py311 h5py 3.11.0 (libhdf5 1.14.2)                                    as far as pip has it
#   .venv-h5py38  h5py 3.8.0 (libhdf5 1.12.2)                                     as far as pip has it
#   .venv-conventions  what opens the examples: netCDF4, xarray, anndata, Keras, nexusformat, mat73; as far as pip has it
#   .node         h5wasm (libhdf5 2.0.0 as WebAssembly)                           where there is npm
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
cd "$root"

left_out() {
    echo "left out: $1" >&2
}

# program NAME PACKAGE: installs the package of the system that has the program.
program() {
    if command -v "$1" >/dev/null 2>&1; then
        return 0
    fi
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
        apt-get install -y -qq "$2" || { apt-get update -qq && apt-get install -y -qq "$2"; }
    else
        left_out "$1: install the package $2"
    fi
}

program h5dump hdf5-tools
# What shows the tests which system calls are made, where there are such.
if [ "$(uname -s)" = Linux ]; then
    program strace strace
fi

# environment NAME REQUIREMENT...: makes it anew unless the last run finished it with the same requirements.
environment() {
    name=$1
    shift
    if [ "$(cat "$name/.requirements" 2>/dev/null)" = "$*" ]; then
        return 0
    fi
    rm -rf "$name"
    python3 -m venv "$name" && "$name/bin/pip" install -q --disable-pip-version-check "$@" \
        && "$name/bin/python" -c 'import h5py' && echo "$*" >"$name/.requirements"
}

environment .venv h5py==3.16.0 numpy==2.4.6 netCDF4==1.7.5.1.post1 hdf5plugin==7.1.0 || {
    echo "h5py 3.16.0 cannot be installed" >&2
    exit 1
}
environment .venv-h5py311 h5py==3.11.0 'numpy<2' || { rm -rf .venv-h5py311; left_out "h5py 3.11.0 (libhdf5 1.14.2)"; }
environment .venv-h5py38 h5py==3.8.0 'numpy<2' || { rm -rf .venv-h5py38; left_out "h5py 3.8.0 (libhdf5 1.12.2)"; }
environment .venv-conventions h5py==3.16.0 numpy==2.4.6 netCDF4==1.7.5.1.post1 xarray==2026.9.0 h5netcdf==1.8.2 \
    anndata==0.12.19 keras==3.15.1 jax==0.10.2 nexusformat==2.1.0 mat73==0.65 \
    || { rm -rf .venv-conventions; left_out "netCDF4, xarray, anndata, Keras, nexusformat and mat73"; }

if command -v npm >/dev/null 2>&1; then
    if [ ! -e .node/node_modules/h5wasm/package.json ]; then
        mkdir -p .node && npm install --silent --no-fund --no-audit --prefix .node h5wasm@0.10.3 \
            || { rm -rf .node; left_out "h5wasm"; }
    fi
else
    left_out "h5wasm: no npm"
fi

for python in .venv/bin/python .venv-h5py311/bin/python .venv-h5py38/bin/python; do
    [ -x "$python" ] && "$python" -c 'import h5py; print("h5py", h5py.__version__, "on libhdf5", h5py.version.hdf5_version)'
done
command -v h5dump >/dev/null 2>&1 && h5dump --version
exit 0
