"""Makes files of many objects, and does to them with libhdf5 what benches/many_objects.rs does.

    make FILE earliest|latest COUNT GROUPS
    edit FILE               prints microseconds, and kilobytes of memory that it took beyond the start
"""
import sys
import time

import h5py
import numpy as np
from h5py import h5a, h5f, h5g, h5p, h5s, h5t


def most():
    with open('/proc/self/status') as status:
        return next(int(line.split()[1]) for line in status if line.startswith('VmHWM'))


def make(path, libver, count, groups):
    count, groups = int(count), int(groups)
    with h5py.File(path, 'w', libver=libver) as file:
        for number in range(groups):
            parent = file.id if groups == 1 else h5g.create(file.id, b'group %d' % number)
            for member in range(count // groups):
                h5g.create(parent, b'member %06d' % member)


def edit(path):
    value, space = np.array(7, '<i4'), h5s.create(h5s.SCALAR)
    access = h5p.create(h5p.FILE_ACCESS)
    before, begun = most(), time.perf_counter()
    file = h5f.open(path.encode(), h5f.ACC_RDWR, fapl=access)
    attribute = h5a.create(h5g.open(file, b'/'), b'added by libhdf5', h5t.STD_I32LE, space)
    attribute.write(value)
    del attribute
    file.close()
    print((time.perf_counter() - begun) * 1e6, most() - before)


{'make': make, 'edit': edit}[sys.argv[1]](*sys.argv[2:])
