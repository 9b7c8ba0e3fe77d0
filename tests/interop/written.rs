//! We write, they read.

use crate::manifest::{How, Manifest, case, pythons, script};
use crate::samples::{LONG_STRINGS, Sample};
use h5quill::{
    ErrorKind, Extent, F80, F128, File, FillTime, FixedAscii, FixedUnicode, VarLenAscii,
    VarLenUnicode,
};
use half::{bf16, f16};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A file to be, in a directory that goes with the guard.
pub fn scratch(name: &str) -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(name);
    (directory, path)
}

/// Calls a macro for every element type.
macro_rules! for_every_type {
    ($call:ident) => {
        $call!(
            i8,
            i16,
            i32,
            i64,
            u8,
            u16,
            u32,
            u64,
            f16,
            bf16,
            f32,
            f64,
            F80,
            F128,
            bool,
            FixedAscii<8>,
            FixedUnicode<12>,
            String,
            VarLenUnicode,
            VarLenAscii,
            [u8; 1],
            [f32; 3],
            [F80; 2],
            [bool; 5],
            [String; 2],
            [FixedAscii<8>; 2],
            [[i32; 2]; 3]
        )
    };
}

/// Types that have no byte order and no number inside do not differ in a big-endian file.
fn type_name<T: Sample>(nth: usize) -> String {
    format!("{nth:02} {}", T::token().replace('*', " of "))
}

fn type_cases<T: Sample>(file: &File, manifest: &mut Manifest, nth: usize) {
    let name = type_name::<T>(nth);
    for big in [false, true] {
        let order = if big { "big" } else { "little" };
        let mut put = |what: &str, mut case: crate::manifest::Case| {
            case.big = big;
            manifest.dataset::<T>(file, &format!("/{name}/{order}/{what}"), &case);
        };
        put("scalar", case((), "compact"));
        put("compact", case([5], "compact"));
        put("contiguous", case([7, 3], "contiguous"));
        put("chunked", case([5, 7], "chunked").chunk(&[2, 3]));
        put(
            "extendible",
            case((11.., 3), "chunked").chunk(&[4, 3]).how(How::Grown),
        );
        let mut filtered = case((11.., 3..), "chunked").chunk(&[4, 2]).how(How::Grown);
        (filtered.shuffle, filtered.deflate) = (true, Some(4));
        // libhdf5 refuses it over strings of variable length, and crashes where it copies arrays of them.
        filtered.fletcher32 = !T::token().ends_with("vstr") && !T::token().ends_with("vascii");
        put("filtered", filtered);
        put("unwritten", case((3.., 2), "chunked").how(How::Nothing));
        put("empty", case((0..,), "chunked"));
    }
    manifest.null_dataset::<T>(file, &format!("/{name}/null"));
}

/// Every type in every layout.
pub fn file_of_types(path: &Path) -> Manifest {
    let mut manifest = Manifest::new(path, 0);
    let file = File::create(path).unwrap();
    let mut nth = 0;
    macro_rules! put {
        ($($type:ty),*) => {$(
            nth += 1;
            type_cases::<$type>(&file, &mut manifest, nth);
        )*};
    }
    for_every_type!(put);
    file.close().unwrap();
    manifest
}

#[test]
fn every_type_in_every_byte_order_reads_back_bit_for_bit() {
    let (_guard, path) = scratch("types.h5");
    file_of_types(&path).check();
}

