use cadre::process::free_memory;

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
    free_memory().map(|free| free / 4 * 3)
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
    fn bytes_are_shown_in_the_largest_unit_that_fits() {
        let bytes = [0, 1023, 1024, 1536, 500 << 20, 8 << 30, 12_345_678_901];
        assert_eq!(bytes.map(shown), ["0 B", "1023 B", "1 K", "1.5 K", "500 M", "8 G", "11.5 G"]);
    }
}
