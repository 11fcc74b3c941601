use cadre_model::consistency::{Budget, Consistency, Object, Recording, Verdict};

/// What a recording is judged to be, or the error.
fn judged(text: &str, object: Option<&str>, consistency: &str) -> Result<Verdict, String> {
    let recording = Recording::from_ndjson(text).map_err(|error| error.to_string())?;
    let object = object.map(|name| Object::of_name(name).unwrap());
    let consistency = Consistency::of_name(consistency).unwrap();
    let report = recording.judge(object, consistency, Budget::default());
    report.map(|report| report.verdict).map_err(|error| error.to_string())
}

fn error(text: &str, object: &str) -> String {
    judged(text, Some(object), "linearizable").unwrap_err()
}

const STALE: &str = r#"{"format":"cadre-history","version":1,"object":"register","initial":0}
{"process":"c1","type":"invoke","operation":"write","value":1}
{"process":"c1","type":"ok"}

{"process":"c2","type":"invoke","operation":"read"}
{"process":"c2","type":"ok","answer":0}
"#;

#[test]
fn every_name_of_an_object_or_a_property_names_it() {
    for object in Object::ALL {
        assert_eq!(Object::of_name(object.name()), Some(object));
    }
    for consistency in Consistency::ALL {
        assert_eq!(Consistency::of_name(consistency.name()), Some(consistency));
    }
    assert_eq!(Object::of_name("stack"), None);
    assert_eq!(Consistency::of_name("strict"), None);
}

#[test]
fn a_recording_is_judged_by_every_property() {
    let verdicts = Consistency::ALL.map(|consistency| {
        let verdict = judged(STALE, None, consistency.name()).unwrap();
        (consistency.name(), verdict == Verdict::Holds)
    });
    let violated: Vec<&str> =
        verdicts.iter().filter(|(_, holds)| !holds).map(|(name, _)| *name).collect();
    assert_eq!(violated, ["linearizable"]);
    let own = STALE.replace("c2", "c1");
    let verdicts = Consistency::ALL.map(|consistency| judged(&own, None, consistency.name()));
    let holds = verdicts.iter().filter(|verdict| **verdict == Ok(Verdict::Holds)).count();
    assert_eq!(holds, 3, "monotonic reads, monotonic writes and writes follow reads");
}

#[test]
fn maps_of_a_jepsen_log_are_read() {
    let text = r#"{"process":0,"type":"invoke","f":"read","value":null,"time":1,"index":0}
{"process":0,"type":"ok","f":"read","value":null,"time":2,"index":1}
{"process":1,"type":"invoke","f":"cas","value":[null,3],"time":3,"index":2}
{"process":1,"type":"info","f":"cas","value":[null,3],"time":4,"index":3,"error":"timeout"}
{"process":0,"type":"invoke","f":"read","value":null,"time":5,"index":4}
{"process":0,"type":"ok","f":"read","value":3,"time":6,"index":5}
"#;
    assert_eq!(judged(text, Some("cas-register"), "linearizable"), Ok(Verdict::Holds));
    let failed = text.replace("info", "fail");
    assert_eq!(judged(&failed, Some("cas-register"), "linearizable"), Ok(Verdict::Violated));
}

/// Operations of one process, each answered as it should be, and a wrong answer for the last.
fn check_object(object: &str, calls: &[(&str, &str)], wrong: &str) {
    let text = |last: Option<&str>| {
        let mut text = String::new();
        for (index, (call, answer)) in calls.iter().enumerate() {
            let answer = last.filter(|_| index + 1 == calls.len()).unwrap_or(answer);
            text += &format!("{{\"process\":\"c1\",\"type\":\"invoke\",{call}}}\n");
            text += &format!("{{\"process\":\"c1\",\"type\":\"ok\"{answer}}}\n");
        }
        text
    };
    let judge = |text: &str| judged(text, Some(object), "linearizable");
    assert_eq!(judge(&text(None)), Ok(Verdict::Holds), "{object}");
    assert_eq!(judge(&text(Some(wrong))), Ok(Verdict::Violated), "{object}");
}