fn layout_cases(file: &File, manifest: &mut Manifest) {
    let mut put = |what: &str, case: crate::manifest::Case| {
        manifest.dataset::<i32>(file, &format!("/{what}"), &case);
    };
    put("compact of the largest size", case([16_250], "compact"));
    put("contiguous", case([300, 70], "contiguous"));
    put(
        "contiguous in part",
        case([300, 70], "contiguous").how(How::Part(vec![20, 30])),
    );
    put(
        "contiguous unwritten",
        case([300, 70], "contiguous").how(How::Nothing),
    );
    put("single chunk", case([30, 20], "chunked").chunk(&[30, 20]));
    put(
        "single chunk that can grow to it",
        case((20..=30, 20), "chunked")
            .chunk(&[30, 20])
            .how(How::Grown),
    );
    let mut early = case([50, 33], "chunked")
        .chunk(&[10, 8])
        .how(How::Part(vec![11, 9]));
    early.early = true;
    put("implicit", early);
    let mut early = case([50, 33], "contiguous").how(How::Nothing);
    early.early = true;
    put("contiguous early", early);
    put("fixed array", case([50, 33], "chunked").chunk(&[10, 8]));
    put(
        "fixed array in part",
        case([50, 33], "chunked")
            .chunk(&[10, 8])
            .how(How::Part(vec![11, 9])),
    );
    put(
        "fixed array unwritten",
        case([50, 33], "chunked").chunk(&[10, 8]).how(How::Nothing),
    );
    put(
        "fixed array of 1024 chunks",
        case([1024 * 4], "chunked").chunk(&[4]),
    );
    put(
        "fixed array of many chunks",
        case([61, 82], "chunked").chunk(&[1, 2]),
    );
    put(
        "fixed array of many chunks in part",
        case([61, 82], "chunked")
            .chunk(&[1, 2])
            .how(How::Part(vec![3, 40])),
    );
    put(
        "fixed array up to a maximum",
        case((30..=100, 40..=50), "chunked")
            .chunk(&[3, 4])
            .how(How::Grown),
    );
    put(
        "unlimited in one axis",
        case((1000..,), "chunked").chunk(&[16]).how(How::Grown),
    );
    put(
        "unlimited in one axis, depth 2",
        case((30_000..,), "chunked").chunk(&[2]).how(How::Grown),
    );
    put(
        "unlimited in the inner axis",
        case((3, 500..), "chunked").chunk(&[2, 7]).how(How::Grown),
    );
    put(
        "unlimited in two axes",
        case((30.., 45..), "chunked").chunk(&[4, 7]).how(How::Grown),
    );
    put(
        "unlimited in two axes, depth 2",
        case((130.., 145..), "chunked")
            .chunk(&[1, 1])
            .how(How::Grown),
    );
    put(
        "unlimited in three axes",
        case((10.., 11.., 12..), "chunked")
            .chunk(&[3, 4, 5])
            .how(How::Grown),
    );
    put(
        "unlimited and up to a maximum",
        case((10.., 11..=40, 12), "chunked")
            .chunk(&[3, 4, 5])
            .how(How::Grown),
    );
    put(
        "unlimited in part",
        case((100.., 45..), "chunked")
            .chunk(&[4, 7])
            .how(How::Part(vec![9, 8])),
    );
    put(
        "chunks of our own choice",
        case((10.., 40, 200), "chunked").how(How::Grown),
    );
    put(
        "five axes",
        case((3.., 2, 4, 2.., 3), "chunked")
            .chunk(&[2, 1, 3, 2, 2])
            .how(How::Grown),
    );
    put("one axis of one", case((1..=1,), "chunked").chunk(&[1]));
    put("empty contiguous", case([0, 4], "contiguous"));
    let rank_32: Vec<Extent> = (0..32)
        .map(|axis| {
            if axis == 31 {
                Extent::resizable(5)
            } else {
                Extent::fixed(1)
            }
        })
        .collect();
    put(
        "32 axes",
        case(rank_32, "chunked")
            .chunk(&[[1_usize; 31].as_slice(), &[3]].concat())
            .how(How::Grown),
    );
}

/// Every layout, every index at several depths.
pub fn file_of_layouts(path: &Path) -> Manifest {
    let mut manifest = Manifest::new(path, 100);
    let file = File::create(path).unwrap();
    layout_cases(&file, &mut manifest);
    file.close().unwrap();
    manifest
}

