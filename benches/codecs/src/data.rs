//! Chunks as the filters give them to deflate.

/// The finaliser of splitmix64: a random number for each number.
fn mix(number: u64) -> u64 {
    let x = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}

/// The first bytes of all elements, then the second ones, and so on.
fn shuffled(bytes: &[u8], size: usize) -> Vec<u8> {
    let plane = |byte| bytes.iter().skip(byte).step_by(size);
    (0..size).flat_map(plane).copied().collect()
}

pub struct Set {
    pub name: &'static str,
    pub chunks: Vec<Vec<u8>>,
}

/// Frames of 512 x 512 `u16` as those of `benches/versus`: background of 200 to 838 counts, and shot noise.
fn frame(number: u64) -> Vec<u8> {
    let pixel = |at: u64| {
        let (y, x) = (at / 512, at % 512);
        let background = 200 + (3 * y + 2 * x) as i64 / 4;
        let random = mix((number << 18) + at);
        let four_bytes: i64 = (0..4).map(|byte| (random >> (8 * byte) & 255) as i64).sum();
        let noise = ((four_bytes - 510) * background.isqrt()).div_euclid(148);
        ((background + noise) as u16).to_le_bytes()
    };
    shuffled(&(0..1 << 18).flat_map(pixel).collect::<Vec<u8>>(), 2)
}

/// Four chunks of 256 KiB.
fn elements<const N: usize>(name: &'static str, mut element: impl FnMut(u64) -> [u8; N]) -> Set {
    let count = (1_u64 << 18) / N as u64;
    let mut chunk = |number: u64| {
        let elements = (number * count..(number + 1) * count).flat_map(&mut element);
        shuffled(&elements.collect::<Vec<u8>>(), N)
    };
    Set {
        name,
        chunks: (0..4).map(&mut chunk).collect(),
    }
}

/// The sources and notes of h5quill.
fn text() -> Vec<Vec<u8>> {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut files = Vec::new();
    for folder in ["spec-notes", "src", "src/object", "src/format", "tests"] {
        for entry in std::fs::read_dir(root.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            let known = path
                .extension()
                .is_some_and(|end| end == "md" || end == "rs");
            files.extend(known.then_some(path));
        }
    }
    files.sort();
    let bytes: Vec<u8> = files
        .iter()
        .flat_map(|path| std::fs::read(path).unwrap())
        .collect();
    bytes
        .chunks_exact(1 << 18)
        .take(4)
        .map(<[u8]>::to_vec)
        .collect()
}

pub fn sets() -> Vec<Set> {
    let mut walk = 0_i32;
    let mut time = 1_700_000_000_000_000_u64;
    let frames = (0..3).map(frame).collect();
    vec![
        Set {
            name: "frames u16",
            chunks: frames,
        },
        elements("random walk i32", |i| {
            walk += (mix(i) % 33) as i32 - 16;
            walk.to_le_bytes()
        }),
        elements("times i64", |i| {
            time += 1000 + mix(i) % 16;
            time.to_le_bytes()
        }),
        elements("signal f32", |i| {
            ((i as f32 * 0.001).sin() * 100.0 + (mix(i) % 1000) as f32 * 1e-3).to_le_bytes()
        }),
        elements("decimals f64", |i| {
            let noise: u64 = (0..4).map(|byte| mix(i) >> (8 * byte) & 255).sum();
            (((i as f64 * 0.0007).sin() * 2000.0 + noise as f64 / 148.0).round() / 100.0)
                .to_le_bytes()
        }),
        Set {
            name: "text",
            chunks: text(),
        },
        elements("noise", |i| [mix(i) as u8]),
    ]
}
