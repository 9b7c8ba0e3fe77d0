//! Space: what a copy takes, and what one that fails gives back.

use crate::{CopyOptions, ErrorKind, File, H5Type, Result};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use ndarray::Array2;

/// A tree of everything this crate makes.
fn tree(file: &File) -> Result<()> {
    let plain = file
        .new_dataset::<f64>()
        .shape((0.., 3))
        .create("tree/one/plain")?;
    plain.append(&Array2::from_elem((900, 3), 1.5))?;
    let packed = file
        .new_dataset::<i32>()
        .shape(0..)
        .chunk(64)
        .deflate(4)
        .create("tree/one/packed")?;
    packed.append(&(0..1000).collect::<Vec<i32>>())?;
    let names = file.new_dataset::<String>().shape(0..).chunk(8);
    let names = names.create("tree/names")?;
    names.append(&(0..50).map(|n| format!("name {n}")).collect::<Vec<_>>())?;
    file.new_dataset::<u8>()
        .shape(4)
        .create("tree/compact")?
        .write(&[1_u8, 2, 3, 4])?;
    let block = file
        .new_dataset::<u16>()
        .shape(70_000)
        .create("tree/block")?;
    block.write(&(0..70_000).map(|n| n as u16).collect::<Vec<_>>())?;
    for number in 0..30 {
        file.group("tree")?
            .set_attr(&format!("attr {number}"), "text")?;
        file.create_group(&format!("tree/many/{number}"))?;
    }
    file.link_hard("tree/block", "tree/many/block")?;
    file.link_soft("/tree/one", "tree/soft")
}

/// The file says which of its space nothing reaches; a copy leaves none.
fn assert_all_reached(file: &File) {
    let object = &file.location().object;
    let lost = object.with(|engine, _| engine.unreachable()).unwrap();
    assert_eq!(lost, []);
    let report = file.verify().unwrap();
    assert!(report.is_sound(), "{report}");
}

fn assert_same_tree(file: &File, at: &str) {
    let names = file.dataset(&format!("{at}/names")).unwrap();
    assert_eq!(names.read_raw::<String>().unwrap()[49], "name 49");
    let packed = file.dataset(&format!("{at}/one/packed")).unwrap();
    assert_eq!(
        packed.read_raw::<i32>().unwrap(),
        (0..1000).collect::<Vec<_>>()
    );
    let plain = file.dataset(&format!("{at}/one/plain")).unwrap();
    assert_eq!(plain.read_raw::<f64>().unwrap(), [1.5; 2700]);
    let block = file.dataset(&format!("{at}/many/block")).unwrap();
    assert_eq!(block.read_raw::<u16>().unwrap()[69_999], 69_999_u32 as u16);
    assert_eq!(
        file.group(&format!("{at}/many")).unwrap().len().unwrap(),
        31
    );
    let group = file.group(at).unwrap();
    assert_eq!(group.attr_names().unwrap().len(), 30);
    assert_eq!(group.len().unwrap(), 6);
}

#[test]
fn a_copy_takes_space_that_the_file_knows_and_gives_it_back() {
    let file = File::create_memory().unwrap();
    tree(&file).unwrap();
    // Before the first commit, from memory.
    file.copy("tree", &file, "early").unwrap();
    file.flush().unwrap();
    assert_all_reached(&file);
    file.copy("tree", &file, "a/b/late").unwrap();
    // A group into itself: what it held before.
    file.copy("tree", &file, "tree/inner").unwrap();
    file.unlink("tree/inner/many").unwrap();
    file.flush().unwrap();
    assert_all_reached(&file);
    let other = File::create_memory().unwrap();
    file.copy("a", &other, "from another").unwrap();
    other.flush().unwrap();
    assert_all_reached(&other);
    for (file, at) in [
        (&file, "early"),
        (&file, "a/b/late"),
        (&other, "from another/b/late"),
    ] {
        assert_same_tree(file, at);
    }
    // The copies are objects of their own, and change like any.
    let packed = other.dataset("from another/b/late/one/packed").unwrap();
    packed.append(&[7; 100]).unwrap();
    let names = other.dataset("from another/b/late/names").unwrap();
    names.append(&[String::from("new")]).unwrap();
    other.create_group("from another/b/late/many/new").unwrap();
    other.flush().unwrap();
    assert_all_reached(&other);
    for gone in ["early", "a", "tree"] {
        file.unlink(gone).unwrap();
    }
    file.flush().unwrap();
    assert_all_reached(&file);
    assert!(file.is_empty().unwrap());
}