#[test]
fn every_layout_reads_back() {
    let (_guard, path) = scratch("layouts.h5");
    file_of_layouts(&path).check();
}

/// Every filter, fill value and fill time.
pub fn file_of_filters(path: &Path) -> Manifest {
    let mut manifest = Manifest::new(path, 200);
    let file = File::create(path).unwrap();
    for bits in 0..8_u8 {
        for (shape, extents) in [
            ("single", vec![Extent::fixed(40), Extent::fixed(9)]),
            ("fixed", vec![Extent::fixed(41), Extent::fixed(9)]),
            ("one", vec![Extent::resizable(41), Extent::fixed(9)]),
            ("two", vec![Extent::resizable(41), Extent::resizable(9)]),
        ] {
            let chunk = if shape == "single" { [40, 9] } else { [8, 4] };
            let mut case = case(extents, "chunked").chunk(&chunk).how(How::Grown);
            case.shuffle = bits & 1 != 0;
            case.deflate = (bits & 2 != 0).then_some(bits + u8::from(shape == "two"));
            case.fletcher32 = bits & 4 != 0;
            let path = format!("filters/{bits}/{shape}");
            manifest.dataset::<f64>(&file, &path, &case);
            manifest.dataset::<u8>(&file, &format!("{path} of bytes"), &case);
            manifest.dataset::<F80>(&file, &format!("{path} of long doubles"), &case);
            case.how = How::Part(vec![17, 3]);
            case.fill = true;
            manifest.dataset::<f32>(&file, &format!("{path} in part"), &case);
            case.how = How::Nothing;
            manifest.dataset::<i16>(&file, &format!("{path} unwritten"), &case);
        }
    }
    for fill_time in [FillTime::IfSet, FillTime::OnAllocation] {
        for (layout, extents, part) in [
            (
                "compact",
                vec![Extent::fixed(5), Extent::fixed(4)],
                vec![2, 3],
            ),
            (
                "contiguous",
                vec![Extent::fixed(50), Extent::fixed(40)],
                vec![20, 31],
            ),
            (
                "chunked",
                vec![Extent::fixed(50), Extent::fixed(40)],
                vec![20, 31],
            ),
            (
                "chunked",
                vec![Extent::resizable(50), Extent::fixed(40)],
                vec![20, 31],
            ),
        ] {
            for early in [false, true] {
                let unlimited = extents[0].is_unlimited();
                let mut case = case(extents.clone(), layout).how(How::Part(part.clone()));
                (case.fill, case.fill_time, case.early) = (true, fill_time, early);
                let group = format!("fill/{fill_time:?}/{layout} {unlimited} {early}");
                manifest.dataset::<i64>(&file, &format!("{group}/integers"), &case);
                manifest.dataset::<FixedUnicode<12>>(&file, &format!("{group}/strings"), &case);
                manifest.dataset::<[F80; 2]>(&file, &format!("{group}/arrays"), &case);
                manifest.dataset::<bool>(&file, &format!("{group}/bool"), &case);
                case.big = true;
                manifest.dataset::<F128>(&file, &format!("{group}/quad"), &case);
            }
        }
    }
    let mut never = case((50.., 40), "chunked").how(How::Grown);
    never.fill_time = FillTime::Never;
    manifest.dataset::<i64>(&file, "fill/never", &never);
    file.close().unwrap();
    manifest
}

#[test]
fn every_combination_of_filters_and_fill_values_reads_back() {
    let (_guard, path) = scratch("filters.h5");
    file_of_filters(&path).check();
}

fn attributes_of_every_type(manifest: &mut Manifest, location: &h5quill::Location) {
    let mut nth = 0;
    macro_rules! put {
        ($($type:ty),*) => {$(
            nth += 1;
            let name = type_name::<$type>(nth);
            for big in [false, true] {
                let order = if big { "big" } else { "little" };
                manifest.attribute::<$type>(location, &format!("{name} {order} scalar"), Some(&[]), big);
                manifest.attribute::<$type>(location, &format!("{name} {order} list"), Some(&[4]), big);
                manifest.attribute::<$type>(location, &format!("{name} {order} table"), Some(&[2, 3]), big);
            }
            manifest.attribute::<$type>(location, &format!("{name} null"), None, false);
        )*};
    }
    for_every_type!(put);
}

