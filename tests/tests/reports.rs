//! Reports in a real browser: that they draw, select, filter, link and listen to keys, complain of
//! nothing and request nothing. What they look like is kept in `pictures/`.

use std::path::PathBuf;

use cadre::trace::{
    LineageEdge, LineageGraph, LineageKind, LineageVertex, Standing, Trace, Verdict,
};
use cadre::view::{DiagramOptions, Report, ReportRun, STEPS_MAX, diagram, html, lineage_graph};
use cadre_tests::{Browser, check_picture, difference, long, stored_traces, stormy};
use serde_json::json;

/// Reports in a directory of their own, and a browser to open them.
struct Desk {
    directory: tempfile::TempDir,
    browser: Browser,
}

impl Desk {
    fn new() -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        Self { directory, browser: Browser::start() }
    }

    fn put(&self, name: &str, text: &str) -> PathBuf {
        let path = self.directory.path().join(name);
        std::fs::write(&path, text).expect("a file of the test");
        path
    }

    /// Opens a report at an address such as `#step=3`.
    fn open(&mut self, report: &Report, behind: &str) {
        let path = self.put("report.html", &html(report));
        self.browser.open(&path, behind);
    }

    fn read(&mut self, expression: &str) -> String {
        let value = self.browser.evaluate(expression);
        value.as_str().map_or_else(|| value.to_string(), str::to_owned)
    }

    /// The heading of the selected step; empty where none is.
    fn selected(&mut self) -> String {
        self.read("document.querySelector('#selected h2')?.textContent ?? ''")
    }

    fn count(&mut self, selector: &str) -> u64 {
        let expression = format!("document.querySelectorAll({}).length", json!(selector));
        self.browser.evaluate(&expression).as_u64().expect("a number")
    }
}

fn stored(name: &str) -> Trace {
    let found = stored_traces().into_iter().find(|stored| stored.name.contains(name));
    found.unwrap_or_else(|| panic!("there is no stored trace {name}")).trace
}

fn report(traces: Vec<Trace>) -> Report {
    let runs = traces.into_iter().map(ReportRun::of).collect();
    Report { title: "What the tests look at".to_owned(), runs, steps_max: STEPS_MAX }
}

/// A good run and a bad one, whose lineage differs.
fn compared() -> Report {
    let mut report = report(vec![stored("crash-and-takeover"), stored("early-commit")]);
    report.runs[0].name = "good run".to_owned();
    report.runs[0].lineage = Some(broken_support());
    report.runs[1].faults = vec!["omission a→b in round 1".to_owned()];
    report
}

fn broken_support() -> LineageGraph {
    let vertex = |kind, label: &str, time, standing| LineageVertex {
        kind,
        label: label.to_owned(),
        node: None,
        time,
        step: Some(time),
        standing,
    };
    let edge = |from, to, alternative| LineageEdge { from, to, alternative };
    LineageGraph {
        outcome: "b has the log".to_owned(),
        vertices: vec![
            vertex(LineageKind::Step, "a broadcasts", 1, Standing::Kept),
            vertex(LineageKind::Message, "Log a→b", 1, Standing::Cut),
            vertex(LineageKind::Message, "Log a→c", 1, Standing::Kept),
            vertex(LineageKind::Write, "disk log", 2, Standing::Kept),
            vertex(LineageKind::Step, "c relays", 2, Standing::Kept),
            vertex(LineageKind::Message, "Log c→b", 2, Standing::Fallen),
            vertex(LineageKind::Absence, "no Log from a", 3, Standing::Added),
            vertex(LineageKind::Outcome, "b has the log", 4, Standing::Fallen),
        ],
        edges: vec![
            edge(0, 1, 0),
            edge(0, 2, 0),
            edge(2, 3, 0),
            edge(3, 4, 0),
            edge(4, 5, 0),
            edge(1, 6, 0),
            edge(1, 7, 0),
            edge(5, 7, 1),
        ],
    }
}

#[test]
fn a_report_draws_every_step_and_complains_of_nothing_and_requests_nothing() {
    let mut desk = Desk::new();
    for stored in stored_traces() {
        let steps = stored.trace.steps.len() as u64;
        desk.open(&report(vec![stored.trace]), "");
        assert_eq!(desk.count(".diagram .step"), steps, "{}", stored.name);
        assert_eq!(desk.browser.complaints(), [""; 0], "{}", stored.name);
        let requests = desk.browser.requests();
        assert_eq!(requests.len(), 1, "only the page itself: {requests:?}");
    }
}

#[test]
fn complaints_and_requests_of_a_page_are_seen() {
    let mut desk = Desk::new();
    let page = "<!doctype html><script>document.documentElement.dataset.ready = 'true';\
                console.error('bad'); fetch('http://127.0.0.1:9/');</script>";
    let path = desk.put("page.html", page);
    desk.browser.open(&path, "");
    desk.browser.wait_for("true");
    assert!(desk.browser.complaints().iter().any(|complaint| complaint.contains("bad")));
    assert!(desk.browser.requests().iter().any(|url| url.starts_with("http:")));
}

