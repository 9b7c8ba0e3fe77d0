//! Groups of tests/golden/make_legacy.py.

use super::*;
use crate::format::legacy::object_header::{PREFIX_SIZE, decode_messages, decode_prefix};
use crate::format::message::kind;
use crate::storage::MemoryStorage;
use alloc::boxed::Box;
use alloc::format;

static ROOT: &[u8] = include_bytes!("../../../tests/golden/legacy_root.h5");
static MANY: &[u8] = include_bytes!("../../../tests/golden/legacy_many.h5.z");
static SIZES: &[u8] = include_bytes!("../../../tests/golden/legacy_sizes.h5");

fn many() -> Vec<u8> {
    miniz_oxide::inflate::decompress_to_vec_zlib(MANY).unwrap()
}

fn store(bytes: &[u8]) -> Store {
    Store::open(Box::new(MemoryStorage::from(bytes.to_vec()))).unwrap()
}

/// The symbol table of the group whose header is at `at`; its message is the first one.
fn table(store: &Store, at: Addr) -> SymbolTable {
    let bytes = store.read(Extent::new(at, 64), "test").unwrap();
    let prefix = decode_prefix(&bytes, 0).unwrap();
    let end = PREFIX_SIZE + (prefix.data_size as usize).min(24);
    let mut messages = decode_messages(&bytes[PREFIX_SIZE..end], 0).unwrap();
    if messages[0].kind == kind::CONTINUATION {
        let to = u64::from_le_bytes(messages[0].data[..8].try_into().unwrap());
        let bytes = store.read(Extent::new(Addr::new(to), 24), "test").unwrap();
        messages = decode_messages(&bytes, 0).unwrap();
    }
    assert_eq!(messages[0].kind, kind::SYMBOL_TABLE);
    let places = Places::decode(&messages[0].data, store.widths(), 0).unwrap();
    SymbolTable::open(store, places).unwrap()
}

fn group(store: &Store, name: &str) -> SymbolTable {
    let root = table(store, store.root());
    let link = root.find(store, name.as_bytes()).unwrap().unwrap();
    let LinkTarget::Hard(addr) = link.target else {
        panic!("{name} is a soft link");
    };
    table(store, addr)
}

fn expected(name: &str, number: usize, target: Addr) -> Link {
    Link {
        name: name.as_bytes().to_vec(),
        charset: CharacterSet::Ascii,
        creation_order: None,
        target: match number % 3 {
            2 => LinkTarget::Soft(format!("/somewhere/{number}").into_bytes()),
            _ => LinkTarget::Hard(target),
        },
    }
}

#[test]
fn groups_of_any_size_list_and_find_every_link() {
    let store = store(&many());
    let root = table(&store, store.root());
    let target = root.find(&store, b"target").unwrap().unwrap().target;
    let LinkTarget::Hard(target) = target else {
        panic!("{target:?}");
    };
    for count in [1, 9, 300] {
        let mut members = group(&store, &format!("members {count}"));
        let mut links: Vec<Link> = (0..count)
            .map(|i| expected(&format!("member {i:03}"), i, target))
            .collect();
        if count == 9 {
            links.push(Link {
                name: b"n".repeat(700),
                charset: CharacterSet::Ascii,
                creation_order: None,
                target: LinkTarget::Soft(b"p".repeat(600)),
            });
        }
        assert_eq!(members.list(&store).unwrap(), links);
        assert_eq!(members.count(&store).unwrap(), links.len() as u64);
        for link in &links {
            assert_eq!(
                members.find(&store, &link.name).unwrap().as_ref(),
                Some(link)
            );
        }
        for absent in ["", "a", "member", "member 000 ", "member 0", "z", "nn"] {
            assert_eq!(members.find(&store, absent.as_bytes()).unwrap(), None);
        }
    }
}

#[test]
fn an_empty_group_has_no_links() {
    let store = store(&many());
    let mut none = group(&store, "none");
    assert_eq!(none.list(&store).unwrap(), []);
    assert_eq!(none.count(&store).unwrap(), 0);
    assert_eq!(none.find(&store, b"a").unwrap(), None);
}

#[test]
fn trees_of_several_levels_and_of_other_node_sizes_are_walked() {
    let store = store(SIZES);
    let group = group(&store, "group");
    let names: Vec<Vec<u8>> = group
        .list(&store)
        .unwrap()
        .into_iter()
        .map(|link| link.name)
        .collect();
    let wanted: Vec<Vec<u8>> = (0..40)
        .map(|i| format!("link {i:02}").into_bytes())
        .collect();
    assert_eq!(names, wanted);
    for name in &wanted {
        assert!(group.find(&store, name).unwrap().is_some());
    }
    let root = read_tree_node(&store, group.places.tree, None).unwrap();
    assert!(root.level > 1, "level {}", root.level);
}

