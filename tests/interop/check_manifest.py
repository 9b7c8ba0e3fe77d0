"""usage: check_manifest.py FILE MANIFEST [FILE MANIFEST ...]: every file holds exactly what its manifest says."""
import common
import h5py


def run(*arguments):
    for path, manifest in zip(arguments[::2], arguments[1::2]):
        with h5py.File(path, 'r') as file:
            print(common.counted(file, manifest))


common.main(run)
