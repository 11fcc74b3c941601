use cadre_trace::{Json, brief};

/// A value as one says it, on one line whatever it contains.
pub(crate) fn say(value: &Json) -> String {
    match value {
        Json::String(text) if text.is_empty() => "\"\"".to_owned(),
        Json::Null
        | Json::Bool(_)
        | Json::Number(_)
        | Json::String(_)
        | Json::Array(_)
        | Json::Object(_) => one_line(&brief(value)),
    }
}

/// What kind of message a value is, without what it carries.
pub(crate) fn kind(message: &Json) -> String {
    let name = match message {
        Json::Object(fields) => match fields.iter().next() {
            Some((name, _)) if fields.len() == 1 => Some(name.as_str()),
            Some(_) | None => {
                ["type", "kind"].iter().find_map(|field| fields.get(*field).and_then(Json::as_str))
            }
        },
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Array(_) => None,
    };
    name.map_or_else(|| say(message), one_line)
}

/// A text without line breaks and other control characters.
pub(crate) fn one_line(text: &str) -> String {
    let escape = |letter: char| match letter.is_control() {
        true => letter.escape_default().to_string(),
        false => letter.to_string(),
    };
    text.chars().map(escape).collect()
}

/// How many columns a text takes on a terminal.
pub(crate) fn width(text: &str) -> usize {
    text.chars().map(char_width).sum()
}

/// A text and as many blanks as fill the columns.
pub(crate) fn pad(text: &str, columns: usize) -> String {
    format!("{text}{}", " ".repeat(columns.saturating_sub(width(text))))
}

/// A text cut to the columns, with `…` where something is missing.
pub(crate) fn clip(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let mut kept = take(text, columns.saturating_sub(1)).0.trim_end().to_owned();
    if columns > 0 {
        kept.push('…');
    }
    kept
}

/// Fills lines with the words, breaking those that are wider than a line.
pub(crate) fn wrap<'w>(words: impl IntoIterator<Item = &'w str>, columns: usize) -> Vec<String> {
    let columns = columns.max(1);
    let mut lines = vec![String::new()];
    for mut word in words {
        while let Some(line) = lines.last_mut() {
            let blank = usize::from(!line.is_empty());
            if width(line) + blank + width(word) <= columns {
                line.push_str(&" ".repeat(blank));
                line.push_str(word);
                break;
            }
            if line.is_empty() {
                // A letter of two columns may be wider than the line: it is put there all the same.
                let (start, rest) = take(word, columns.max(2));
                line.push_str(start);
                word = rest;
            }
            lines.push(String::new());
        }
    }
    lines.retain(|line| !line.is_empty());
    lines
}

/// The start of a text that fits the columns, and the rest.
fn take(text: &str, columns: usize) -> (&str, &str) {
    let mut taken = 0;
    for (at, letter) in text.char_indices() {
        taken += char_width(letter);
        if taken > columns {
            return text.split_at(at);
        }
    }
    (text, "")
}

/// The columns of one letter: two for the wide scripts and pictures, none for marks that combine.
fn char_width(letter: char) -> usize {
    match u32::from(letter) {
        0x0300..=0x036f | 0x200b..=0x200f | 0x20d0..=0x20ff | 0xfe00..=0xfe0f => 0,
        0x1100..=0x115f
        | 0x2e80..=0x303e
        | 0x3041..=0x4dbf
        | 0x4e00..=0xa4cf
        | 0xac00..=0xd7a3
        | 0xf900..=0xfaff
        | 0xfe30..=0xfe6f
        | 0xff00..=0xff60
        | 0xffe0..=0xffe6
        | 0x1f300..=0x1f64f
        | 0x1f680..=0x1f6ff
        | 0x1f900..=0x1f9ff
        | 0x20000..=0x3fffd => 2,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::{clip, one_line, width, wrap};

    #[test]
    fn wide_letters_and_marks_are_counted_in_columns() {
        assert_eq!(width("票"), 2);
        assert_eq!(width("e\u{301}"), 1);
        assert_eq!(width("o──▶*"), 5);
    }

    #[test]
    fn a_cut_text_ends_in_an_ellipsis_within_the_columns() {
        assert_eq!(clip("prepared", 8), "prepared");
        assert_eq!(clip("prepared", 7), "prepar…");
        assert_eq!(clip("票票", 3), "票…");
        assert_eq!(clip("prepared", 0), "");
    }

    #[test]
    fn a_word_wider_than_the_line_is_broken() {
        assert_eq!(wrap("a bc defgh".split(' '), 3), ["a", "bc", "def", "gh"]);
        assert_eq!(wrap(["票票"], 1), ["票", "票"]);
        assert!(wrap([], 3).is_empty());
    }

    #[test]
    fn a_line_break_is_shown_rather_than_made() {
        assert_eq!(one_line("a\nb\u{1b}"), "a\\nb\\u{1b}");
    }
}