#[test]
fn every_object_is_recorded() {
    let write = (r#""operation":"write","value":1"#, "");
    let read = (r#""operation":"read""#, r#","answer":1"#);
    check_object("register", &[write, read], r#","answer":null"#);
    let swap = (r#""operation":"compare-and-set","value":[1,2]"#, r#","answer":true"#);
    check_object("cas-register", &[write, swap], r#","answer":false"#);
    let again = (r#""operation":"write","value":2"#, r#","answer":false"#);
    check_object("write-once", &[write, again, read], r#","answer":2"#);
    let put = (r#""operation":"write","key":"x","value":1"#, "");
    let get = (r#""operation":"read","key":"x""#, r#","value":1"#);
    let other = (r#""operation":"read","key":7"#, r#","value":null"#);
    check_object("kv", &[put, get, other], r#","value":1"#);
    let enqueue = (r#""operation":"enqueue","value":1"#, "");
    let dequeue = (r#""operation":"dequeue""#, r#","value":1"#);
    let empty = (r#""operation":"dequeue""#, r#","value":null"#);
    check_object("queue", &[enqueue, dequeue, empty], r#","value":1"#);
    let acquire = (r#""operation":"acquire""#, "");
    let release = (r#""operation":"release","value":"c1""#, "");
    check_object("lock", &[acquire, release, acquire], r#","answer":false"#);
    let add = (r#""operation":"add","value":2"#, "");
    check_object(
        "counter",
        &[add, add, (r#""operation":"read""#, r#","answer":4"#)],
        r#","answer":2"#,
    );
    let append = (r#""operation":"append","value":2"#, "");
    let list = (r#""operation":"read""#, r#","answer":[2,2]"#);
    check_object("log", &[append, append, list], r#","answer":[2]"#);
}

#[test]
fn a_line_that_is_no_event_is_named_with_what_was_expected() {
    assert_eq!(
        error("", "register"),
        "expected events, found nothing; check that the file was written to its end"
    );
    assert_eq!(
        error("{\"process\":\"c1\",\"type\":\"inv", "register"),
        "line 1: expected a JSON object with an event, found a line that ends in the middle: \
         `{\"process\":\"c1\",\"type\":\"inv`"
    );
    assert_eq!(error("\n7\n", "register"), "line 2: expected a JSON object with an event, found 7");
    assert_eq!(
        error(r#"{"type":"invoke"}"#, "register"),
        "line 1: expected the process, a string or a number, found nothing"
    );
    assert_eq!(
        error(r#"{"process":1,"type":"begin"}"#, "register"),
        "line 1: expected the type invoke, ok, fail or info, found \"begin\""
    );
    assert_eq!(
        error(r#"{"process":1,"type":"invoke","operation":"read","anwser":1}"#, "register"),
        "line 1: expected fields among process, type, operation, f, key, value, answer, time, \
         index, error, node, found `anwser`"
    );
}

#[test]
fn a_first_line_of_another_kind_or_version_is_refused() {
    let headed = |header: &str| error(header, "register");
    assert_eq!(
        headed(r#"{"format":"cadre-trace","version":1}"#),
        "line 1: expected the format \"cadre-history\", found \"cadre-trace\""
    );
    assert_eq!(
        headed(r#"{"format":"cadre-history","version":2}"#),
        "expected history version 1, found version 2; read it with the version of the tool that \
         wrote it"
    );
    assert_eq!(
        headed(r#"{"format":"cadre-history","version":1,"object":"stack"}"#),
        "line 1: expected an object, one of register, cas-register, write-once, kv, queue, lock, \
         counter, log, found \"stack\""
    );
}

#[test]
fn events_that_do_not_fit_together_are_named_by_their_lines() {
    let invoke = r#"{"process":"c1","type":"invoke","operation":"read"}"#;
    let ok = r#"{"process":"c1","type":"ok","answer":1}"#;
    assert_eq!(
        error(&format!("{invoke}\n{invoke}\n"), "register"),
        "line 2: expected the end of the open operation of c1, found another invoke"
    );
    assert_eq!(
        error(ok, "register"),
        "line 1: expected an open operation of c1, found the end of one"
    );
    assert_eq!(
        error(&format!("{invoke}\n{}", ok.replace(r#","answer":1"#, "")), "register"),
        "line 2: expected an answer to what was read, found nothing"
    );
    assert_eq!(error(&format!("{invoke}\n{ok}\n"), "kv"), "line 1: expected a key, found none");
    assert_eq!(
        error(&invoke.replace("read", "cas"), "register"),
        "line 1: expected read or write (cas-register has compare-and-set), found `cas`"
    );
    assert_eq!(
        error(&invoke.replace("read", "write"), "register"),
        "line 1: expected read, write with a value, or compare-and-set with [from, to], found \
         `write`"
    );
}

#[test]
fn a_question_that_does_not_suit_the_object_is_told_from_a_bad_file() {
    let invoke = r#"{"process":"c1","type":"invoke","operation":"enqueue","value":1}"#;
    let recording = Recording::from_ndjson(invoke).unwrap();
    let judge = |object, name: &str| {
        let consistency = Consistency::of_name(name).unwrap();
        recording.judge(object, consistency, Budget::default()).unwrap_err()
    };
    assert!(judge(None, "linearizable").is_of_question());
    let error = judge(Some(Object::Queue), "causal");
    assert!(error.is_of_question());
    assert_eq!(
        error.to_string(),
        "expected register or kv for causal, which is about reads and writes, found queue"
    );
    assert!(!judge(Some(Object::Log), "linearizable").is_of_question());
}

#[test]
fn values_that_are_not_distinct_are_named_by_their_lines() {
    let twice = STALE.replace("read", "write").replace(r#""write"}"#, r#""write","value":1}"#);
    assert_eq!(
        judged(&twice, None, "causal").unwrap_err(),
        "lines 2 and 5: expected that each value is written to a key once, found the same twice; \
         make the values distinct"
    );
    assert_eq!(judged(&twice, None, "linearizable"), Ok(Verdict::Holds));
    let initial = STALE.replace("\"value\":1", "\"value\":0");
    assert_eq!(
        judged(&initial, None, "sessions").unwrap_err(),
        "line 2: expected that the initial value is never written; make the values distinct"
    );
}
