//! Deaths where long blocks are written beside rows that go where they belong in place: the blocks make the device longer
//! than the file, too, and a loss of power may take that back.

use super::images;
use super::oracle::Oracle;
use super::run::{Commits, Run};
use crate::{File, Result};

/// Rows.
const CHUNK: usize = 64;

fn bulk(run: &mut Run) -> Result<()> {
    let rows = run.file.new_dataset::<f64>().shape(0..).chunk(CHUNK);
    rows.create("rows")?;
    for round in 0..16 {
        // A file that was closed is as long as it says.
        match round % 4 {
            1 | 3 => run.close_and_open()?,
            2 => run.reopen()?,
            _ => {}
        }
        if round % 3 > 0 {
            let count = run.some(2500, 9000);
            let values = run.values(&[count]);
            let builder = run.file.new_dataset::<f64>();
            builder.create_with(&format!("block {round}"), values.view())?;
        }
        let count = run.some(1, 9);
        let values = run.values(&[count]);
        run.file.dataset("rows")?.append(values.view())?;
        run.commit()?;
    }
    Ok(())
}

/// What is stored of the rows beyond the extent, once a row has been appended to what a death left.
fn beyond_extent(image: &[u8]) -> Result<Vec<u8>> {
    let file = File::open_memory(image.to_vec())?;
    let Ok(rows) = file.dataset("rows") else {
        return Ok(Vec::new());
    };
    rows.append(&[1.0])?;
    let file = File::open_memory(file.into_bytes()?)?;
    let rows = file.dataset("rows")?;
    let inside = rows.size() % CHUNK;
    let (_, bytes) = rows.read_chunk(&[(rows.size() - 1) / CHUNK * CHUNK])?;
    Ok(match inside {
        0 => Vec::new(),
        _ => bytes[8 * inside..].to_vec(),
    })
}

/// A stock writer that grows the extent would show rows that were never committed.
#[test]
fn an_append_after_a_loss_of_power_leaves_nothing_beyond_the_extent() {
    let mut images = 0;
    for seed in 0..4 {
        let mut run = Run::new(None, seed, Commits::Sync);
        bulk(&mut run).unwrap();
        let log = run.recorder.log();
        images::without_power(&run.start, &log, &mut run.rng, &mut |image| {
            images += 1;
            let beyond = match image.commit {
                0 => Vec::new(),
                _ => beyond_extent(&image.bytes).map_err(|error| error.to_string())?,
            };
            match beyond.iter().all(|&byte| byte == 0) {
                true => Ok(()),
                false => Err(image.origin),
            }
        })
        .unwrap();
        run.judge(&mut Oracle::own(), 2, true).unwrap();
    }
    assert!(images > 1000);
}
