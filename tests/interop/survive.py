"""usage: survive.py grow COUNT FILE... | check COUNT FILE...: every object in files of ours gets COUNT attributes and three hard links.

`grow` adds them; `check` finds them again, and the attribute that we set since."""
import sys

import h5py

LINKS = 3


def grow(count, path):
    with h5py.File(path, 'r') as file:
        names = list(file)
    with h5py.File(path, 'r+') as file:
        for name in names:
            item = file[name]
            for number in range(count):
                item.attrs[f'theirs {number}'] = number
            for number in range(LINKS):
                file[f'{name} link {number}'] = item
    check(count, path, names, None)


def check(count, path, names, ours):
    with h5py.File(path, 'r') as file:
        names = names or [name for name in file if ' link ' not in name]
        for name in names:
            item = file[name]
            assert h5py.h5o.get_info(item.id).rc >= 1 + LINKS, (path, name)
            for number in range(LINKS):
                assert file[f'{name} link {number}'] == item, (path, name)
            expected = {f'theirs {number}': number for number in range(count)}
            if ours is not None:
                expected['ours'] = ours
                del expected['theirs 0']
            assert set(item.attrs) == set(expected), (path, name, list(item.attrs)[:5])
            for attribute in list(expected)[::20]:
                assert item.attrs[attribute] == expected[attribute], (path, name, attribute)
            if isinstance(item, h5py.Dataset):
                if not name.endswith('external'):
                    item[()]
            elif isinstance(item, h5py.Datatype):
                assert item.id.get_size() > 0
            else:
                list(item)
        return len(names)


if __name__ == '__main__':
    verb, count, *paths = sys.argv[1:]
    for path in paths:
        if verb == 'grow':
            grow(int(count), path)
        else:
            print(check(int(count), path, None, 'kept'))
