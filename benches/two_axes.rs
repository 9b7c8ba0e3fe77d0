//! A dataset of 2,000,000 chunks with two unlimited axes: grown along both, rewritten at random, shrunk to half along
//! one and then the other. libhdf5 reads every state exactly, and h5repack accepts it.
//!
//! `H5QUILL_PYTHON=python cargo bench --bench two_axes`; `-- 353` makes 353 chunks along each axis instead of 1,415.

mod support;

use h5quill::File;
use ndarray::Array2;
use std::process::Command;
use std::time::Instant;
use support::{Outcome, Random, Scratch, Verdict, arguments, peak_memory, python};

const CHUNK: usize = 4;
const STEP: usize = 64;
const REWRITES: u64 = 2000;
const LONGEST: u64 = 100;

/// The same numbers with numpy, compared with what libhdf5 reads.
const MODEL: &str = r#"
import sys, numpy, h5py
path, side, rewrites, longest = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
rows, columns = int(sys.argv[5]), int(sys.argv[6])
i = numpy.arange(side, dtype=numpy.int64)[:, None]
j = numpy.arange(side, dtype=numpy.int64)[None, :]
model = ((i * 31) ^ (j * 17) ^ ((i * j) >> 3)).astype(numpy.int16)
state = 7
def below(bound):
    global state
    state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
    return (state >> 33) % bound
for number in range(rewrites):
    height, width = 1 + below(longest), 1 + below(longest)
    top, left = below(side - height), below(side - width)
    model[top:top + height, left:left + width] = numpy.array(number * 131 & 0xffff, numpy.uint16).view(numpy.int16)
with h5py.File(path) as file:
    data = file["grid"]
    assert data.shape == (rows, columns), data.shape
    assert data.maxshape == (None, None) and data.dtype == numpy.int16
    chunks = data.id.get_num_chunks()
    assert chunks == -(-rows // 4) * -(-columns // 4), chunks
    wrong = int((data[...] != model[:rows, :columns]).sum())
    assert wrong == 0, f"{wrong} elements differ"
"#;

struct Checker<'a> {
    scratch: &'a Scratch,
    side: usize,
    verdict: Verdict,
}

impl Checker<'_> {
    fn read(&mut self, what: &str, path: &std::path::Path, shape: [usize; 2]) -> Outcome {
        let python = python().ok_or("no python with h5py; name one in H5QUILL_PYTHON")?;
        let start = Instant::now();
        let numbers = [
            self.side,
            REWRITES as usize,
            LONGEST as usize,
            shape[0],
            shape[1],
        ];
        let output = Command::new(python)
            .args(["-c", MODEL])
            .arg(path)
            .args(numbers.map(|number| number.to_string()))
            .output()?;
        eprint!("{}", String::from_utf8_lossy(&output.stderr));
        let seconds = start.elapsed().as_secs_f64();
        self.verdict.holds(
            &format!("{what}: libhdf5 reads it exactly ({seconds:.1} s)"),
            output.status.success(),
        );
        Ok(())
    }

    fn check(&mut self, what: &str, shape: [usize; 2], repack: bool) -> Outcome {
        let data = (shape[0] * shape[1] * 2) as f64;
        println!(
            "{what}: {shape:?}, file {} bytes, {:.2} times the data, peak memory {} MiB",
            self.scratch.len(),
            self.scratch.len() as f64 / data,
            peak_memory() >> 20
        );
        self.read(what, &self.scratch.0, shape)?;
        if repack {
            let copy = Scratch::new("repacked");
            let start = Instant::now();
            let status = Command::new("h5repack")
                .arg(&self.scratch.0)
                .arg(&copy.0)
                .status()?;
            let seconds = start.elapsed().as_secs_f64();
            let what = format!("{what}: h5repack accepts it ({seconds:.1} s)");
            self.verdict.holds(&what, status.success());
            self.read("repacked", &copy.0, shape)?;
        }
        Ok(())
    }
}

fn value(row: usize, column: usize) -> i16 {
    ((row * 31) ^ (column * 17) ^ ((row * column) >> 3)) as i16
}

fn main() -> Outcome {
    let chunks: usize = arguments().first().map_or(Ok(1415), |text| text.parse())?;
    let side = chunks * CHUNK - 1;
    let scratch = Scratch::new("grid");
    let start = Instant::now();
    let file = File::create(&scratch.0)?;
    let data = file
        .new_dataset::<i16>()
        .shape((0.., 0..))
        .chunk((CHUNK, CHUNK))
        .create("grid")?;
    let mut done = 0;
    while done < side {
        let more = STEP.min(side - done);
        let below = Array2::from_shape_fn((more, done), |(row, column)| value(done + row, column));
        let beside = Array2::from_shape_fn((done + more, more), |(row, column)| {
            value(row, done + column)
        });
        data.append_axis(0, &below)?;
        data.append_axis(1, &beside)?;
        done += more;
    }
    println!("grown in {:.1} s", start.elapsed().as_secs_f64());
    let start = Instant::now();
    file.flush()?;
    println!("flushed in {:.2} s", start.elapsed().as_secs_f64());
    let start = Instant::now();
    let mut random = Random(7);
    for number in 0..REWRITES {
        let height = 1 + random.below(LONGEST) as usize;
        let width = 1 + random.below(LONGEST) as usize;
        let top = random.below((side - height) as u64) as usize;
        let left = random.below((side - width) as u64) as usize;
        let values = Array2::from_elem((height, width), (number * 131) as i16);
        data.write_slice(&values, (top..top + height, left..left + width))?;
    }
    file.close()?;
    println!(
        "{REWRITES} rewrites and closed in {:.1} s",
        start.elapsed().as_secs_f64()
    );
    let mut checker = Checker {
        scratch: &scratch,
        side,
        verdict: Verdict::default(),
    };
    checker.check("grown and rewritten", [side, side], true)?;
    let half = side / 2;
    for (what, shape, repack) in [
        ("shrunk along axis 0", [half, side], false),
        ("shrunk along both", [half, half], true),
    ] {
        let start = Instant::now();
        let file = File::open_rw(&scratch.0)?;
        file.dataset("grid")?.resize((shape[0], shape[1]))?;
        file.close()?;
        println!("{what} in {:.1} s", start.elapsed().as_secs_f64());
        // The extents stay unlimited.
        checker.check(what, shape, repack)?;
    }
    checker.verdict.finish()
}
