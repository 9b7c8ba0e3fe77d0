//! Deaths among many new groups, which are written before the commit that names them.

use super::run::Run;
use crate::{Group, Result};

/// Members and an attribute; some groups get so many members that they are in dense storage.
fn fill(run: &mut Run, group: &Group) -> Result<()> {
    let first = group.len()?;
    let most = match run.rng.below(3) {
        0 => 14,
        _ => 3,
    };
    for number in 0..run.some(0, most) {
        let value = run.some(0, 1000) as i32;
        let builder = group.new_dataset::<i32>();
        builder.create_with(&format!("member {}", first + number), &[value, value])?;
    }
    match run.rng.below(2) {
        0 => group.set_attr("number", first as u64),
        _ => Ok(()),
    }
}

pub(super) fn groups(run: &mut Run) -> Result<()> {
    let (mut made, mut count) = (Vec::<String>::new(), 0);
    for round in 0..6 {
        if round % 3 == 2 {
            run.reopen()?;
        }
        for _ in 0..run.some(3, 16) {
            let name = format!("group {count}");
            count += 1;
            let path = match run.rng.below(3) {
                // Inside of one that may have left memory.
                1 | 2 if !made.is_empty() => format!("{}/{name}", made[run.some(0, made.len())]),
                _ => name,
            };
            let group = run.file.create_group(&path)?;
            fill(run, &group)?;
            made.push(path);
            if run.rng.below(3) == 0 {
                let earlier = run.some(0, made.len());
                let group = run.file.group(&made[earlier])?;
                fill(run, &group)?;
            }
        }
        // One goes, with all that is in it.
        let gone = made.swap_remove(run.some(0, made.len()));
        run.file.unlink(&gone)?;
        let inside = format!("{gone}/");
        made.retain(|path| !path.starts_with(&inside));
        run.commit()?;
    }
    Ok(())
}
