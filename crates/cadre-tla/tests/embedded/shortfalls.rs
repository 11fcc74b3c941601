//! Where the engine without a JVM falls short of TLC: all that is known.

use std::fmt::Write as _;

use cadre_tla::Embedded;
use expect_test::expect;

use crate::support::{Files, files, run, tlc, told};

/// A specification that stays where it is, with some definitions and an invariant.
fn invariant(definitions: &str, invariant: &str) -> Files {
    let body = format!(
        "EXTENDS Integers, Sequences, FiniteSets, TLC\nVARIABLE x\n{definitions}\
         Init == x = 1\nNext == x' = x\nInv == {invariant}\n"
    );
    files(&body, "INIT Init\nNEXT Next\nINVARIANT Inv\n")
}

fn configured(line: &str) -> Files {
    let body = "EXTENDS Naturals\nCONSTANT S\nVARIABLE x\nInit == x = 1\nNext == x' = (x % 3) + 1\n\
                Low == x < 3\nView == x > 1\nChange == x' # x\nPair == [S -> S]\n\
                Small == 0..2\nInv == x \\in Nat\n";
    files(body, &format!("INIT Init\nNEXT Next\nCONSTANT S = {{a, b}}\n{line}\n"))
}

fn cases() -> Vec<(&'static str, Files)> {
    let replaced = configured("CONSTANT Nat <- Small\nINVARIANT Inv");
    vec![
        ("values of two types are compared", invariant("", "x # \"1\"")),
        (
            "a sequence that is sorted",
            invariant("", "SortSeq(<<2, 1>>, LAMBDA a, b : a < b) = <<1, 2>>"),
        ),
        ("a number beyond 32 bits", invariant("", "2147483647 + x > 0")),
        ("a remainder of a negative number", invariant("", "7 % (-2) < x")),
        ("a register that nobody has set", invariant("", "TLCGet(7) \\in BOOLEAN")),
        ("CHOOSE without a set", invariant("", "x = CHOOSE y : y = 1")),
        (
            "a name that is defined nowhere, where it does not matter",
            invariant("", "x = 1 \\/ Undefined"),
        ),
        (
            "a name that is there twice, which is one too many",
            invariant("", "\\E x \\in {1} : x = 1"),
        ),
        (
            "a module that it uses without extending it",
            files("VARIABLE x\nInit == x = 1\nNext == x' = x + 0\n", "INIT Init\nNEXT Next\n"),
        ),
        ("operators without the parentheses between them", invariant("", "x % 3 + 1 = 2")),
        (
            "a list that is further left than what it belongs to",
            files(
                "EXTENDS Naturals\nVARIABLES x, y\nInit == /\\ x =\n /\\ y = 1\n\
                 Next == UNCHANGED <<x, y>>\n",
                "INIT Init\nNEXT Next\n",
            ),
        ),
        (
            "sets without end that are looked up",
            invariant("Sets == [a |-> [n : Int]]\n", "[n |-> x] \\in Sets[\"a\"]"),
        ),
        ("all subsets of a set of 21", invariant("", "\\E s \\in SUBSET (1..21) : s = {x}")),
        ("an operator that is a symbol", invariant("a ++ b == a + b\n", "x ++ 1 = 2")),
        ("an operator that the configuration replaces", replaced),
        ("a constraint of states", configured("CONSTRAINT Low")),
        ("a constraint of steps", configured("ACTION_CONSTRAINT Change")),
        ("a view", configured("VIEW View")),
    ]
}

#[test]
fn these_are_all_known_shortfalls() {
    let mut table = String::new();
    for (what, files) in cases() {
        let [authority, embedded] =
            [told(&run(tlc(), &files, |_| {})), told(&run(&Embedded, &files, |_| {}))];
        let _ = writeln!(table, "{what}\n  TLC      {authority}\n  embedded {embedded}");
        if authority == embedded {
            let _ = writeln!(table, "  which is no shortfall");
        }
    }
    expect![[r#"
        values of two types are compared
          TLC      cannot evaluate, after 1 states
          embedded holds, 1 states, depth 1
        a sequence that is sorted
          TLC      holds, 1 states, depth 1
          embedded refuses SortSeq
        a number beyond 32 bits
          TLC      cannot evaluate, after 0 states
          embedded holds, 1 states, depth 1
        a remainder of a negative number
          TLC      cannot evaluate, after 0 states
          embedded holds, 1 states, depth 1
        a register that nobody has set
          TLC      cannot evaluate, after 0 states
          embedded holds, 1 states, depth 1
        CHOOSE without a set
          TLC      cannot evaluate, after 1 states
          embedded holds, 1 states, depth 1
        a name that is defined nowhere, where it does not matter
          TLC      does not parse
          embedded holds, 1 states, depth 1
        a name that is there twice, which is one too many
          TLC      does not parse
          embedded holds, 1 states, depth 1
        a module that it uses without extending it
          TLC      does not parse
          embedded holds, 1 states, depth 1
        operators without the parentheses between them
          TLC      does not parse
          embedded holds, 1 states, depth 1
        a list that is further left than what it belongs to
          TLC      does not parse
          embedded cannot evaluate, after 0 states
        sets without end that are looked up
          TLC      holds, 1 states, depth 1
          embedded cannot evaluate, after 1 states
        all subsets of a set of 21
          TLC      holds, 1 states, depth 1
          embedded cannot evaluate, after 1 states
        an operator that is a symbol
          TLC      holds, 1 states, depth 1
          embedded does not parse
        an operator that the configuration replaces
          TLC      Inv is violated after 3 states
          embedded refuses operators that the configuration replaces
        a constraint of states
          TLC      holds, 2 states, depth 2
          embedded refuses state constraints
        a constraint of steps
          TLC      holds, 3 states, depth 3
          embedded refuses action constraints
        a view
          TLC      holds, 2 states, depth 2
          embedded refuses views
    "#]]
    .assert_eq(&table);
}