#[test]
fn a_copy_that_fails_gives_its_space_back() {
    let source = File::create_memory().unwrap();
    tree(&source).unwrap();
    let mut bytes = source.into_bytes().unwrap();
    let heaps: Vec<usize> = (0..bytes.len() - 4)
        .filter(|&at| &bytes[at..at + 4] == b"GCOL")
        .collect();
    let last = *heaps.last().unwrap();
    bytes[last] = b'?';
    let source = File::open_memory(bytes).unwrap();

    let file = File::create_memory().unwrap();
    file.create_group("kept").unwrap();
    file.flush().unwrap();
    let end = |file: &File| {
        let object = &file.location().object;
        object.with(|engine, _| Ok(engine.store.end())).unwrap()
    };
    let before = end(&file);
    let error = source.copy("tree", &file, "copy").unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Corrupt { .. }), "{error}");
    assert_eq!(error.object_path(), Some("/tree"));
    assert!(!file.exists("copy").unwrap());
    file.create_group("later").unwrap(); // the handle is as good as before
    file.flush().unwrap();
    assert_all_reached(&file);
    assert!(end(&file) <= before + 4096, "{} {before}", end(&file));
    // Without the damaged strings it can be copied.
    source.copy("tree/one", &file, "one").unwrap();
    assert_eq!(file.group("one").unwrap().len().unwrap(), 2);
}

#[test]
fn sequences_of_sequences_are_copied_and_kept() {
    let file = File::create_memory().unwrap();
    let words = crate::Datatype::VarLenSequence {
        size: 16,
        base: alloc::boxed::Box::new(String::datatype()),
    };
    let data = file.new_dataset_of(words).shape(3).create("words").unwrap();
    let element = |words: &[&str]| {
        let object = &file.location().object;
        object
            .with(|engine, _| {
                let crate::object::engine::Engine { heap, store, .. } = engine;
                let mut inner = Vec::new();
                for word in words {
                    let at = heap.insert(store, word.as_bytes())?;
                    inner.extend((word.len() as u32).to_le_bytes());
                    inner.extend(at.addr.get().to_le_bytes());
                    inner.extend(at.index.to_le_bytes());
                }
                let at = heap.insert(store, &inner)?;
                let mut outer = (words.len() as u32).to_le_bytes().to_vec();
                outer.extend(at.addr.get().to_le_bytes());
                outer.extend(at.index.to_le_bytes());
                Ok(outer)
            })
            .unwrap()
    };
    let mut bytes = element(&["one", "two words"]);
    bytes.extend([0; 16]);
    bytes.extend(element(&["three"]));
    let all = crate::selection::Resolved::whole(&[3]).unwrap();
    data.object
        .change(0, |engine, addr| engine.write_dataset(addr, &all, &bytes))
        .unwrap();
    file.flush().unwrap();
    let other = File::create_memory().unwrap();
    file.copy("words", &other, "words").unwrap();
    other.flush().unwrap();
    assert_all_reached(&other);
    drop(file);
    let bytes = other.into_bytes().unwrap();
    for word in ["one", "two words", "three"] {
        let found = bytes
            .windows(word.len())
            .filter(|at| *at == word.as_bytes());
        assert_eq!(found.count(), 1, "{word}");
    }
}

#[test]
fn options_leave_out_what_they_say() {
    let file = File::create_memory().unwrap();
    tree(&file).unwrap();
    let other = File::create_memory().unwrap();
    let copy = |name: &str, options| file.copy_with("tree", &other, name, options).unwrap();
    copy("shallow", CopyOptions::new().shallow(true));
    assert!(other.group("shallow/many").unwrap().is_empty().unwrap());
    assert!(other.dataset("shallow/names").is_ok());
    copy("bare", CopyOptions::new().without_attrs(true));
    assert!(
        other
            .group("bare")
            .unwrap()
            .attr_names()
            .unwrap()
            .is_empty()
    );
    copy("soft", CopyOptions::new().expand_soft(true));
    other.unlink("soft/one").unwrap();
    assert!(other.dataset("soft/soft/packed").is_ok());
    other.flush().unwrap();
    assert_all_reached(&other);
}
