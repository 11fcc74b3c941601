use std::fs;
use std::path::Path;

/// Reads a size such as `500M` or `8G`: a number and a unit, in powers of 1024.
pub(crate) fn parse(text: &str) -> Result<u64, String> {
    let wrong = || format!("expected a size such as 500M or 8G, found `{text}`");
    let digits = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let unit = unit.to_ascii_uppercase();
    let power = match unit.strip_suffix("IB").or(unit.strip_suffix('B')).unwrap_or(&unit) {
        "K" => 1,
        "M" => 2,
        "G" => 3,
        "T" => 4,
        "" if unit != "IB" => 0,
        _ => return Err(wrong()),
    };
    let number: u64 = number.parse().map_err(|_| wrong())?;
    let bytes = number.checked_mul(1 << (10 * power)).filter(|bytes| *bytes > 0);
    bytes.ok_or_else(|| format!("expected a size from 1 byte to 16 million T, found `{text}`"))
}

/// Three quarters of the memory that is free; `None` where the system does not say.
///
/// What a search keeps is not all it needs: the rest is for what the protocol itself has met, and
/// for other programs.
pub(crate) fn share_of_free() -> Option<u64> {
    let read = |path: &str| fs::read_to_string(Path::new(path)).ok();
    let free = available(&read("/proc/meminfo")?)?;
    let group = |name: &str| read(&format!("/sys/fs/cgroup/{name}"))?.trim().parse::<u64>().ok();
    let of_group =
        group("memory.max").map(|max| max.saturating_sub(group("memory.current").unwrap_or(0)));
    Some(of_group.map_or(free, |of_group| of_group.min(free)) / 4 * 3)
}

/// The available bytes that a text like that of `/proc/meminfo` tells.
fn available(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kilobytes.checked_mul(1024)
}

/// A number of bytes, for people to read.
pub(crate) fn shown(bytes: u64) -> String {
    let units = [(1 << 40, "T"), (1 << 30, "G"), (1 << 20, "M"), (1 << 10, "K")];
    match units.into_iter().find(|(unit, _)| bytes >= *unit) {
        Some((unit, name)) if bytes.is_multiple_of(unit) || bytes >= 100 * unit => {
            format!("{} {name}", bytes / unit)
        }
        Some((unit, name)) => format!("{:.1} {name}", bytes as f64 / unit as f64),
        None => format!("{bytes} B"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_a_number_with_a_unit() {
        let sizes = ["1", "2k", "500M", "8G", "8GiB", "1gb", "3T"];
        let bytes = [1, 2 << 10, 500 << 20, 8 << 30, 8 << 30, 1 << 30, 3 << 40];
        assert_eq!(sizes.map(|size| parse(size).unwrap()), bytes);
        for wrong in
            ["", "G", "8X", "-1G", "1.5G", "8 G", "0", "8IB", "99999999999999999999", "99999999T"]
        {
            let error = parse(wrong).unwrap_err();
            assert!(error.contains("expected a size") && error.contains(wrong), "{error}");
        }
    }

    #[test]
    fn what_is_free_is_read_where_the_system_tells_it() {
        let text = "MemTotal:       24568 kB\nMemFree:  1000 kB\nMemAvailable:   2000 kB\n";
        assert_eq!(available(text), Some(2000 * 1024));
        assert_eq!(available("MemTotal: 24568 kB\n"), None);
        assert_eq!(available("MemAvailable: much\n"), None);
    }

    #[test]
    fn bytes_are_shown_in_the_largest_unit_that_fits() {
        let bytes = [0, 1023, 1024, 1536, 500 << 20, 8 << 30, 12_345_678_901];
        assert_eq!(bytes.map(shown), ["0 B", "1023 B", "1 K", "1.5 K", "500 M", "8 G", "11.5 G"]);
    }
}
