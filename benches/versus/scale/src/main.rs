//! How costs of h5quill grow with the file: CSV on standard output, plots beside this workspace.
//!
//! `cargo run --release -p versus-scale -- --help`

#![forbid(unsafe_code)]

mod plot;
mod work;

use kit::Failure;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

const HELP: &str = "\
Measures appends against chunks, objects against their count, and memory against both and against the size of the file.

  --only A,B    of appends, objects-in-one, objects-in-many, stream (all)
  --dir DIR     where files go (/dev/shm, else the directory for temporary files)
  --disk DIR    where those of `stream` go, up to 16 GiB (benches/versus/target/disk)
  --largest F   leaves out points that are larger than this part of the largest (1)
  --runs N      runs of a point; the median time counts (3; `stream` runs once, since only its memory is of interest)
  --out DIR     where scale.csv and scale-*.svg go (benches/versus)";

/// A line of measurements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Series {
    Appends,
    ObjectsInOne,
    ObjectsInMany,
    Stream,
}

const SERIES: [Series; 4] = [
    Series::Appends,
    Series::ObjectsInOne,
    Series::ObjectsInMany,
    Series::Stream,
];
const MEBIBYTE: u64 = 1 << 20;

impl Series {
    fn name(self) -> &'static str {
        match self {
            Self::Appends => "appends",
            Self::ObjectsInOne => "objects-in-one",
            Self::ObjectsInMany => "objects-in-many",
            Self::Stream => "stream",
        }
    }

    fn named(name: &str) -> Option<Self> {
        SERIES.into_iter().find(|series| series.name() == name)
    }

    /// Chunks, objects, or bytes.
    fn counts(self) -> Vec<u64> {
        let powers = |to: u32| (3..=to).map(|power| 10_u64.pow(power)).collect();
        match self {
            Self::Appends => powers(7),
            Self::ObjectsInOne | Self::ObjectsInMany => powers(6),
            Self::Stream => [64, 256, 1024, 4096, 16_384]
                .map(|size| size * MEBIBYTE)
                .to_vec(),
        }
    }

    fn unit(self) -> &'static str {
        match self {
            Self::Appends => "chunks",
            Self::ObjectsInOne | Self::ObjectsInMany => "objects",
            Self::Stream => "bytes",
        }
    }
}

/// One point of a series.
#[derive(Debug, Clone, Copy)]
struct Point {
    series: Series,
    count: u64,
    seconds: f64,
    memory: f64,
    file: f64,
}

impl Point {
    fn nanoseconds_each(&self) -> f64 {
        self.seconds * 1e9 / self.count as f64
    }
}

struct Options {
    only: Vec<Series>,
    directory: PathBuf,
    disk: PathBuf,
    largest: f64,
    runs: usize,
    out: PathBuf,
}

fn options() -> Result<Option<Options>, Failure> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .ok_or("a directory")?
        .to_owned();
    let memory = PathBuf::from("/dev/shm");
    let mut options = Options {
        only: SERIES.to_vec(),
        directory: if memory.is_dir() {
            memory
        } else {
            std::env::temp_dir()
        },
        disk: root.join("target/disk"),
        largest: 1.0,
        runs: 3,
        out: root,
    };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or(format!("{argument} wants a value"));
        match argument.as_str() {
            "--only" => {
                let series = |name: &str| Series::named(name).ok_or(format!("there is no {name}"));
                options.only = value()?.split(',').map(series).collect::<Result<_, _>>()?;
            }
            "--dir" => options.directory = value()?.into(),
            "--disk" => options.disk = value()?.into(),
            "--largest" => options.largest = value()?.parse()?,
            "--runs" => options.runs = value()?.parse::<usize>()?.max(1),
            "--out" => options.out = value()?.into(),
            _ => {
                println!("{HELP}");
                return Ok(None);
            }
        }
    }
    Ok(Some(options))
}

/// One run in a process of its own, so that its memory can be told.
fn run(series: Series, count: u64, path: &Path) -> Result<Point, Failure> {
    let mut command = Command::new(std::env::current_exe()?);
    let output = command
        .args(["point", series.name(), &count.to_string()])
        .arg(path)
        .output()?;
    let file = std::fs::metadata(path).map_or(0, |data| data.len());
    // It may have failed before it made one.
    let _ = std::fs::remove_file(path);
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
    }
    let said = String::from_utf8_lossy(&output.stdout);
    let mut numbers = said.split_whitespace().map(str::parse::<f64>);
    let mut number = || numbers.next().ok_or("a point says too little");
    let (seconds, memory) = (number()??, number()??);
    Ok(Point {
        series,
        count,
        seconds,
        memory,
        file: file as f64,
    })
}

fn median(mut points: Vec<Point>) -> Option<Point> {
    points.sort_by(|a, b| a.seconds.total_cmp(&b.seconds));
    points.get(points.len() / 2).copied()
}

fn measure(options: &Options) -> Result<Vec<Point>, Failure> {
    let mut points = Vec::new();
    println!("series,unit,count,seconds,nanoseconds each,peak memory,file bytes");
    for &series in &options.only {
        let (directory, runs) = match series {
            Series::Stream => (&options.disk, 1),
            _ => (&options.directory, options.runs),
        };
        std::fs::create_dir_all(directory)?;
        let path = directory.join(format!("versus-scale-{}.h5", std::process::id()));
        let counts = series.counts();
        let most = counts.last().copied().unwrap_or(0) as f64 * options.largest;
        for count in counts.into_iter().filter(|count| *count as f64 <= most) {
            let all = (0..runs)
                .map(|_| run(series, count, &path))
                .collect::<Result<Vec<_>, _>>()?;
            let point = median(all).ok_or("no runs")?;
            println!("{}", line(&point));
            points.push(point);
        }
    }
    Ok(points)
}

fn line(point: &Point) -> String {
    let Point {
        series,
        count,
        seconds,
        memory,
        file,
    } = point;
    let each = point.nanoseconds_each();
    format!(
        "{},{},{count},{seconds:.6},{each:.2},{memory},{file}",
        series.name(),
        series.unit()
    )
}

/// How much the cost of one varies over a series.
fn spread(points: &[Point], series: Series) -> Option<f64> {
    let costs = || {
        points
            .iter()
            .filter(|point| point.series == series)
            .map(Point::nanoseconds_each)
    };
    let (least, most) = (costs().reduce(f64::min)?, costs().reduce(f64::max)?);
    Some(most / least)
}

fn work() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [point, series, count, path] = arguments.as_slice()
        && point == "point"
    {
        let series = Series::named(series).ok_or("there is no such series")?;
        return work::point(series, count.parse()?, Path::new(path));
    }
    let Some(options) = options()? else {
        return Ok(());
    };
    let points = measure(&options)?;
    for series in SERIES {
        if let Some(spread) = spread(&points, series) {
            println!(
                "# {}: the dearest costs {spread:.2} times the cheapest",
                series.name()
            );
        }
    }
    std::fs::create_dir_all(&options.out)?;
    let lines: Vec<String> = points.iter().map(line).collect();
    let head = "series,unit,count,seconds,nanoseconds each,peak memory,file bytes\n";
    std::fs::write(
        options.out.join("scale.csv"),
        format!("{head}{}\n", lines.join("\n")),
    )?;
    for (name, plot) in plot::all(&points) {
        std::fs::write(options.out.join(format!("scale-{name}.svg")), plot)?;
    }
    Ok(())
}

fn main() -> ExitCode {
    match work() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::FAILURE
        }
    }
}
