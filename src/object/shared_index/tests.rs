use super::*;
use crate::storage::MemoryStorage;
use crate::store::Level;
use alloc::boxed::Box;
use alloc::format;

fn open(bytes: Vec<u8>) -> Engine {
    Engine::open(Box::new(MemoryStorage::from(bytes)), false).unwrap()
}

fn close(engine: Engine) -> Vec<u8> {
    let storage = engine.close(Level::Flush).unwrap();
    let mut bytes = alloc::vec![0; storage.len().unwrap() as usize];
    storage.read_at(0, &mut bytes).unwrap();
    bytes
}

/// All records, and how many the table says there are.
fn records(engine: &Engine) -> (Vec<Record>, usize) {
    let table = engine.store.shared_table.clone().unwrap();
    let (mut all, mut said) = (Vec::new(), 0);
    for index in &table.indexes {
        said += usize::from(index.messages);
        let records = Records::open(&engine.store, index).unwrap();
        records
            .for_each(&engine.store, &mut |record| {
                all.push(record);
                Ok(())
            })
            .unwrap();
    }
    (all, said)
}

fn is_of(record: &Record, addr: Addr) -> bool {
    matches!(record.location, Location::Header { addr: at, .. } if at == addr)
}

#[test]
fn the_records_of_what_goes_are_taken_out_and_no_others() {
    for golden in [
        &include_bytes!("../../../tests/golden/shared_list.h5.z")[..],
        &include_bytes!("../../../tests/golden/shared_trees.h5.z")[..],
    ] {
        let image = miniz_oxide::inflate::decompress_to_vec_zlib(golden).unwrap();
        let mut engine = open(image);
        let (before, said) = records(&engine);
        assert_eq!(before.len(), said);
        let root = engine.root();
        let mut names: Vec<_> = (0..60).map(|number| format!("many/{number:02}")).collect();
        names.extend(["unique", "committed", "d0"].map(Into::into));
        let mut gone = Vec::new();
        for name in names {
            let Some(addr) = engine.find(root, &name).unwrap() else {
                continue;
            };
            if before.iter().any(|record| is_of(record, addr)) {
                engine.unlink(root, &name).unwrap();
                gone.push(addr);
            }
        }
        assert!(!gone.is_empty());
        engine.commit(Level::Flush, false).unwrap();
        let engine = open(close(engine));
        let (after, said) = records(&engine);
        assert_eq!(after.len(), said);
        let mut kept = before.clone();
        kept.retain(|record| !gone.iter().any(|&addr| is_of(record, addr)));
        assert!(kept.len() < before.len());
        assert_eq!(after, kept);
    }
}
