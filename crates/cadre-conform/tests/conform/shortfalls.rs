//! What the engine without a JVM says of the divergences.

use std::fmt::Write as _;

use cadre_conform::TraceVerdict;
use cadre_tla::Embedded;
use expect_test::expect;

use crate::divergences::{check_divergences, divergences};
use crate::support::tlc;

#[test]
fn the_engine_without_a_jvm_finds_each_divergence_and_explains_all_but_those_of_types() {
    let traces = divergences();
    let authority = check_divergences(&traces, tlc());
    let embedded = check_divergences(&traces, &Embedded);
    let mut explained_otherwise = String::new();
    let both = authority.verdicts.iter().zip(&embedded.verdicts);
    for (trace, (authority, embedded)) in traces.iter().zip(both) {
        let (TraceVerdict::Rejected(authority), TraceVerdict::Rejected(embedded)) =
            (authority, embedded)
        else {
            panic!("{}: {authority:?} {embedded:?}", trace.name);
        };
        assert_eq!(authority.step, embedded.step, "{}", trace.name);
        assert_eq!(authority.reason, embedded.reason, "{}", trace.name);
        assert_eq!(authority.spec_state, embedded.spec_state, "{}", trace.name);
        assert_eq!(authority.enabled, embedded.enabled, "{}", trace.name);
        if authority.false_parts != embedded.false_parts {
            let _ = writeln!(explained_otherwise, "{}", trace.name);
        }
    }
    expect![[r#"
        a value of another type
        a set that is none
    "#]]
    .assert_eq(&explained_otherwise);
}
