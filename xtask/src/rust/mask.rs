/// The text with comments and literals replaced by blanks; lines stay lines.
pub fn mask(text: &str) -> String {
    let characters: Vec<char> = text.chars().collect();
    let mut masked = String::with_capacity(text.len());
    let mut position = 0;
    while position < characters.len() {
        let end = match opaque(&characters, position) {
            Some(end) => {
                masked.extend(
                    characters[position..end].iter().map(|&c| if c == '\n' { c } else { ' ' }),
                );
                end
            }
            None => {
                masked.push(characters[position]);
                position + 1
            }
        };
        position = end;
    }
    masked
}

/// The end of the comment or literal that begins here, if one does.
fn opaque(text: &[char], begin: usize) -> Option<usize> {
    let rest = &text[begin..];
    let inside_word = begin > 0 && is_word(text[begin - 1]);
    match rest {
        ['/', '/', ..] => Some(begin + find(rest, 0, |rest| rest[0] == '\n')),
        ['/', '*', ..] => Some(begin + block_comment(rest)),
        ['"', ..] => Some(begin + string(rest)),
        ['\'', ..] => character(rest).map(|length| begin + length),
        ['r', ..] if !inside_word => raw_string(&rest[1..]).map(|length| begin + 1 + length),
        ['b' | 'c', 'r', ..] if !inside_word => {
            raw_string(&rest[2..]).map(|length| begin + 2 + length)
        }
        _ => None,
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn find(text: &[char], from: usize, holds: impl Fn(&[char]) -> bool) -> usize {
    (from..text.len()).find(|&position| holds(&text[position..])).unwrap_or(text.len())
}

fn block_comment(text: &[char]) -> usize {
    let mut depth = 0;
    let mut position = 0;
    while position < text.len() {
        match &text[position..] {
            ['/', '*', ..] => {
                depth += 1;
                position += 2;
            }
            ['*', '/', ..] => {
                depth -= 1;
                position += 2;
                if depth == 0 {
                    break;
                }
            }
            _ => position += 1,
        }
    }
    position
}

fn string(text: &[char]) -> usize {
    let mut position = 1;
    while position < text.len() {
        match text[position] {
            '\\' => position += 2,
            '"' => return position + 1,
            _ => position += 1,
        }
    }
    text.len()
}

/// The text begins after the `r`. Without hashes and a quote it is no raw string.
fn raw_string(text: &[char]) -> Option<usize> {
    let hashes = text.iter().take_while(|&&c| c == '#').count();
    if text.get(hashes) != Some(&'"') {
        return None;
    }
    let ends = |rest: &[char]| {
        rest[0] == '"' && rest[1..].iter().take_while(|&&c| c == '#').count() >= hashes
    };
    Some((find(text, hashes + 1, ends) + 1 + hashes).min(text.len()))
}

/// A quote begins a character or a lifetime.
fn character(text: &[char]) -> Option<usize> {
    match text {
        ['\'', '\\', ..] => Some((find(text, 3, |rest| rest[0] == '\'') + 1).min(text.len())),
        ['\'', _, '\'', ..] => Some(3),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        assert_eq!(mask(text), expected);
    }

    #[test]
    fn comments_are_blank() {
        check("a // b \"c\nd", "a        \nd");
        check("a /* b /* c */ d\n */ e", "a               \n    e");
    }

    #[test]
    fn strings_are_blank() {
        check(r#"a "b\"{" c"#, "a        c");
        check("r#\"}\"}\"# x", "         x");
        check("br\"\\\" x", "      x");
        check("var\"x\"", "var   ");
        check("\"a\nb\"", "  \n  ");
    }

    #[test]
    fn characters_and_lifetimes_are_told_apart() {
        check("'{' 'a, '\\'' '\\u{7d}' b'x'", "    'a,               b   ");
        check("fn f<'a>(x: &'a str)", "fn f<'a>(x: &'a str)");
    }

    #[test]
    fn an_end_that_never_comes_is_the_end_of_the_text() {
        for text in ["\"a", "/* a", "r#\"a\"", "'\\", "\"\\"] {
            assert_eq!(mask(text).chars().count(), text.chars().count());
        }
    }
}
