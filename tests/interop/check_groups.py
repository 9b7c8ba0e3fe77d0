"""usage: check_groups.py FILE MANIFEST: the groups and links of `groups_links_and_names_read_back`."""
import common
import h5py


def run(path, manifest):
    with h5py.File(path, 'r') as file:
        common.check(file, manifest)
        assert sorted(file['groups']) == sorted(f'of {n}' for n in (0, 1, 8, 9, 100, 5000))
        for count in (0, 1, 8, 9, 100, 5000):
            group = file[f'groups/of {count}']
            targets = {name: group.get(name, getlink=True).path for name in group}
            expected = {f'member {nth * 7919 % count}': f'/target of {nth}' for nth in range(count)}
            if count >= 9:
                expected['late'] = '/late'
            assert targets == expected, count
            assert list(group) == sorted(expected, key=str.encode)
            assert len(group) == len(expected)
        assert sorted(file['children']) == sorted(f'child {n}' for n in range(40))
        assert all(list(child) == ['grandchild'] for child in file['children'].values())
        links = file['links']
        assert set(links) == {'data', 'hard', 'soft', 'absolute', 'dangling'}
        assert links['data'] == links['hard'] == links['soft'] == links['absolute']
        assert file['names/links'] == links
        assert h5py.h5o.get_info(links['data'].id).rc == 2
        assert h5py.h5o.get_info(links.id).rc == 2
        assert h5py.h5o.get_info(file['groups'].id).rc == 1
        kinds = {name: type(links.get(name, getlink=True)).__name__ for name in links}
        assert kinds == dict(data='HardLink', hard='HardLink', soft='SoftLink', absolute='SoftLink', dangling='SoftLink')
        assert links.get('soft', getlink=True).path == 'data'
        assert links.get('dangling', getlink=True).path == 'nowhere'
        assert 'dangling' in list(links) and links.get('dangling') is None
        for name in links:
            assert links.id.links.get_info(name.encode()).cset == h5py.h5t.CSET_ASCII
        names = file['names']
        assert names.id.links.get_info('日本語'.encode()).cset == h5py.h5t.CSET_UTF8


common.main(run)