#[test]
fn the_policy_of_a_report_forbids_requests() {
    let mut desk = Desk::new();
    desk.open(&report(vec![stored("early-commit")]), "");
    let asked = desk.read("fetch('http://127.0.0.1:9/').then(() => 'done', () => 'refused')");
    assert_eq!(asked, "refused");
    assert_eq!(desk.browser.requests().len(), 1, "the page itself");
    let told = desk.browser.complaints().join(" ");
    assert!(told.contains("Content Security Policy"), "{told}");
}

#[test]
fn a_click_and_the_keys_select_steps_and_the_address_follows() {
    let mut desk = Desk::new();
    desk.open(&report(vec![stored("early-commit")]), "");
    assert_eq!(desk.selected(), "");
    desk.browser.click(".step[data-step='2'] .action");
    assert_eq!(desk.selected(), "2  deliver Prepared rm1→tm");
    assert_eq!(desk.read("location.hash"), "#step=2");
    desk.browser.press("ArrowDown");
    assert_eq!(desk.selected(), "3  tm chooses Commit");
    desk.browser.press("ArrowUp");
    desk.browser.press("ArrowUp");
    assert_eq!(desk.selected(), "1  rm1 chooses Prepare");
    desk.browser.press("ArrowRight");
    assert_eq!(desk.selected(), "4  deliver Commit tm→rm1", "the next step of rm1");
    desk.browser.press("End");
    assert_eq!(desk.selected(), "5  rm2 chooses Abort");
    desk.browser.press("Escape");
    assert_eq!(desk.selected(), "");
    assert_eq!(desk.read("location.hash"), "");
    assert_eq!(desk.browser.complaints(), [""; 0]);
}

#[test]
fn an_address_opens_its_step_and_what_happened_before_it_is_told_apart() {
    let mut desk = Desk::new();
    desk.open(&report(vec![stored("early-commit")]), "#step=4");
    assert_eq!(desk.selected(), "4  deliver Commit tm→rm1");
    let before = "[...document.querySelectorAll('.step.before')].map((s) => s.dataset.step).join()";
    assert_eq!(desk.read(before), "1,2,3");
    assert_eq!(desk.count(".step.after"), 0);
    let aside = "getComputedStyle(document.querySelector('.step[data-step=\"5\"]')).opacity";
    assert!(desk.read(aside).parse::<f64>().is_ok_and(|opacity| opacity < 0.5));
    desk.browser.evaluate("location.hash = '#step=2'");
    desk.browser.wait_for("document.querySelector('#selected h2')?.textContent.startsWith('2')");
    let clicked = "[...document.querySelectorAll('#selected .links button')][0].click()";
    desk.browser.evaluate(clicked);
    assert_eq!(desk.selected(), "1  rm1 chooses Prepare");
}

#[test]
fn happened_before_as_drawn_is_that_of_the_vector_clocks() {
    let mut desk = Desk::new();
    let trace = stormy();
    desk.open(&report(vec![trace.clone()]), "");
    let knows = |later: usize, earlier: usize| {
        let (later, earlier) = (&trace.steps[later - 1], &trace.steps[earlier - 1]);
        let nodes = earlier.action.nodes();
        let known = |node: &&str| later.clock.get(*node) >= earlier.clock.get(*node);
        !nodes.is_empty() && nodes.iter().all(known)
    };
    for step in 1..=trace.steps.len() {
        desk.browser.evaluate(&format!("location.hash = '#step={step}'"));
        let selected =
            format!("document.querySelector('#selected h2')?.textContent.startsWith('{step}  ')");
        desk.browser.wait_for(&selected);
        let drawn = "[...document.querySelectorAll('.step.before')].map((s) => +s.dataset.step)";
        let drawn: Vec<usize> =
            serde_json::from_value(desk.browser.evaluate(drawn)).expect("a list of steps");
        let of_nodes = |earlier: &usize| !trace.steps[earlier - 1].action.nodes().is_empty();
        let drawn: Vec<usize> = drawn.into_iter().filter(of_nodes).collect();
        let expected: Vec<usize> = (1..step).filter(|earlier| knows(step, *earlier)).collect();
        assert_eq!(drawn, expected, "before step {step}");
    }
}

