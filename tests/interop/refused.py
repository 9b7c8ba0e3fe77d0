"""usage: refused.py FOLDER: makes files of kinds that cannot be edited yet, and prints the name of each and a word that
its refusal must say."""
import os

import common
import h5py
import numpy as np

V110 = dict(libver=('v110', 'v110'))


def run(folder):
    def make(name, word, fill, **options):
        with h5py.File(os.path.join(folder, name), 'w', **options) as file:
            fill(file)
        print(name, word, sep='\t')

    def data(file, **more):
        file.create_dataset('data', data=np.arange(20, dtype='i4'), **more)

    make('superblock 0 and symbol tables.h5', '', data, libver='earliest')
    make('superblock 0, version 1 index.h5', '', lambda f: data(f, chunks=(5,), maxshape=(None,)), libver='earliest')
    make('superblock 2, layout 3.h5', '', lambda f: data(f, chunks=(5,), maxshape=(None,)), libver=('v108', 'v108'))
    make('layout 5.h5', '', lambda f: data(f, chunks=(5,), maxshape=(None,)), libver='latest')
    make('compound.h5', '', lambda f: f.create_dataset('data', data=np.zeros(3, [('a', 'i4'), ('b', 'f8')])), **V110)
    enum = h5py.enum_dtype({'A': 0, 'B': 1}, 'i4')
    make('enumeration.h5', '', lambda f: f.create_dataset('data', (4,), enum), **V110)
    make('reference.h5', '', lambda f: f.create_dataset('data', (4,), h5py.ref_dtype), **V110)
    make('sequence.h5', '', lambda f: f.create_dataset('data', (4,), h5py.vlen_dtype('i4')), **V110)

    def virtual(file):
        layout = h5py.VirtualLayout((10,), 'i4')
        layout[:] = h5py.VirtualSource('other.h5', 'data', (10,))
        file.create_virtual_dataset('data', layout)
    make('virtual.h5', 'virtual', virtual, **V110)

    def external(file):
        file.create_dataset('data', (10,), 'i4', external=[(os.path.join(folder, 'raw.bin'), 0, 40)])
    make('external data.h5', 'external', external, **V110)

    def committed(file):
        file['type'] = np.dtype('i4')
        file.create_dataset('data', (10,), file['type'])
    make('committed type.h5', 'committed', committed, **V110)
    make('external link.h5', 'external', lambda f: f.__setitem__('data', h5py.ExternalLink('other.h5', '/x')), **V110)
    make('userblock.h5', 'base address', data, userblock_size=512, **V110)
    make('scale-offset.h5', 'filter', lambda f: data(f, chunks=(5,), scaleoffset=0), **V110)
    make('lzf.h5', 'filter', lambda f: data(f, chunks=(5,), compression='lzf'), **V110)
    make('n-bit.h5', 'bits', nbit, **V110)
    make('paged.h5', 'file space', data, fs_strategy='page', **V110)



def nbit(file):
    plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plist.set_chunk((5,))
    plist.set_filter(h5py.h5z.FILTER_NBIT, h5py.h5z.FLAG_OPTIONAL)
    stored = h5py.h5t.STD_I32LE.copy()
    stored.set_precision(12)
    low = h5py.h5d.create(file.id, b'data', stored, h5py.h5s.create_simple((20,)), plist)
    h5py.Dataset(low)[...] = np.arange(20)


common.main(run)
