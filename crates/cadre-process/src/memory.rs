use std::fs;
use std::path::Path;

/// The memory that is free for new programs, in bytes, within what a control group leaves; `None`
/// where the system does not say.
pub fn free_memory() -> Option<u64> {
    let read = |path: &str| fs::read_to_string(Path::new(path)).ok();
    let free = available(&read("/proc/meminfo")?)?;
    let group = |name: &str| read(&format!("/sys/fs/cgroup/{name}"))?.trim().parse::<u64>().ok();
    let of_group =
        group("memory.max").map(|max| max.saturating_sub(group("memory.current").unwrap_or(0)));
    Some(of_group.map_or(free, |of_group| of_group.min(free)))
}

/// The available bytes that a text like that of `/proc/meminfo` tells.
fn available(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kilobytes.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_free_is_read_where_the_system_tells_it() {
        let text = "MemTotal:       24568 kB\nMemFree:  1000 kB\nMemAvailable:   2000 kB\n";
        assert_eq!(available(text), Some(2000 * 1024));
        assert_eq!(available("MemTotal: 24568 kB\n"), None);
        assert_eq!(available("MemAvailable: much\n"), None);
    }
}