#[test]
fn the_whole_state_is_shown_on_demand() {
    let mut desk = Desk::new();
    desk.open(&report(vec![stored("early-commit")]), "#step=2");
    let text = "document.querySelector('#selected').textContent";
    assert!(desk.read(text).contains("tm.prepared[0] none → 1"));
    assert!(desk.read(text).contains("Lamport 2, vectortm1rm11"), "clocks in the order of lanes");
    assert!(!desk.read(text).contains("In flight"));
    desk.browser.press("d");
    let whole = desk.read(text);
    assert!(whole.contains("rm1 (up)") && whole.contains("\"prepared\""), "{whole}");
    assert!(whole.contains("In flight: 1") && whole.contains("rm1 → tm: \"Prepared\""), "{whole}");
    desk.browser.press("d");
    assert!(!desk.read(text).contains("In flight"));
}

#[test]
fn a_filter_leaves_what_matches_and_enter_goes_there() {
    let mut desk = Desk::new();
    desk.open(&report(vec![stored("early-commit")]), "");
    desk.browser.press("/");
    desk.browser.write("commit");
    assert_eq!(desk.read("document.querySelector('#matches').textContent"), "2 of 5 steps");
    assert_eq!(desk.count(".step.unmatched"), 3);
    desk.browser.press("Enter");
    assert_eq!(desk.selected(), "3  tm chooses Commit");
    desk.browser.press("Escape");
    assert_eq!(desk.count(".step.unmatched"), 0);
}

#[test]
fn lanes_can_be_hidden_and_come_back() {
    let mut desk = Desk::new();
    desk.open(&report(vec![stored("early-commit")]), "#step=5");
    desk.browser.press("h");
    let lane =
        "getComputedStyle(document.querySelector('.diagram .lane[data-lane=\"2\"]')).display";
    assert_eq!(desk.read(lane), "none");
    assert_eq!(desk.count(".step.aside"), 1);
    let checked = "[...document.querySelectorAll('#lanes input')].map((box) => box.checked).join()";
    assert_eq!(desk.read(checked), "true,true,false,true");
    desk.browser.press("H");
    assert_eq!(desk.read(lane), "inline");
    desk.browser.click("#lanes input");
    assert_eq!(desk.read(checked), "false,true,true,true");
}

#[test]
fn runs_are_chosen_by_click_key_and_address() {
    let mut desk = Desk::new();
    desk.open(&compared(), "#run=2&step=1");
    assert_eq!(desk.selected(), "1  rm1 chooses Prepare");
    desk.browser.press("[");
    assert_eq!(desk.count("#run-0:not([hidden])"), 1);
    assert_eq!(desk.count("#run-1:not([hidden])"), 0);
    assert_eq!(desk.read("location.hash"), "#run=1");
    desk.browser.click(".runs button[data-run='1']");
    assert_eq!(desk.count("#run-1:not([hidden])"), 1);
    assert!(desk.read("document.querySelector('.runs').textContent").contains("omission a→b"));
}

#[test]
fn lineage_shows_the_good_run_the_bad_one_and_their_difference() {
    let mut desk = Desk::new();
    desk.open(&compared(), "");
    let seen = "[...document.querySelectorAll('#run-0 .vertex')]
        .filter((v) => getComputedStyle(v).display !== 'none').length";
    let badge = "getComputedStyle(document.querySelector('#run-0 .vertex.cut .badge')).display";
    assert_eq!(desk.read(seen), "8");
    assert_eq!(
        desk.read("document.querySelector('#run-0 .vertex.cut .badge').textContent"),
        "✂ CUT"
    );
    desk.browser.press("1");
    assert_eq!(desk.read(seen), "7", "nothing that is there only because of the faults");
    assert_eq!(desk.read(badge), "none");
    desk.browser.press("2");
    assert_eq!(desk.read(seen), "5", "nothing that is cut or has fallen");
    desk.browser.click("#run-0 input[value='difference']");
    assert_eq!(desk.read(seen), "8");
    desk.browser.click("#run-0 .vertex[data-step='2'] .body");
    assert!(desk.selected().starts_with("2  "));
}

#[test]
fn a_screen_reader_finds_a_list_of_named_steps() {
    let mut desk = Desk::new();
    desk.open(&report(vec![stored("early-commit")]), "#step=3");
    let list = "document.querySelector('.diagram')";
    assert_eq!(desk.read(&format!("{list}.getAttribute('role')")), "listbox");
    assert!(desk.read(&format!("{list}.getAttribute('aria-label')")).contains("two-phase-commit"));
    let active = format!("document.getElementById({list}.getAttribute('aria-activedescendant'))");
    assert_eq!(desk.read(&format!("{active}.getAttribute('role')")), "option");
    assert_eq!(desk.read(&format!("{active}.getAttribute('aria-selected')")), "true");
    assert!(desk.read(&format!("{active}.textContent")).contains("tm chooses Commit"));
    let unnamed = "[...document.querySelectorAll('button, input, select')].filter((e) =>
        !e.textContent && !e.labels?.length && !e.getAttribute('aria-label')).length";
    assert_eq!(desk.read(unnamed), "0");
    let ids = "(() => { const ids = [...document.querySelectorAll('[id]')].map((e) => e.id);
        return ids.length - new Set(ids).size; })()";
    assert_eq!(desk.read(ids), "0");
}

