//! Points as lines on logarithmic axes.

use crate::{Point, Series};
use std::fmt::Write as _;

const LEFT: f64 = 70.0;
const TOP: f64 = 44.0;
const WIDTH: f64 = 520.0;
const HEIGHT: f64 = 260.0;
const COLORS: [&str; 3] = ["#c2410c", "#4338ca", "#0f766e"];

struct Plot {
    title: &'static str,
    x: &'static str,
    y: &'static str,
    lines: Vec<(&'static str, Vec<(f64, f64)>)>,
}

/// The plots that there are points for, by name.
pub fn all(points: &[Point]) -> Vec<(&'static str, String)> {
    let line = |series: Series, y: fn(&Point) -> f64| -> Vec<(f64, f64)> {
        points
            .iter()
            .filter(|point| point.series == series)
            .map(|point| (point.count as f64, y(point)))
            .collect()
    };
    let each: fn(&Point) -> f64 = Point::nanoseconds_each;
    let mebibytes: fn(&Point) -> f64 = |point| point.memory / f64::from(1 << 20);
    let objects = |y| {
        vec![
            ("in one group", line(Series::ObjectsInOne, y)),
            ("1000 to a group", line(Series::ObjectsInMany, y)),
        ]
    };
    let plots = [
        (
            "appends",
            Plot {
                title: "One append of one chunk",
                x: "chunks in the dataset",
                y: "ns",
                lines: vec![("64 bytes", line(Series::Appends, each))],
            },
        ),
        (
            "appends-memory",
            Plot {
                title: "Peak memory of appending",
                x: "chunks in the dataset",
                y: "MiB",
                lines: vec![("chunks of 64 bytes", line(Series::Appends, mebibytes))],
            },
        ),
        (
            "objects",
            Plot {
                title: "One dataset with three attributes",
                x: "objects in the file",
                y: "ns",
                lines: objects(each),
            },
        ),
        (
            "objects-memory",
            Plot {
                title: "Peak memory of making objects",
                x: "objects in the file",
                y: "MiB",
                lines: objects(mebibytes),
            },
        ),
        (
            "stream-memory",
            Plot {
                title: "Peak memory of streaming",
                x: "bytes in the file",
                y: "MiB",
                lines: vec![("chunks of 1 MiB", line(Series::Stream, mebibytes))],
            },
        ),
    ];
    let drawn = |(name, plot): (&'static str, Plot)| Some((name, draw(&plot)?));
    plots.into_iter().filter_map(drawn).collect()
}

/// The whole decades that the values span, at least one.
fn decades(values: impl Iterator<Item = f64> + Clone) -> Option<(f64, f64)> {
    let least = values.clone().reduce(f64::min)?.log10().floor();
    let most = values.reduce(f64::max)?.log10().ceil();
    Some((least, most.max(least + 1.0)))
}

fn draw(plot: &Plot) -> Option<String> {
    let points = || plot.lines.iter().flat_map(|(_, points)| points.iter());
    let (x0, x1) = decades(points().map(|point| point.0))?;
    let (y0, y1) = decades(points().map(|point| point.1))?;
    let x = |value: f64| LEFT + WIDTH * (value.log10() - x0) / (x1 - x0);
    let y = |value: f64| TOP + HEIGHT * (y1 - value.log10()) / (y1 - y0);
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 620 360\" font-family=\"sans-serif\" font-size=\"11\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n\
         <text x=\"8\" y=\"18\" font-size=\"14\" font-weight=\"bold\">{}, {}</text>\n",
        plot.title, plot.y
    );
    let mut grid = |x: [f64; 2], y: [f64; 2]| {
        let _ = writeln!(
            text,
            r##"<line x1="{:.1}" y1="{:.1}" x2="{:.1}" y2="{:.1}" stroke="#cbd5e1"/>"##,
            x[0], y[0], x[1], y[1]
        );
    };
    let powers = |from: f64, to: f64| (from as i32..=to as i32).map(|power| 10_f64.powi(power));
    powers(x0, x1).for_each(|value| grid([x(value); 2], [TOP, TOP + HEIGHT]));
    powers(y0, y1).for_each(|value| grid([LEFT, LEFT + WIDTH], [y(value); 2]));
    for value in powers(x0, x1) {
        let _ = writeln!(
            text,
            r#"<text x="{:.1}" y="{:.1}" text-anchor="middle">{value:e}</text>"#,
            x(value),
            TOP + HEIGHT + 15.0
        );
    }
    for value in powers(y0, y1) {
        let _ = writeln!(
            text,
            r#"<text x="{:.1}" y="{:.1}" text-anchor="end">{value}</text>"#,
            LEFT - 5.0,
            y(value) + 4.0
        );
    }
    let _ = writeln!(
        text,
        r#"<text x="{:.1}" y="{:.1}" text-anchor="middle">{}</text>"#,
        LEFT + WIDTH / 2.0,
        TOP + HEIGHT + 34.0,
        plot.x
    );
    for (at, (name, points)) in plot.lines.iter().enumerate() {
        let color = COLORS[at % COLORS.len()];
        let places: Vec<String> = points
            .iter()
            .map(|point| format!("{:.1},{:.1}", x(point.0), y(point.1)))
            .collect();
        let _ = writeln!(
            text,
            r#"<polyline points="{}" fill="none" stroke="{color}" stroke-width="2"/>"#,
            places.join(" ")
        );
        for (place_x, place_y) in points.iter().map(|point| (x(point.0), y(point.1))) {
            let _ = writeln!(
                text,
                r#"<circle cx="{place_x:.1}" cy="{place_y:.1}" r="3" fill="{color}"/>"#
            );
        }
        let _ = writeln!(
            text,
            r#"<text x="{:.1}" y="{:.1}" fill="{color}">{name}</text>"#,
            LEFT + 8.0,
            TOP + 14.0 + 14.0 * at as f64
        );
    }
    text.push_str("</svg>\n");
    Some(text)
}
