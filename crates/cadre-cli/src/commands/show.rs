use std::path::Path;

use cadre::trace::{Trace, Verdict};
use cadre::view::{
    DiagramOptions, LaneOptions, Report, ReportRun, STEPS_MAX, because, diagram, html, lanes,
    lineage_graph, lineage_of,
};

use crate::args::PictureArgs;
use crate::exit::{Exit, Failure};
use crate::{commands, output};

/// `show`: draws a trace, all of it.
pub(crate) fn run(path: &Path, width: usize) -> Result<Exit, Failure> {
    let trace = commands::read_trace(path)?;
    let header = &trace.header;
    let setup: Vec<String> =
        header.setup.iter().map(|(name, value)| format!("{name} {value}")).collect();
    output::line(&format!(
        "{} · {} · found by {} · {} steps",
        header.protocol,
        setup.join(", "),
        header.origin,
        trace.steps.len()
    ));
    if let Some(guarantee) = &header.guarantee {
        output::line(&format!("{:<9} {}", header.verdict.to_string(), guarantee.name));
    }
    output::line("");
    draw(&trace, width);
    Ok(Exit::Holds)
}

/// What a browser can show of a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Picture {
    Report,
    Diagram,
    Lineage,
}

impl Picture {
    /// The one that is asked for; none for the terminal.
    pub(crate) fn of(args: &PictureArgs) -> Option<Self> {
        match (args.html, args.svg, args.lineage) {
            (true, _, _) => Some(Self::Report),
            (_, true, _) => Some(Self::Diagram),
            (_, _, true) => Some(Self::Lineage),
            (false, false, false) => None,
        }
    }

    fn ending(self) -> &'static str {
        match self {
            Self::Report => "html",
            Self::Diagram => "svg",
            Self::Lineage => "lineage.svg",
        }
    }
}

/// `show --html`, `--svg` and `--lineage`: writes a picture of a trace.
pub(crate) fn write(path: &Path, picture: Picture, args: &PictureArgs) -> Result<Exit, Failure> {
    let trace = commands::read_trace(path)?;
    let steps_max = if args.full { usize::MAX } else { STEPS_MAX };
    let output = args.output.clone().unwrap_or_else(|| path.with_extension(picture.ending()));
    let text = match picture {
        Picture::Report => report(trace, steps_max),
        Picture::Diagram => diagram(&trace, &DiagramOptions { steps_max }),
        Picture::Lineage => lineage_graph(&lineage_of(&trace)),
    };
    commands::write_text(&output, &text)?;
    Ok(Exit::Holds)
}

/// The report about one trace.
pub(crate) fn report(trace: Trace, steps_max: usize) -> String {
    let guarantee = trace.header.guarantee.as_ref().map(|guarantee| guarantee.name.clone());
    let title = match (trace.header.verdict, guarantee) {
        (Verdict::Violated, Some(name)) => format!("{}: {name}, violated", trace.header.protocol),
        (Verdict::Holds | Verdict::Bounded | Verdict::Violated, _) => trace.header.protocol.clone(),
    };
    html(&Report { title, runs: vec![ReportRun::of(trace)], steps_max })
}

/// Draws the lanes, and the argument where a guarantee is violated.
pub(crate) fn draw(trace: &Trace, width: usize) {
    output::line(&lanes(trace, &LaneOptions { width, steps_max: usize::MAX }));
    if trace.header.verdict == Verdict::Violated
        && let Some(because) = because(trace)
    {
        output::line(&format!("\n{because}"));
    }
}
