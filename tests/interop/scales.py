"""Dimension scales by libhdf5's high-level library (H5DS), which h5py drives.

    scales.py serve             lines of JSON in, [path, begin, operations]; a line of JSON out
    scales.py same OURS MADE    makes MADE, which must have the attributes of OURS
"""

import json
import sys

import h5py
import numpy as np
from h5py import h5ds

NAMES = ["a", "b", "c", "d"]


def begin(path, how):
    """A file of four datasets, in a form that this library does not make by itself."""
    fcpl = h5py.h5p.create(h5py.h5p.FILE_CREATE)
    fapl = h5py.h5p.create(h5py.h5p.FILE_ACCESS)
    if how == "latest":
        fapl.set_libver_bounds(h5py.h5f.LIBVER_LATEST, h5py.h5f.LIBVER_LATEST)
    if how == "short":
        fcpl.set_sizes(4, 4)
    with h5py.File(h5py.h5f.create(path.encode(), fcpl=fcpl, fapl=fapl)) as file:
        for name, shape in zip(NAMES, [(3, 4), (3,), (3,), (4,)]):
            file.create_dataset(name, shape, "f4")


def operation(file, what, dataset, *arguments):
    dataset = file[NAMES[dataset]]
    if what == "make":
        dataset.make_scale(arguments[0])
    elif what == "attach":
        dataset.dims[arguments[0]].attach_scale(file[NAMES[arguments[1]]])
    elif what == "detach":
        dataset.dims[arguments[0]].detach_scale(file[NAMES[arguments[1]]])
    elif what == "label":
        dataset.dims[arguments[0]].label = arguments[1]


def state(file):
    """What a dataset is: whether a scale, its name, the scales and the label of each axis."""
    found = []
    for name in NAMES:
        dataset = file[name]
        scale = h5ds.is_scale(dataset.id)
        axes = []
        for axis in range(dataset.ndim):
            scales = [scale.name[1:] for scale in dataset.dims[axis].values()]
            for other in NAMES:
                if other != name and h5ds.is_scale(file[other].id) and not scale:
                    # By both lists.
                    both = h5ds.is_attached(dataset.id, file[other].id, axis)
                    assert both == (other in scales), (name, axis, other, both)
            axes.append([scales, dataset.dims[axis].label])
        title = h5ds.get_scale_name(dataset.id).decode() if scale else ""
        found.append([scale, title, axes])
    return found


def serve():
    for line in sys.stdin:
        path, how, operations = json.loads(line)
        if how:
            begin(path, how)
        made = []
        with h5py.File(path, "r+") as file:
            for one in operations:
                try:
                    operation(file, *one)
                    made.append(True)
                except (RuntimeError, IndexError, OSError, ValueError):
                    made.append(False)
            try:
                answer = json.dumps([made, state(file)], ensure_ascii=False)
            except (RuntimeError, AssertionError) as error:
                answer = repr(error)
        print(answer, flush=True)


def described(file):
    """Each attribute of dimension scales: its type to the bit, its shape and its values, references as paths."""
    found = {}
    for name in file:
        for attribute in file[name].attrs:
            opened = h5py.h5a.open(file[name].id, attribute.encode())
            kind = opened.get_type()
            text = [kind.encode().hex(), opened.get_space().shape]
            value = file[name].attrs[attribute]
            if attribute == "DIMENSION_LIST":
                value = [[file[reference].name for reference in axis] for axis in value]
            elif attribute == "REFERENCE_LIST":
                value = [(file[reference].name, int(axis)) for reference, axis in value]
            elif isinstance(value, np.ndarray):
                value = value.tolist()
            found[name, attribute] = (*text, value)
    return found


def same(ours, made):
    with h5py.File(made, "w", libver=("v110", "v110")) as file:
        for name, shape in zip(NAMES, [(3, 4), (3,), (3,), (4,)]):
            file.create_dataset(name, shape, "f4")
        file["b"].make_scale("longitude")
        file["c"].make_scale("")
        file["a"].dims[0].attach_scale(file["b"])
        file["a"].dims[0].attach_scale(file["c"])
        file["a"].dims[1].attach_scale(file["d"])
        file["a"].dims[1].label = "level"
        expected = described(file)
    with h5py.File(ours, "r") as file:
        found = described(file)
    assert len(expected) == 10, expected
    for key in expected.keys() | found.keys():
        assert expected.get(key) == found.get(key), (key, expected.get(key), found.get(key))
    print(len(found))


if sys.argv[1] == "serve":
    serve()
else:
    same(*sys.argv[2:])
