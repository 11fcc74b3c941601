use anyhow::Result;

use crate::rust::{mask, tokens};
use crate::{Tree, Violation};

/// A text that must not occur, assembled so that this file does not contain it either.
struct Word {
    text: &'static str,
    /// Whether it counts only where no letter or digit is next to it.
    alone: bool,
    why: &'static str,
}

const HOST: &str = "name packages, not the places they are to be had from";
const PLACE: &str = "name places relative to the root";
const NOTE: &str = "do it, or say in prose what is missing";
const AUTHOR: &str = "describe the code, not how it was written";

const WORDS: [Word; 16] = [
    Word { text: concat!("crates", ".io"), alone: false, why: HOST },
    Word { text: concat!("index.", "crates"), alone: false, why: HOST },
    Word { text: concat!("pypi", ".org"), alone: false, why: HOST },
    Word { text: concat!("pythonhosted", ".org"), alone: false, why: HOST },
    Word { text: concat!("debian", ".org"), alone: false, why: HOST },
    Word { text: concat!("proxy.", "golang"), alone: false, why: HOST },
    Word { text: concat!("registry.", "npmjs"), alone: false, why: HOST },
    Word { text: concat!("/wo", "rk/"), alone: false, why: PLACE },
    Word { text: concat!("/ro", "ot/"), alone: false, why: PLACE },
    Word { text: concat!("TO", "DO"), alone: true, why: NOTE },
    Word { text: concat!("X", "XX"), alone: true, why: NOTE },
    Word { text: concat!("Chat", "GPT"), alone: false, why: AUTHOR },
    Word { text: concat!("Open", "AI"), alone: false, why: AUTHOR },
    Word { text: concat!("Anthr", "opic"), alone: false, why: AUTHOR },
    Word { text: concat!("Cla", "ude"), alone: true, why: AUTHOR },
    Word { text: concat!("L", "LM"), alone: true, why: AUTHOR },
];

const NOTE_WITH_OWNER: &str = concat!("FIX", "ME");

/// The lock file is cargo's, and says where packages are from.
const LOCK: &str = "Cargo.lock";

pub(crate) fn check(tree: &Tree) -> Result<Vec<Violation>> {
    let mut violations = Vec::new();
    for (path, text) in tree.texts().filter(|(path, _)| !path.ends_with(LOCK)) {
        for (text, line) in text.lines().zip(1..) {
            violations.extend(judge(text).map(|what| Violation::at(path, line, what)));
        }
    }
    for (path, text) in tree.ending(".rs") {
        violations.extend(unfinished(path, text));
    }
    Ok(violations)
}

fn judge(line: &str) -> Option<String> {
    for word in &WORDS {
        if occurs(line, word) {
            return Some(format!("expected no `{}`, found one; {}", word.text, word.why));
        }
    }
    let unowned = |(at, _): (usize, &str)| !line[at + NOTE_WITH_OWNER.len()..].starts_with('(');
    line.match_indices(NOTE_WITH_OWNER).any(unowned).then(|| {
        format!("expected `{NOTE_WITH_OWNER}(owner)`, found it without an owner; name one")
    })
}

fn occurs(line: &str, word: &Word) -> bool {
    let is_part = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    line.match_indices(word.text).any(|(at, text)| {
        let before = line[..at].chars().next_back();
        let after = line[at + text.len()..].chars().next();
        !word.alone || !(is_part(before) || is_part(after))
    })
}

fn unfinished(path: &str, text: &str) -> Vec<Violation> {
    let code = mask(text);
    let tokens = tokens(&code);
    let unfinished = tokens.windows(2).filter(|pair| {
        [concat!("to", "do"), concat!("unimple", "mented")].contains(&pair[0].text)
            && pair[1].text == "!"
    });
    unfinished
        .map(|pair| {
            let what = format!("expected finished code, found `{}!`; finish it", pair[0].text);
            Violation::at(path, pair[0].line, what)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> usize {
        check(&Tree::of([(path, text)])).unwrap().len()
    }

    #[test]
    fn every_word_of_the_list_is_found() {
        for word in &WORDS {
            assert_eq!(found("a.md", &format!("see {}.\n", word.text)), 1, "{}", word.text);
        }
    }

    #[test]
    fn a_word_that_counts_alone_may_be_part_of_another() {
        for word in WORDS.iter().filter(|word| word.alone) {
            assert_eq!(found("a.md", &format!("see {}x\n", word.text)), 0, "{}", word.text);
        }
    }

    #[test]
    fn the_lock_file_may_say_where_packages_are_from() {
        assert_eq!(found("Cargo.lock", WORDS[0].text), 0);
    }

    #[test]
    fn a_note_needs_an_owner() {
        assert_eq!(found("a.md", &format!("{NOTE_WITH_OWNER}: later\n")), 1);
        assert_eq!(found("a.md", &format!("{NOTE_WITH_OWNER}(somebody): later\n")), 0);
    }

    #[test]
    fn unfinished_code_is_found() {
        assert_eq!(found("a.rs", concat!("fn f() { to", "do!() }\n")), 1);
        assert_eq!(found("a.rs", concat!("fn f() { unimple", "mented!(\"later\") }\n")), 1);
        assert_eq!(found("a.rs", concat!("// to", "do! is for later\n")), 0);
    }
}