/// Attributes in messages and in dense storage.
pub fn file_of_attributes(path: &Path) -> Manifest {
    let mut manifest = Manifest::new(path, 300);
    let file = File::create(path).unwrap();
    attributes_of_every_type(&mut manifest, &file);
    let group = file.create_group("compact").unwrap();
    for count in 1..=8 {
        manifest.attribute::<i32>(&group, &format!("number {count}"), Some(&[count]), false);
    }
    file.flush().unwrap();
    let group = file.create_group("dense").unwrap();
    let data = manifest.dataset::<f32>(&file, "data", &case((20.., 3), "chunked").how(How::Grown));
    let dense = manifest.dataset::<f32>(
        &file,
        "dense data",
        &case((20.., 3), "chunked").how(How::Grown),
    );
    for count in 0..300 {
        manifest.attribute::<f64>(
            &group,
            &format!("Größe {count}"),
            Some(&[count % 7 + 1]),
            false,
        );
        if count < 60 {
            manifest.attribute::<String>(
                &dense,
                &format!("text {count}"),
                Some(&[count % 3]),
                false,
            );
        }
        if count == 4 {
            manifest.attribute::<String>(&data, "title", Some(&[]), false);
        }
        if count % 50 == 0 {
            file.flush().unwrap();
        }
    }
    let large = file.create_group("large").unwrap();
    manifest.attribute::<u8>(&large, "4 KiB", Some(&[4096]), false);
    manifest.attribute::<u8>(&large, "4 KiB and a byte", Some(&[4097]), false);
    manifest.attribute::<f64>(&large, "60 KB", Some(&[75, 100]), false);
    manifest.attribute::<String>(&large, "many strings", Some(&[3000]), false);
    // Beyond what a header message can hold: either it is refused and nothing changes, or it reads back.
    let huge = large.new_attr::<u8>().shape(70_000).create("70 KB");
    match huge {
        Err(error) => assert!(matches!(error.kind(), ErrorKind::Limit { .. }), "{error}"),
        Ok(_) => {
            large.delete_attr("70 KB").unwrap();
            manifest.attribute::<u8>(&large, "70 KB", Some(&[70_000]), false);
        }
    }
    file.close().unwrap();
    manifest
}

#[test]
fn attributes_of_every_type_and_size_read_back() {
    let (_guard, path) = scratch("attributes.h5");
    file_of_attributes(&path).check();
}

#[test]
fn groups_links_and_names_read_back() {
    let (_guard, path) = scratch("groups.h5");
    let mut manifest = Manifest::new(&path, 400);
    let file = File::create(&path).unwrap();
    for count in [0, 1, 8, 9, 100, 5000] {
        let group = file.create_group(&format!("groups/of {count}")).unwrap();
        for nth in 0..count {
            // Not in the order of their names, nor of their hashes.
            let name = format!("member {}", nth * 7919 % count);
            group
                .link_soft(&format!("/target of {nth}"), &name)
                .unwrap();
        }
        if count >= 9 {
            file.flush().unwrap();
            group.link_soft("/late", "late").unwrap();
        }
    }
    for nth in 0..40 {
        file.create_group(&format!("children/child {nth}/grandchild"))
            .unwrap();
    }
    let mut deep = String::new();
    for level in 0..50 {
        deep += &format!("/level {level}");
    }
    let small = case([3], "compact");
    manifest.dataset::<i32>(&file, &format!("{deep}/bottom"), &small);
    for name in [
        "ü",
        "日本語",
        "😀 face",
        "with space",
        "dot.ted",
        "%",
        "quote\"d",
        "back\\slash",
        "new\nline",
    ] {
        manifest.dataset::<i32>(&file, &format!("names/{name}"), &small);
    }
    manifest.dataset::<i32>(&file, &format!("names/{}", "n".repeat(300)), &small);
    manifest.dataset::<i32>(&file, "links/data", &small);
    file.link_hard("links/data", "links/hard").unwrap();
    file.link_hard("links", "names/links").unwrap();
    file.link_soft("data", "links/soft").unwrap();
    file.link_soft("/links/hard", "links/absolute").unwrap();
    file.link_soft("nowhere", "links/dangling").unwrap();
    file.close().unwrap();
    let saved = manifest.save();
    for python in pythons() {
        script(
            &python,
            "check_groups.py",
            &[path.as_os_str(), saved.as_os_str()],
        );
    }
}

