//! The flip record of a commit that never was.

use crate::File;
use crate::storage::recorder::{Event, Recorder};

fn replay(log: &[Event]) -> Vec<u8> {
    let mut device = Vec::new();
    for event in log {
        match event {
            Event::Write { offset, bytes } => {
                let (start, end) = (*offset as usize, *offset as usize + bytes.len());
                device.resize(device.len().max(end), 0);
                device[start..end].copy_from_slice(bytes);
            }
            Event::SetLen(len) => device.resize(*len as usize, 0),
            Event::Sync | Event::Mark(_) => {}
        }
    }
    device
}

/// A commit of two sectors is cut off before the first; a later one changes sector 0 to the very bytes that the former
/// would have written. The other sector must stay as it is.
#[test]
fn a_commit_like_one_that_was_cut_off_is_not_taken_for_it() {
    let recorder = Recorder::default();
    let file = File::create_on(recorder.clone()).unwrap();
    let one = file.create_group("one").unwrap();
    let data = file.new_dataset::<f64>().shape(0..).create("x").unwrap();
    let mut before = 0;
    for round in 0..5_i64 {
        before = recorder.log().len();
        one.set_attr("a", round).unwrap();
        data.append(&[round as f64]).unwrap();
        file.flush().unwrap();
    }
    let log = recorder.log();
    let mut cut_off = 0;
    for end in before..=log.len() {
        let device = Recorder::on(replay(&log[..end]));
        let file = File::open_rw_on(device.clone()).unwrap();
        let value = |file: &File| {
            let attribute = file.group("one").unwrap().attr("a").unwrap();
            attribute.read_scalar::<i64>().unwrap()
        };
        let was = value(&file);
        let data = file.dataset("x").unwrap();
        if data.shape() == [4] {
            cut_off += 1;
            data.append(&[4.0]).unwrap();
        }
        file.flush().unwrap();
        let again = File::open_on(device.kill()).unwrap();
        assert_eq!(value(&again), was, "killed before event {end}");
        assert_eq!(again.dataset("x").unwrap().shape(), [5]);
    }
    assert!(cut_off > 3, "{cut_off} of {} events", log.len() - before);
}
