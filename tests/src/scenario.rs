use std::path::Path;

use cadre::AnyGame;
use cadre::trace::{Action, Effect, Envelope, Fault, Json, Kept, Step, Trace, brief, diff};

/// Checks a scenario file: commands, a line of dashes, and the exact log of what the commands made
/// happen.
///
/// The first command names the game and its size: `game two-phase-commit 2`, perhaps with a bug.
/// Each other one is an action: `choose NODE TIMER`, `fire NODE TIMER`, `deliver FROM TO MESSAGE`,
/// `crash NODE`, `restart NODE`, `crash-restart NODE`, `sync-done NODE`. Values are JSON or one
/// word. Blocks of commands and logs follow each other; the cluster goes on.
///
/// With `UPDATE_EXPECT` set the logs are written anew. Commit only what you understand.
///
/// # Panics
///
/// Where a log is not the one expected, or a command makes no sense.
pub fn check_scenario(suite: &cadre::Suite, path: &Path) {
    let at = path.display();
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{at}: {error}"));
    let played = play(suite, &text).unwrap_or_else(|why| panic!("{at}: {why}"));
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(path, played).unwrap_or_else(|error| panic!("{at}: {error}"));
        return;
    }
    assert!(
        played == text,
        "{at} tells another story; run again with UPDATE_EXPECT=1 to write it anew:\n{played}"
    );
}

const DASHES: &str = "----";

/// The scenario with its logs as they come out.
fn play(suite: &cadre::Suite, text: &str) -> Result<String, String> {
    let mut played = String::new();
    let mut cluster = None;
    let mut schedule = Vec::new();
    for block in text.split("\n\n") {
        let commands: Vec<&str> = block.lines().take_while(|line| *line != DASHES).collect();
        if commands.is_empty() {
            continue;
        }
        let told = schedule.len();
        for command in &commands {
            match command.strip_prefix("game ") {
                Some(game) => cluster = Some(find(suite, game)?),
                None if command.starts_with('#') => {}
                None => schedule.push(parse(command)?),
            }
        }
        let (game, setup) = cluster.as_ref().ok_or("the first command names the game")?;
        let trace = game.execute(setup, &schedule).map_err(|error| error.to_string())?;
        played += &format!("{}\n{DASHES}\n{}\n", commands.join("\n"), log(&trace, told));
    }
    Ok(played.trim_end().to_owned() + "\n")
}

fn find<'a>(
    suite: &'a cadre::Suite,
    command: &str,
) -> Result<(&'a dyn AnyGame, cadre::Setup), String> {
    let mut words = command.split_whitespace();
    let name = words.next().unwrap_or_default();
    let game = suite.find(name).ok_or_else(|| format!("there is no game `{name}`"))?;
    let size = words.next().map(|size| size.parse().map_err(|error| format!("{size}: {error}")));
    let setup = game.setup(size.transpose()?, words.next());
    Ok((game, setup.map_err(|error| error.to_string())?))
}

fn parse(command: &str) -> Result<Action, String> {
    let words: Vec<&str> = command.splitn(4, ' ').collect();
    let node = || words.get(1).map(|node| (*node).to_owned()).ok_or("a node is missing");
    let value = |index: usize| -> Result<Json, String> {
        let text = words.get(index..).unwrap_or_default().join(" ");
        match text.as_str() {
            "" => Err(format!("`{command}` lacks a value")),
            text => Ok(serde_json::from_str(text).unwrap_or_else(|_| Json::from(text))),
        }
    };
    Ok(match words[0] {
        "choose" => Action::Choose { node: node()?, timer: value(2)? },
        "fire" => Action::Fire { node: node()?, timer: value(2)? },
        "deliver" => Action::Deliver(Envelope {
            from: node()?,
            to: words.get(2).map(|to| (*to).to_owned()).ok_or("a destination is missing")?,
            message: value(3)?,
        }),
        "crash" => Action::Fault(Fault::Crash { node: node()?, kept: Kept::default() }),
        "restart" => Action::Fault(Fault::Restart { node: node()?, misread: None }),
        "crash-restart" => {
            Action::Fault(Fault::CrashRestart { node: node()?, kept: Kept::default() })
        }
        "sync-done" => Action::SyncDone { node: node()? },
        other => return Err(format!("there is no command `{other}`")),
    })
}

/// What the steps after the first `told` ones did.
fn log(trace: &Trace, told: usize) -> String {
    let snapshots: Vec<_> = trace.snapshots().collect();
    let mut lines = String::new();
    for step in &trace.steps[told..] {
        lines += &format!("{}\n", step.action);
        let (before, after) = (&snapshots[step.step - 1], &snapshots[step.step]);
        for (name, node) in &step.change.nodes {
            for difference in diff(name, &before.nodes[name].state, &node.state) {
                lines += &format!("  {difference}\n");
            }
        }
        for line in effects(step) {
            lines += &format!("  {line}\n");
        }
        if step.change.is_empty() {
            assert_eq!(before, after, "a step without a change changes nothing");
            lines += "  nothing changes\n";
        }
    }
    lines
}

fn effects(step: &Step) -> Vec<String> {
    let effect = |effect: &Effect| match effect {
        Effect::Send { to, message } => format!("sends {} to {to}", brief(message)),
        Effect::SetTimer { timer, after_us } => format!("sets {} for {after_us} µs", brief(timer)),
        Effect::CancelTimer { timer } => format!("cancels {}", brief(timer)),
        Effect::Write(write) => format!("writes {write:?}"),
        Effect::WriteSynced(write) => format!("writes and syncs {write:?}"),
        Effect::Sync => "syncs".to_owned(),
        Effect::Respond { id, response } => format!("answers {} {}", id.client, brief(response)),
    };
    step.effects.iter().map(effect).collect()
}