/// Strings up to and beyond 64 KiB.
pub fn file_of_strings(path: &Path) -> Manifest {
    let mut manifest = Manifest::new(path, LONG_STRINGS);
    let file = File::create(path).unwrap();
    manifest.dataset::<String>(
        &file,
        "long",
        &case((10..,), "chunked").chunk(&[3]).how(How::Grown),
    );
    manifest.dataset::<String>(&file, "fixed", &case([6], "contiguous"));
    manifest.dataset::<[String; 2]>(&file, "pairs", &case((5..,), "chunked").how(How::Grown));
    manifest.attribute::<String>(&file, "long", Some(&[5]), false);
    file.flush().unwrap();
    let mut compressed = case((300..,), "chunked").chunk(&[32]).how(How::Grown);
    compressed.deflate = Some(6);
    manifest.dataset::<VarLenUnicode>(&file, "long compressed", &compressed);
    file.close().unwrap();
    let mut short = Manifest::new(path, 500);
    let file = File::open_rw(path).unwrap();
    short.dataset::<String>(
        &file,
        "short",
        &case((20_000..,), "chunked").how(How::Grown),
    );
    file.close().unwrap();
    manifest.extend(short);
    manifest
}

#[test]
fn strings_of_every_length_read_back() {
    let (_guard, path) = scratch("strings.h5");
    file_of_strings(&path).check();
}

#[test]
fn netcdf_and_h5wasm_read_the_values_of_an_extendible_file() {
    let Some(python) = crate::support::python() else {
        return;
    };
    let (_guard, path) = scratch("plain.h5");
    let file = File::create(&path).unwrap();
    let rows = |count: usize| {
        ndarray::Array2::from_shape_fn((count, 5), |(row, column)| (row * 5 + column) as f64 * 0.5)
    };
    file.new_dataset::<f64>()
        .shape((0.., 5))
        .chunk((4, 5))
        .shuffle()
        .deflate(4)
        .create("packed")
        .unwrap();
    file.new_dataset::<f64>()
        .shape((0.., 0..))
        .chunk((3, 2))
        .create("two")
        .unwrap();
    file.new_dataset::<f64>()
        .shape((23, 5))
        .contiguous()
        .create_with("flat", &rows(23))
        .unwrap();
    file.dataset("packed").unwrap().append(&rows(23)).unwrap();
    file.dataset("two").unwrap().resize((23, 5)).unwrap();
    file.dataset("two").unwrap().write(&rows(23)).unwrap();
    file.set_attr("fs", 16_000).unwrap();
    file.close().unwrap();
    let said = script(&python, "others.py", &[path.as_os_str()]);
    assert!(said.contains("netCDF4"), "{said}");
    let module = Path::new(env!("CARGO_MANIFEST_DIR")).join(".node/node_modules/h5wasm");
    if !module.is_dir() {
        crate::support::left_out("reading with h5wasm", "h5wasm in .node");
        return;
    }
    let mut node = std::process::Command::new("node");
    node.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop/h5wasm.mjs"));
    node.arg(&path).arg(module);
    crate::support::run(node);
}