#[test]
fn names_beyond_ascii_are_utf_8() {
    let store = store(ROOT);
    let root = table(&store, store.root());
    let link = root.find(&store, "grüße".as_bytes()).unwrap().unwrap();
    assert_eq!(link.charset, CharacterSet::Utf8);
    assert_eq!(link.target, LinkTarget::Soft(b"/data".to_vec()));
}

/// Blocks lie side by side with the objects of the file, so that what is freed is what the group had.
#[test]
fn the_blocks_of_a_group_begin_with_their_signatures_and_do_not_overlap() {
    for bytes in [ROOT, SIZES, &many()] {
        let store = store(bytes);
        let root = table(&store, store.root());
        let mut blocks = Vec::new();
        root.blocks(&store, &mut |block| blocks.push(block))
            .unwrap();
        assert_eq!(blocks.len(), 4, "tree, node, heap and its segment");
        let mut signatures: Vec<&[u8]> = Vec::new();
        for block in &blocks {
            let at = block.addr.get() as usize;
            signatures.push(&bytes[at..at + 4]);
        }
        for signature in [b"TREE", b"SNOD", b"HEAP"] {
            assert!(signatures.contains(&&signature[..]), "{signature:?}");
        }
    }
}

fn find_bytes(bytes: &[u8], signature: &[u8]) -> Vec<usize> {
    (0..bytes.len())
        .filter(|&at| bytes[at..].starts_with(signature))
        .collect()
}

#[test]
fn a_tree_that_leads_back_into_itself_is_corrupt() {
    let mut bytes = SIZES.to_vec();
    let store_before = store(&bytes);
    let tree = group(&store_before, "group").places.tree;
    let root = read_tree_node(&store_before, tree, None).unwrap();
    assert!(root.children.len() > 1);
    // The second child becomes the first one once more.
    let second = tree.get() as usize + 24 + 8 + 16;
    bytes[second..second + 8].copy_from_slice(&root.children[0].get().to_le_bytes());
    let twice = store(&bytes);
    assert!(group(&twice, "group").list(&twice).is_err());
    // A child becomes the root.
    bytes[second..second + 8].copy_from_slice(&tree.get().to_le_bytes());
    let cycle = store(&bytes);
    let group = group(&cycle, "group");
    assert!(group.list(&cycle).is_err());
    for number in 0..40 {
        // Found or refused, but in the end.
        let _ = group.find(&cycle, format!("link {number:02}").as_bytes());
    }
}

#[test]
fn no_changed_byte_makes_a_walk_panic_or_hang() {
    let places = [b"TREE", b"SNOD", b"HEAP"]
        .iter()
        .flat_map(|signature| find_bytes(SIZES, &signature[..]))
        .collect::<Vec<_>>();
    let mut refused = 0;
    for at in places {
        for (offset, byte) in (0..64).flat_map(|offset| [(offset, 0xff), (offset, 0x00)]) {
            let mut bytes = SIZES.to_vec();
            let Some(place) = bytes.get_mut(at + offset) else {
                continue;
            };
            *place = byte;
            let store = store(&bytes);
            let addr = Addr::new(SIZES.len() as u64);
            let root = store.read(Extent::new(store.root(), 40), "test").unwrap();
            let message = &decode_messages(&root[PREFIX_SIZE..], 0).unwrap()[0];
            let places = Places::decode(&message.data, store.widths(), addr.get()).unwrap();
            let Ok(table) = SymbolTable::open(&store, places) else {
                refused += 1;
                continue;
            };
            refused += usize::from(table.list(&store).is_err());
            let _ = table.find(&store, b"group");
            let _ = table.blocks(&store, &mut |_| {});
        }
    }
    assert!(refused > 20, "{refused}");
}

#[test]
fn strings_that_overlap_throughout_are_refused() {
    let mut bytes = many();
    let store_before = store(&bytes);
    let table = group(&store_before, "members 300");
    // Every name becomes the whole segment.
    let segment = table.heap.segment;
    let (from, to) = (segment.addr.get() as usize, segment.end().get() as usize);
    bytes[from..to - 1].fill(b'x');
    bytes[to - 1] = 0;
    for at in find_bytes(&bytes, b"SNOD") {
        let count = usize::from(bytes[at + 6]);
        for entry in 0..count {
            let name = at + 8 + 40 * entry;
            bytes[name..name + 8].fill(0);
        }
    }
    let hostile = store(&bytes);
    let error = table.list(&hostile).unwrap_err();
    assert!(format!("{error}").contains("overlap"), "{error}");
}
