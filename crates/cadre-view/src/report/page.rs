use cadre_trace::{LineageGraph, Standing, Verdict};
use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::diagram::{self, Plan};
use crate::graph;
use crate::report::data::{data, for_script};
use crate::report::{Report, ReportRun};
use crate::select::select;
use crate::text::one_line;

/// What the page may do: run what stands in it, and request nothing.
const POLICY: &str = "default-src 'none'; script-src 'unsafe-inline'; \
                      style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

pub(crate) fn page(report: &Report) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (one_line(&report.title)) }
                style {
                    (PreEscaped(diagram::STYLE))
                    (PreEscaped(graph::STYLE))
                    (PreEscaped(include_str!("report.css")))
                }
            }
            body {
                header class="bar" {
                    h1 { (one_line(&report.title)) }
                    (toolbar())
                }
                div class="columns" {
                    (list(report))
                    main {
                        @for (index, run) in report.runs.iter().enumerate() {
                            (painted_run(index, run, report.steps_max))
                        }
                    }
                    (selected())
                }
                (help())
                script { (PreEscaped(include_str!("report.js"))) }
            }
        }
    }
}

fn toolbar() -> Markup {
    html! {
        div class="tools" {
            label class="filter" {
                span { "Filter" }
                input id="filter" type="search" placeholder="text of a step" autocomplete="off"
                    aria-keyshortcuts="/";
            }
            output id="matches" aria-live="polite" {}
            fieldset id="lanes" class="lanes" { legend { "Lanes" } }
            button id="theme" type="button" { "Dark or light" }
            button id="help-open" type="button" aria-keyshortcuts="?" { "Keys" }
        }
    }
}

fn list(report: &Report) -> Markup {
    html! {
        nav class="runs" aria-label="Runs" {
            h2 { "Runs" }
            ol {
                @for (index, run) in report.runs.iter().enumerate() {
                    li {
                        button type="button" data-run=(index) aria-pressed=(index == 0) {
                            span class="name" { (one_line(&run.name)) }
                            (verdict(run.verdict))
                            @if let Some(guarantee) = &run.trace.header.guarantee {
                                span class="guarantee" { (one_line(&guarantee.name)) }
                            }
                            span class="faults" { (faults(run)) }
                        }
                    }
                }
            }
        }
    }
}

fn verdict(verdict: Verdict) -> Markup {
    let (class, sign) = match verdict {
        Verdict::Holds => ("holds", "✓"),
        Verdict::Violated => ("violated", "✗"),
        Verdict::Bounded => ("bounded", "…"),
    };
    html! { span class={ "verdict " (class) } { (sign) " " (verdict.to_string()) } }
}

fn faults(run: &ReportRun) -> String {
    match run.faults.as_slice() {
        [] => "no faults".to_owned(),
        faults if faults.len() <= FAULTS_MAX => one_line(&faults.join(", ")),
        faults => format!("{} faults", faults.len()),
    }
}

/// As many faults are listed in the list of runs.
const FAULTS_MAX: usize = 6;

fn painted_run(index: usize, run: &ReportRun, steps_max: usize) -> Markup {
    let shown = select(&run.trace, steps_max);
    let plan = Plan::of(&run.trace, &shown);
    let drawn = plan.steps().count();
    let all = run.trace.steps.len();
    let prefix = format!("r{index}-");
    html! {
        section class="run" id={ "run-" (index) } aria-label=(one_line(&run.name))
            hidden[index > 0] {
            p class="about" {
                (diagram::title(&run.trace)) " · " (diagram::about(&run.trace))
            }
            @if drawn < all {
                p class="note" role="note" {
                    "Of " (all) " steps the " (drawn) " are drawn that the violation follows from \
                     first. Draw all of them with --full."
                }
            }
            @if !run.explanation.is_empty() {
                details class="because" open {
                    summary { "Because" }
                    @for paragraph in &run.explanation { p { (paragraph.trim()) } }
                }
            }
            div class="canvas" { (diagram::diagram_in_page(&plan, &prefix)) }
            @if let Some(lineage) = &run.lineage { (painted_lineage(index, lineage)) }
            script type="application/json" class="data" {
                (PreEscaped(for_script(&data(&plan))))
            }
        }
    }
}

fn painted_lineage(index: usize, lineage: &LineageGraph) -> Markup {
    let stands =
        |standing: Standing| lineage.vertices.iter().any(|vertex| vertex.standing == standing);
    // What is cut alone is a fault of this run, and no other run is known.
    let is_compared = stands(Standing::Fallen) || stands(Standing::Added);
    let views = [("good", "Good run"), ("bad", "Bad run"), ("difference", "Difference")];
    html! {
        section class="lineage-part" data-view="difference" {
            h2 { "Lineage of: " (one_line(&lineage.outcome)) }
            @if is_compared {
                fieldset class="views" {
                    legend { "Show" }
                    @for (view, text) in views {
                        label {
                            input type="radio" name={ "view-" (index) } value=(view)
                                checked[view == "difference"];
                            (text)
                        }
                    }
                }
            }
            div class="canvas" { (graph::lineage_in_page(lineage)) }
        }
    }
}

fn selected() -> Markup {
    html! {
        aside class="selected" aria-label="Selected step" {
            div id="selected" aria-live="polite" {
                p class="hint" { "Select a step: click it, or press the arrow keys." }
            }
        }
    }
}

fn help() -> Markup {
    let keys = [
        ("↓ ↑ or j k", "next, previous step"),
        ("→ ←", "next, previous step of the same node"),
        ("Home End", "first, last step"),
        ("d", "what changed, or the whole state"),
        ("h", "hide the lane of the selected step; H shows all lanes"),
        ("/", "filter; Enter goes to the next match, Escape ends it"),
        ("[ ]", "previous, next run"),
        ("1 2 3", "lineage of the good run, of the bad run, their difference"),
        ("t", "dark or light"),
        ("?", "these keys"),
    ];
    html! {
        dialog id="help" aria-label="Keys" {
            h2 { "Keys" }
            dl { @for (key, what) in keys { dt { kbd { (key) } } dd { (what) } } }
            button id="help-close" type="button" { "Close" }
        }
    }
}
