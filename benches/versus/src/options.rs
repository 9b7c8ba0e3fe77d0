//! The command line of the driver.

use crate::plan;
use kit::Failure;
use std::path::PathBuf;

const HELP: &str = "\
Compares h5quill with libhdf5 2.2 (C API), hdf5-pure, rust-hdf5 and bare pwrite, in processes that run in turn.

  --only A,B          these workloads (--list names them)
  --contenders A,B    these contenders (--list names them); libhdf5 is always run, for the ratios, unless --alone
  --alone             without libhdf5 where it was not asked for
  --runs N            runs of each; the median counts (5)
  --scale F           multiplies the counts (1)
  --dir DIR           where files go (/dev/shm, else the directory for temporary files)
  --disk DIR          where the files of the disk column and of sync go (benches/versus/target/disk); `none` leaves them out
  --no-check          checks no file with h5py
  --out DIR           where RESULTS.md and results.svg go; benches/versus where everything is run at full scale, else nowhere
  --list              names workloads and contenders";

/// What was asked for.
#[derive(Debug)]
pub struct Options {
    pub only: Option<Vec<String>>,
    pub contenders: Option<Vec<String>>,
    pub alone: bool,
    pub runs: usize,
    pub scale: f64,
    pub directory: PathBuf,
    pub disk: Option<PathBuf>,
    pub check: bool,
    out: Option<PathBuf>,
}

/// Where this workspace is.
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn list(text: &str, known: &[&str]) -> Result<Vec<String>, Failure> {
    let names: Vec<String> = text.split(',').map(str::to_owned).collect();
    match names.iter().find(|name| !known.contains(&name.as_str())) {
        Some(name) => Err(format!("{name} is none of {}", known.join(", ")).into()),
        None => Ok(names),
    }
}

impl Options {
    /// `None` where only a text was asked for.
    pub fn from_arguments() -> Result<Option<Self>, Failure> {
        let memory = PathBuf::from("/dev/shm");
        let mut options = Self {
            only: None,
            contenders: None,
            alone: false,
            runs: 5,
            scale: 1.0,
            directory: if memory.is_dir() {
                memory
            } else {
                std::env::temp_dir()
            },
            disk: Some(root().join("target/disk")),
            check: true,
            out: None,
        };
        let mut arguments = std::env::args().skip(1);
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or(format!("{argument} wants a value"));
            match argument.as_str() {
                "--only" => options.only = Some(list(&value()?, &plan::workload_names())?),
                "--contenders" => {
                    options.contenders = Some(list(&value()?, &plan::contender_names())?)
                }
                "--alone" => options.alone = true,
                "--runs" => options.runs = value()?.parse::<usize>()?.max(1),
                "--scale" => options.scale = value()?.parse()?,
                "--dir" => options.directory = value()?.into(),
                "--disk" => {
                    options.disk = Some(value()?)
                        .filter(|text| text != "none")
                        .map(PathBuf::from)
                }
                "--no-check" => options.check = false,
                "--out" => options.out = Some(value()?.into()),
                "--list" => {
                    println!("workloads:  {}", plan::workload_names().join(", "));
                    println!("contenders: {}", plan::contender_names().join(", "));
                    return Ok(None);
                }
                "--help" | "-h" => {
                    println!("{HELP}");
                    return Ok(None);
                }
                other => return Err(format!("{other}? --help says what there is").into()),
            }
        }
        Ok(Some(options))
    }

    pub fn wants_workload(&self, name: &str) -> bool {
        self.only
            .as_ref()
            .is_none_or(|only| only.iter().any(|wanted| wanted == name))
    }

    pub fn wants_contender(&self, name: &str) -> bool {
        let asked = |list: &Vec<String>| list.iter().any(|wanted| wanted == name);
        self.contenders.as_ref().is_none_or(asked) || (name == plan::BASELINE && !self.alone)
    }

    /// Whether everything is run, as the published table has it.
    fn whole(&self) -> bool {
        self.only.is_none() && self.contenders.is_none() && self.scale == 1.0 && self.check
    }

    pub fn write_to(&self) -> Option<PathBuf> {
        self.out.clone().or_else(|| self.whole().then(root))
    }
}
