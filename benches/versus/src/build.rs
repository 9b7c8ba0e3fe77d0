//! What the contenders need to be built and checked, and the building.

use crate::options::{Options, root};
use crate::plan::CONTENDERS;
use kit::Failure;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Programs from a virtual environment beside this workspace: libhdf5 wants a newer cmake than many systems have.
#[derive(Debug)]
pub struct Tools {
    directory: PathBuf,
    /// Where the contenders are, beside this program.
    programs: PathBuf,
}

impl Tools {
    /// A Python with h5py: that of the tests where it is named, else our own.
    pub fn python(&self) -> PathBuf {
        match std::env::var_os("H5QUILL_PYTHON") {
            Some(named) => named.into(),
            None => self.directory.join("python"),
        }
    }

    pub fn program(&self, name: &str) -> PathBuf {
        self.programs.join(format!("versus-{name}"))
    }
}

fn succeed(command: &mut Command) -> Result<(), Failure> {
    let status = command
        .status()
        .map_err(|error| format!("{command:?}: {error}"))?;
    match status.success() {
        true => Ok(()),
        false => Err(format!("{command:?} failed").into()),
    }
}

/// Makes the environment where it is missing.
pub fn tools() -> Result<Tools, Failure> {
    let environment = root().join(".venv");
    let directory = environment.join("bin");
    if !directory.join("ninja").exists() || !directory.join("h5py-is-there").exists() {
        println!("cmake, ninja and h5py go to {}", environment.display());
        succeed(
            Command::new("python3")
                .args(["-m", "venv"])
                .arg(&environment),
        )?;
        let mut install = Command::new(directory.join("pip"));
        succeed(install.args(["install", "--quiet", "cmake", "ninja", "numpy", "h5py"]))?;
        std::fs::write(directory.join("h5py-is-there"), "")?;
    }
    let own = std::env::current_exe()?;
    let programs = own.parent().ok_or("a program in a directory")?.to_owned();
    Ok(Tools {
        directory,
        programs,
    })
}

/// Builds the contenders that are wanted, each by itself: built together, they would share the features of their
/// dependencies, and one would get the codec of another.
pub fn contenders(options: &Options, tools: &Tools) -> Result<(), Failure> {
    let wanted = CONTENDERS
        .iter()
        .filter(|contender| options.wants_contender(contender.name));
    let programs: BTreeSet<&str> = wanted.map(|contender| contender.program).collect();
    for program in programs {
        let package = format!("versus-{program}");
        let mut build = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        build.args([
            "build",
            "--release",
            "--quiet",
            "--locked",
            "--package",
            &package,
            "--manifest-path",
        ]);
        build.arg(root().join("Cargo.toml"));
        build.arg("--target-dir").arg(target(&tools.programs)?);
        build.env("PATH", path_with(&tools.directory)?);
        build.env("CMAKE", tools.directory.join("cmake"));
        succeed(&mut build)?;
    }
    Ok(())
}

/// The target directory that this program, in its `release`, was built in.
fn target(programs: &Path) -> Result<&Path, Failure> {
    Ok(programs.parent().ok_or("a program in a target directory")?)
}

fn path_with(first: &Path) -> Result<std::ffi::OsString, Failure> {
    let old = std::env::var_os("PATH").unwrap_or_default();
    let all = std::iter::once(first.to_owned()).chain(std::env::split_paths(&old));
    Ok(std::env::join_paths(all)?)
}
