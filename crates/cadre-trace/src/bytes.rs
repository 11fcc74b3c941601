/// Writes bytes as text: UTF-8 as it is, anything else, and text that begins with `0x`, in
/// hexadecimal.
///
/// # Examples
///
/// ```
/// use cadre_trace::{bytes_from_text, bytes_to_text};
///
/// assert_eq!(bytes_to_text(b"vote"), "vote");
/// assert_eq!(bytes_to_text(&[0xff, 0]), "0xff00");
/// assert_eq!(bytes_from_text("0xff00"), Some(vec![0xff, 0]));
/// assert_eq!(bytes_from_text("0xf"), None);
/// ```
pub fn bytes_to_text(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) if !text.starts_with("0x") => text.to_owned(),
        Ok(_) | Err(_) => {
            let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            format!("0x{digits}")
        }
    }
}

/// Reads what [`bytes_to_text`] wrote; `None` where `0x` is not followed by pairs of hexadecimal
/// digits.
pub fn bytes_from_text(text: &str) -> Option<Vec<u8>> {
    let Some(digits) = text.strip_prefix("0x") else { return Some(text.as_bytes().to_vec()) };
    let digits: Vec<u32> = digits.chars().map(|digit| digit.to_digit(16)).collect::<Option<_>>()?;
    let (pairs, rest) = digits.as_chunks::<2>();
    let byte = |[high, low]: &[u32; 2]| u8::try_from(high * 16 + low).ok();
    if rest.is_empty() { pairs.iter().map(byte).collect() } else { None }
}
