use cadre::tla::{Apalache, Status, inspect};

use crate::context::Context;
use crate::exit::Exit;
use crate::{engines, output};

/// `doctor`: says what is here and what is missing, and installs nothing.
pub(crate) fn run(context: &Context<'_>) -> Exit {
    let mut exit = Exit::Holds;
    for finding in inspect(&context.find(), &context.stop) {
        match finding.status {
            Status::Ok(text) => say(finding.what, "ok", &text),
            Status::Missing(fix) => {
                say(finding.what, "missing", &fix);
                exit = Exit::ToolChain;
            }
        }
    }
    match engines::embedded() {
        Ok(_) => say("embedded engine", "ok", &format!("{}, without Java", engines::EMBEDDED)),
        // It is one of two ways, and no verb needs it.
        Err(_) => say("embedded engine", "left out", "built only with `--features embedded`"),
    }
    match Apalache::find(1) {
        Some(apalache) => say(engines::APALACHE, "ok", &apalache.program.display().to_string()),
        None => say(engines::APALACHE, "absent", "only `spec --engine apalache` needs it"),
    }
    let out = &context.common.out;
    let probe = context.run_directory("doctor");
    match probe {
        Ok(_) => say("output", "ok", &format!("{} can be written", out.display())),
        Err(failure) => {
            say("output", "missing", &format!("{failure}; choose another with --out"));
            exit = Exit::ToolChain;
        }
    }
    let what = match exit {
        Exit::Holds => "all verbs work",
        _ => "what needs the missing parts fails with exit 4; the other verbs work",
    };
    output::verdict(if exit == Exit::Holds { "PASS" } else { "FAIL" }, what, exit);
    exit
}

fn say(what: &str, status: &str, text: &str) {
    output::line(&format!("{what:<16} {status:<8} {text}"));
}
