//! The ratios as bars on a logarithmic axis.

use crate::plan::{BASELINE, WORKLOADS};
use crate::report::ratio;
use crate::run::Results;
use crate::text::number;
use std::fmt::Write as _;

const LEFT: f64 = 190.0;
const WIDTH: f64 = 560.0;
const BAR: f64 = 13.0;
const GAP: f64 = 10.0;
const TOP: f64 = 56.0;
/// The powers of ten that the axis spans.
const DECADES: std::ops::RangeInclusive<i32> = -2..=2;

fn color(contender: &str) -> &'static str {
    match contender {
        _ if contender.starts_with("h5quill") => "#c2410c",
        _ if contender.starts_with(BASELINE) => "#64748b",
        "hdf5-pure" => "#0f766e",
        "rust-hdf5" => "#4338ca",
        _ => "#a8a29e",
    }
}

fn place(ratio: f64) -> f64 {
    let (first, last) = (f64::from(*DECADES.start()), f64::from(*DECADES.end()));
    let at = ratio.log10().clamp(first, last);
    LEFT + WIDTH * (at - first) / (last - first)
}

fn axis(text: &mut String, bottom: f64) {
    for decade in DECADES {
        let (ratio, x) = (10_f64.powi(decade), place(10_f64.powi(decade)));
        let line = if decade == 0 { "#0f172a" } else { "#cbd5e1" };
        let _ = writeln!(
            text,
            r#"<line x1="{x:.1}" y1="{TOP}" x2="{x:.1}" y2="{bottom:.1}" stroke="{line}"/>"#
        );
        let _ = writeln!(
            text,
            r##"<text x="{x:.1}" y="{:.1}" text-anchor="middle" fill="#475569">{ratio}</text>"##,
            TOP - 6.0
        );
    }
}

/// A bar from 1 to the ratio, with the ratio beside it.
pub fn draw(results: &Results) -> String {
    let (mut bars, mut y) = (String::new(), TOP + GAP);
    for workload in &WORKLOADS {
        let others = results
            .of(workload.name)
            .filter(|entry| entry.contender.name != BASELINE);
        let measured: Vec<_> = others
            .filter_map(|entry| Some((entry.contender.name, ratio(results, entry)?)))
            .collect();
        if measured.is_empty() {
            continue;
        }
        let _ = writeln!(
            bars,
            r#"<text x="8" y="{:.1}" font-weight="bold">{}</text>"#,
            y + BAR - 3.0,
            workload.name
        );
        for (name, ratio) in measured {
            let (from, to) = (place(1.0).min(place(ratio)), place(1.0).max(place(ratio)));
            let _ = writeln!(
                bars,
                r#"<rect x="{from:.1}" y="{y:.1}" width="{:.1}" height="{:.1}" fill="{}"/>"#,
                (to - from).max(1.0),
                BAR - 2.0,
                color(name)
            );
            let _ = writeln!(
                bars,
                r#"<text x="{:.1}" y="{:.1}">{} {name}</text>"#,
                to + 4.0,
                y + BAR - 3.5,
                number(ratio)
            );
            y += BAR;
        }
        y += GAP;
    }
    let (width, height) = (LEFT + WIDTH + 170.0, y + 8.0);
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height:.0}\" font-family=\"sans-serif\" font-size=\"11\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n\
         <text x=\"8\" y=\"18\" font-size=\"14\" font-weight=\"bold\">Speed in ratios to libhdf5 2.2 through its C API (1 is equal, right is faster)</text>\n"
    );
    axis(&mut text, y);
    text.push_str(&bars);
    text.push_str("</svg>\n");
    text
}
