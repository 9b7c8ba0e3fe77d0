"""Writes tests/golden/free_space: the free-space managers of a file as libhdf5 leaves them, each its header and then its list.
Prints where the headers stood, which the lists repeat.

Run: python tests/golden/make_free_space.py   (made with h5py 3.16, libhdf5 2.0.0)"""
import os
import struct
import tempfile

import h5py
import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
NAMES = {0: 'metadata', 2: 'raw', 6: 'large'}
HEADER = 82

os.makedirs(f'{HERE}/free_space', exist_ok=True)
for strategy in ('fsm', 'page'):
    with tempfile.TemporaryDirectory() as folder:
        path = f'{folder}/file.h5'
        space = dict(fs_strategy=strategy, fs_persist=True, fs_threshold=1)
        if strategy == 'page':
            space['fs_page_size'] = 512
        with h5py.File(path, 'w', libver='latest', **space) as file:
            for number in range(12):
                file[f'd{number}'] = np.arange(100 + 37 * number)
            for number in range(9):
                file[f's{number}'] = np.arange(20 + number)
            for number in range(5):
                file.create_group(f'g{number}')
        with h5py.File(path, 'r+', libver='latest') as file:
            for number in (1, 2, 5, 7):
                del file[f'd{number}']
            for name in ('g3', 's1', 's4', 's6'):
                del file[name]
        data = open(path, 'rb').read()
    message = data.index(bytes([1, strategy == 'page', 1]) + struct.pack('<Q', 1))
    for number, header in enumerate(struct.unpack_from('<12Q', data, message + 29)):
        if header == 2 ** 64 - 1:
            continue
        assert data[header:header + 4] == b'FSHD'
        at, used, allocated = struct.unpack_from('<3Q', data, header + HEADER - 28)
        assert used == allocated
        print(strategy, NAMES[number], header)
        with open(f'{HERE}/free_space/{strategy}-{NAMES[number]}.bin', 'wb') as out:
            out.write(data[header:header + HEADER] + data[at:at + used])
