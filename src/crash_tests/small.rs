//! All short sequences of operations: most crash bugs ever found need no more than three.

use super::oracle::Oracle;
use super::run::{Commits, Run};
use crate::Result;

#[derive(Debug, Clone, Copy)]
enum Operation {
    Create,
    Append,
    Overwrite,
    Attribute,
    Delete,
    Link,
    Flush,
    Reopen,
}

const OPERATIONS: [Operation; 8] = [
    Operation::Create,
    Operation::Append,
    Operation::Overwrite,
    Operation::Attribute,
    Operation::Delete,
    Operation::Link,
    Operation::Flush,
    Operation::Reopen,
];

fn apply(run: &mut Run, operation: Operation, number: i64) -> Result<()> {
    let dataset = || run.file.dataset("x");
    match operation {
        Operation::Create => {
            let builder = run.file.new_dataset::<i64>().shape(0..).chunk(2);
            builder.create("x").map(drop)
        }
        Operation::Append => dataset()?.append(&[number, number, number]),
        Operation::Overwrite => dataset()?.write_slice(&[-number, -number], 1..3),
        Operation::Attribute => run.file.set_attr("number", number),
        Operation::Delete => run.file.unlink("x"),
        Operation::Link => run
            .file
            .create_group(&format!("group {number}/y"))
            .map(drop),
        Operation::Flush => run.commit(),
        Operation::Reopen => run.close_and_open(),
    }
}

/// What comes before the sequence.
#[derive(Debug, Clone, Copy)]
enum Start {
    Nothing,
    Commit,
    Dataset,
}

fn judge(
    start: Start,
    sequence: &[Operation],
    oracle: &mut Oracle,
) -> std::result::Result<(), String> {
    let mut run = Run::new(None, sequence.len() as u64, Commits::Any);
    let mut refused = 0;
    let before: &[Operation] = match start {
        Start::Nothing => &[],
        Start::Commit => &[Operation::Flush],
        Start::Dataset => &[Operation::Create, Operation::Append, Operation::Flush],
    };
    let all = before.iter().chain(sequence).chain(&[Operation::Flush]);
    for (number, &operation) in all.enumerate() {
        // An operation that cannot be is refused, and leaves no trace.
        refused += usize::from(apply(&mut run, operation, number as i64).is_err());
    }
    let poisoned = run.file.flush().is_err();
    if poisoned || refused > sequence.len() {
        return Err(format!(
            "{start:?} {sequence:?}: a refused operation poisons the file"
        ));
    }
    run.judge(oracle, 1, false)
        .map_err(|error| format!("{start:?} {sequence:?}: {error}"))
}

#[test]
fn every_sequence_of_three_operations_survives_a_kill_at_every_write() {
    let mut oracle = Oracle {
        edit_every: 40,
        ..Oracle::own()
    };
    let mut sequences: Vec<Vec<Operation>> = vec![Vec::new()];
    let mut from = 0;
    for _ in 0..3 {
        let to = sequences.len();
        for number in from..to {
            for operation in OPERATIONS {
                let mut longer = sequences[number].clone();
                longer.push(operation);
                sequences.push(longer);
            }
        }
        from = to;
    }
    for sequence in &sequences {
        for start in [Start::Nothing, Start::Commit, Start::Dataset] {
            if let Err(error) = judge(start, sequence, &mut oracle) {
                panic!("{error}");
            }
        }
    }
    super::report(&format!(
        "{} short sequences from three beginnings: {} crash images judged",
        sequences.len(),
        oracle.counts.images
    ));
}
