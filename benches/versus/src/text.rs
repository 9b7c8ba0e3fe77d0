//! Numbers as people read them.

/// Three digits that count.
pub fn number(value: f64) -> String {
    match value {
        _ if value >= 100.0 => format!("{value:.0}"),
        _ if value >= 10.0 => format!("{value:.1}"),
        _ if value >= 1.0 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

/// Bytes in MB or GB.
pub fn size(bytes: f64) -> String {
    match bytes {
        _ if bytes >= 1e9 => format!("{} GB", number(bytes / 1e9)),
        _ if bytes >= 1e6 => format!("{} MB", number(bytes / 1e6)),
        _ => format!("{} kB", number(bytes / 1e3)),
    }
}
