"""Makes the seeds of both fuzz targets: fuzz/corpus/{open_walk_read,open_edit_reopen} and fuzz/seeds (whole files only).

usage: seeds.py [FOLDER ...]   takes the fixtures of the repository, and every HDF5 file of the folders named
"""
import hashlib
import pathlib
import sys
import zlib

here = pathlib.Path(__file__).resolve().parent
tests = here.parent / "tests"
LARGEST = 40_000


def files(folders):
    for folder in folders:
        for path in sorted(pathlib.Path(folder).rglob("*")):
            if path.is_file():
                data = path.read_bytes()
                if path.suffix == ".z":
                    data = zlib.decompress(data)
                if data[:8] == b"\x89HDF\r\n\x1a\n" or data[512:520] == b"\x89HDF\r\n\x1a\n":
                    yield path, data


def main():
    outs = {name: here / name for name in ("seeds", "corpus/open_walk_read", "corpus/open_edit_reopen")}
    for out in outs.values():
        out.mkdir(parents=True, exist_ok=True)
    own = set(files([tests]))
    count = 0
    for path, data in sorted(own) + list(files(sys.argv[1:])):
        if len(data) > LARGEST:
            continue
        digest = hashlib.sha1(data).hexdigest()
        if (path, data) in own:
            (outs["seeds"] / digest).write_bytes(data)
        (outs["corpus/open_walk_read"] / digest).write_bytes(data)
        script = hashlib.sha256(data).digest()[:16]
        (outs["corpus/open_edit_reopen"] / digest).write_bytes(data + script)
        count += 1
    print(count, "seeds")


main()
