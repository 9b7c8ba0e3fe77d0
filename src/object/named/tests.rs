use super::*;
use crate::format::message::shared::Shared;
use crate::storage::MemoryStorage;

fn open(deflated: &[u8]) -> Engine {
    let bytes = miniz_oxide::inflate::decompress_to_vec_zlib(deflated).unwrap();
    Engine::open(Box::new(MemoryStorage::from(bytes)), false).unwrap()
}

fn message(engine: &mut Engine, path: &str, kind: u8) -> RawMessage {
    let root = engine.root();
    let addr = engine.find(root, path).unwrap().unwrap();
    let object = engine.object(addr).unwrap();
    object.header.message(kind).unwrap().clone()
}

#[test]
fn the_messages_are_those_of_libhdf5() {
    let mut golden = open(include_bytes!("../../../tests/golden/committed_new.h5.z"));
    let theirs = message(&mut golden, "types/point", kind::DATATYPE);
    let root = golden.root();
    let at = golden.find(root, "types/point").unwrap().unwrap();
    let datatype = golden.named_datatype(at).unwrap();

    let mut engine = Engine::create(Box::new(MemoryStorage::new())).unwrap();
    let root = engine.root();
    let addr = engine
        .commit_datatype(root, "types/point", &datatype)
        .unwrap();
    let ours = message(&mut engine, "types/point", kind::DATATYPE);
    assert_eq!((ours.flags, &ours.data), (theirs.flags, &theirs.data));

    // Of a dataset.
    let theirs = message(&mut golden, "points", kind::DATATYPE);
    let widths = golden.store.widths();
    assert_eq!(theirs.flags, flag::CONSTANT | flag::SHARED);
    assert_eq!(theirs.data, Shared::committed(at).encode(widths));

    // Of an attribute.
    let theirs = message(&mut golden, "points", kind::ATTRIBUTE);
    let points = golden.find(golden.root(), "points").unwrap().unwrap();
    let origin = golden.attribute(points, "origin").unwrap().unwrap();
    let space = origin.dataspace(widths).unwrap();
    let data = origin.data.clone();
    let element = ElementType {
        datatype: &datatype,
        committed: Some(addr),
    };
    engine
        .set_attribute(root, "origin", element, &space, |_| Ok(data))
        .unwrap();
    let ours = engine.object(root).unwrap().header.message(kind::ATTRIBUTE);
    let mut expected = theirs.data.clone();
    let reference = Shared::committed(at).encode(widths);
    let place = expected
        .windows(reference.len())
        .position(|window| reference == *window)
        .unwrap();
    let own = Shared::committed(addr).encode(widths);
    expected[place..place + own.len()].copy_from_slice(&own);
    assert_eq!(ours.unwrap().data, expected);
}