#[test]
fn what_a_trace_says_is_never_markup() {
    let mut desk = Desk::new();
    let mut trace = stormy();
    let evil = "</script><img src=x onerror=\"document.title='owned'\"><!--";
    trace.header.protocol = evil.to_owned();
    trace.steps[0].failure = Some(evil.to_owned());
    let report = Report { title: evil.to_owned(), ..report(vec![trace]) };
    desk.open(&report, "#step=1");
    assert_eq!(desk.count("img"), 0);
    assert_eq!(desk.read("document.title"), evil.split_whitespace().collect::<Vec<_>>().join(" "));
    assert!(desk.selected().starts_with("1  "));
    assert_eq!(desk.browser.complaints(), [""; 0]);
}

#[test]
fn the_same_trace_gives_the_same_bytes() {
    for trace in [stormy(), stored("late-abort")] {
        let again = Trace::from_ndjson(&trace.to_ndjson()).expect("a trace reads back");
        assert_eq!(html(&report(vec![trace.clone()])), html(&report(vec![again.clone()])));
        let options = DiagramOptions::default();
        assert_eq!(diagram(&trace, &options), diagram(&again, &options));
    }
}

#[test]
fn ten_thousand_steps_are_cut_to_the_causes_first_and_can_all_be_drawn() {
    let mut desk = Desk::new();
    let trace = long(10_000);
    let mut report = report(vec![trace]);
    desk.open(&report, "#step=10000");
    let drawn = desk.count(".diagram .step");
    assert!((1..=2_000).contains(&drawn), "{drawn}");
    let note = desk.read("document.querySelector('.note').textContent");
    assert!(note.contains("10000") && note.contains("--full"), "{note}");
    assert!(desk.selected().starts_with("10000  "));
    report.steps_max = usize::MAX;
    desk.open(&report, "");
    assert_eq!(desk.count(".diagram .step"), 10_000);
    assert_eq!(desk.count(".note[role='note']"), 0);
    desk.browser.press("End");
    assert!(desk.selected().starts_with("10000  "));
    desk.browser.press("/");
    desk.browser.write("crash");
    assert_eq!(desk.read("document.querySelector('#matches').textContent"), "200 of 10000 steps");
    assert_eq!(desk.browser.complaints(), [""; 0]);
}

#[test]
fn reports_look_as_they_did() {
    let mut desk = Desk::new();
    for scheme in ["light", "dark"] {
        desk.browser.prefer(scheme);
        desk.open(&report(vec![stored("early-commit")]), "#step=4");
        check_picture(&format!("two-phase-commit-{scheme}"), &desk.browser.screenshot(0.5));
        desk.open(&compared(), "");
        desk.browser.evaluate("document.querySelector('.lineage-part').scrollIntoView()");
        check_picture(&format!("lineage-{scheme}"), &desk.browser.screenshot(0.5));
        let path = desk.put("storm.svg", &diagram(&stormy(), &DiagramOptions::default()));
        desk.browser.show(&path);
        check_picture(&format!("storm-{scheme}"), &desk.browser.screenshot(0.5));
    }
}

#[test]
fn a_picture_that_has_changed_is_noticed() {
    let mut desk = Desk::new();
    let mut shot = |report: &Report, scheme: &str| {
        desk.browser.prefer(scheme);
        desk.open(report, "");
        desk.browser.screenshot(0.5)
    };
    let light = shot(&report(vec![stored("early-commit")]), "light");
    let again = shot(&report(vec![stored("early-commit")]), "light");
    let dark = shot(&report(vec![stored("early-commit")]), "dark");
    let other = shot(&report(vec![stormy()]), "light");
    assert!(difference(&light, &again) < 0.005);
    assert!(difference(&light, &dark) > 0.5);
    assert!(difference(&light, &other) > 0.06);
}

#[test]
fn a_diagram_of_its_own_is_well_formed_and_named() {
    let mut desk = Desk::new();
    for (name, svg) in [
        ("diagram.svg", diagram(&stormy(), &DiagramOptions::default())),
        ("lineage.svg", lineage_graph(&broken_support())),
    ] {
        let path = desk.put(name, &svg);
        desk.browser.show(&path);
        assert_eq!(desk.read("document.documentElement.tagName"), "svg", "{name}");
        assert_eq!(desk.count("parsererror"), 0, "{name}");
        let named = "document.getElementById(document.documentElement
            .getAttribute('aria-labelledby').split(' ')[0]).textContent.length > 3";
        assert_eq!(desk.read(named), "true", "{name}");
    }
    assert_eq!(ReportRun::of(stormy()).verdict, Verdict::Violated);
}
