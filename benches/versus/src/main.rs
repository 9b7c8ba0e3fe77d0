//! Builds the contenders, runs them in turn on the same data, checks what they wrote, and reports.
//!
//! `cargo run --release --manifest-path benches/versus/Cargo.toml -- --help` says what can be asked for.

mod build;
mod chart;
mod options;
mod plan;
mod report;
mod run;
mod text;

use kit::Failure;
use options::Options;
use std::process::ExitCode;

fn work(options: &Options) -> Result<bool, Failure> {
    let tools = build::tools()?;
    build::contenders(options, &tools)?;
    let results = run::all(options, &tools)?;
    let machine = report::machine(&tools);
    let table = report::table(&results);
    println!("\n{table}");
    if let Some(directory) = options.write_to() {
        std::fs::create_dir_all(&directory)?;
        let place = directory.join("RESULTS.md");
        std::fs::write(&place, report::page(&results, options, &machine, &table))?;
        std::fs::write(directory.join("results.svg"), chart::draw(&results))?;
        println!("written to {}", place.display());
    }
    let failures = results.failures();
    for failure in &failures {
        eprintln!("FAILED {failure}");
    }
    Ok(failures.is_empty())
}

fn main() -> ExitCode {
    let options = match Options::from_arguments() {
        Ok(Some(options)) => options,
        Ok(None) => return ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{failure}");
            return ExitCode::FAILURE;
        }
    };
    match work(&options) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::FAILURE
        }
    }
}
