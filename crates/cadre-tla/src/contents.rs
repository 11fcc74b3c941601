//! What the parser of TLA+, SANY, says is in a module.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::time::Duration;

use cadre_process::Stop;
use roxmltree::{Document, Node};

use crate::output::Output;
use crate::syntax::extended;
use crate::{Place, Run, TlaError, Tlc};

/// A module with all that it extends, as the parser of TLA+ has read it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contents {
    /// The name of the module.
    pub module: String,
    /// All modules that belong to it, those of the standard library included.
    pub modules: Vec<String>,
    /// The constants, in the order in which they are declared.
    pub constants: Vec<Declaration>,
    /// The variables, in the order in which they are declared.
    pub variables: Vec<Declaration>,
    /// The definitions, those of the standard library left out.
    pub definitions: Vec<Definition>,
}

/// A constant or a variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declaration {
    /// Its name.
    pub name: String,
    /// How many arguments it takes: none, unless it is an operator.
    pub arity: usize,
    /// Where it is declared.
    pub place: Place,
}

/// A definition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definition {
    /// Its name.
    pub name: String,
    /// The names of its parameters.
    pub parameters: Vec<String>,
    /// What its value depends on.
    pub level: Level,
    /// Its right side.
    pub body: Expression,
    /// Where it is.
    pub place: Place,
}

/// What the value of an expression depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// On nothing.
    Constant,
    /// On a state.
    State,
    /// On a step.
    Action,
    /// On a behaviour.
    Temporal,
}

/// An expression, as far as its shape goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expression {
    /// What it is, or begins with.
    pub head: Head,
    /// What is applied to what is in front.
    pub operands: Vec<Expression>,
    /// The variables that it binds, with the sets they are from; there is none for unbounded ones,
    /// nor for those that are the parts of a tuple.
    pub bounds: Vec<(Vec<String>, Option<Expression>)>,
    /// Where it is.
    pub place: Place,
}

/// What an expression is, or begins with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Head {
    /// An operator of the language, by SANY's name, such as `$DisjList` or `\\lor`.
    Builtin(String),
    /// A definition.
    Defined(String),
    /// A constant or a variable.
    Declared(String),
    /// A parameter, or a variable that is bound further out.
    Parameter(String),
    /// A string.
    Text(String),
    /// Anything else.
    Other,
}

impl Contents {
    /// The definition of a name.
    pub fn definition(&self, name: &str) -> Option<&Definition> {
        self.definitions.iter().find(|definition| definition.name == name)
    }

    /// Leaves out what belongs to modules that are instantiated and not extended: their variables
    /// and constants stand for something else there, and their definitions have other names.
    fn leave_out_instantiated(&mut self, extended: &[String]) {
        let is_own = |place: &Place| extended.contains(&place.module) || is_standard(&place.module);
        self.constants.retain(|constant| is_own(&constant.place));
        self.variables.retain(|variable| is_own(&variable.place));
        let own = self.definitions.iter().filter(|definition| is_own(&definition.place));
        let own: BTreeSet<String> = own.map(|definition| definition.name.clone()).collect();
        // What an instance without a name defines has its name here, too.
        self.definitions.retain(|found| is_own(&found.place) || !own.contains(&found.name));
    }
}

/// The names of a module of a directory and of those that it extends.
fn extended_in(directory: &Path, module: &str) -> Result<Vec<String>, TlaError> {
    let files = modules_in(directory)?;
    let files: Vec<_> = files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let names = extended(module, &files).into_iter().map(|(name, _)| name.trim_end_matches(".tla"));
    Ok(names.map(str::to_owned).collect())
}

/// The modules of a directory: file names and texts.
pub(crate) fn modules_in(directory: &Path) -> Result<Vec<(String, String)>, TlaError> {
    let unreadable = |path: &Path, source| TlaError::io("read", path, source);
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).map_err(|source| unreadable(directory, source))? {
        let path = entry.map_err(|source| unreadable(directory, source))?.path();
        if path.extension().is_some_and(|extension| extension == "tla") {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let text = fs::read_to_string(&path).map_err(|source| unreadable(&path, source))?;
            files.push((name, text));
        }
    }
    Ok(files)
}

impl Tlc {
    /// Has SANY read a module, which is in a directory with all that it extends.
    ///
    /// Some files are written to the directory, and their names begin with `sany`.
    ///
    /// # Errors
    ///
    /// [`TlaError::Parse`] if the module does not parse, with the line.
    pub fn contents(
        &self,
        directory: &Path,
        module: &str,
        stop: &Stop,
    ) -> Result<Contents, TlaError> {
        let output = self.sany(directory, "tla2sany.xml.XMLExporter", &["-o"], module, stop)?;
        if let Some(start) = output.find("<?xml") {
            let mut contents = read(&output[start..])?;
            contents.leave_out_instantiated(&extended_in(directory, module)?);
            return Ok(contents);
        }
        // The exporter does not tell in which line an error is; the parser by itself does.
        self.sany(directory, "tla2sany.SANY", &[], module, stop)?;
        let log = directory.join(LOG);
        let text = fs::read_to_string(&log).map_err(|source| TlaError::io("read", &log, source))?;
        let (file, line, message) = Output::parse(&text).parse_error(&Run::new(directory, module));
        Err(TlaError::Parse { file, line, message, log })
    }

    fn sany(
        &self,
        directory: &Path,
        class: &str,
        options: &[&str],
        module: &str,
        stop: &Stop,
    ) -> Result<String, TlaError> {
        let program = self
            .java(directory)
            .folder(TEMPORARY)
            .args(["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"])
            .arg(format!("-Djava.io.tmpdir={TEMPORARY}"))
            .arg("-cp")
            .arg(&self.jar)
            .arg(class)
            .args(options.iter().copied())
            .arg(format!("{module}.tla"));
        let finished = cadre_process::run(&program, &directory.join(LOG), TIME_LIMIT, stop);
        let _ = fs::remove_dir_all(directory.join(TEMPORARY));
        Ok(finished?.output()?)
    }
}

const TEMPORARY: &str = "sany-tmp";
const LOG: &str = "sany.log";
const TIME_LIMIT: Duration = Duration::from_secs(60);

/// Reads what the exporter writes.
fn read(text: &str) -> Result<Contents, TlaError> {
    let document = Document::parse(text.trim_end()).map_err(|error| TlaError::Unreadable {
        expected: format!("the XML of SANY ({error})"),
        found: text.chars().take(40).collect(),
        offset: 0,
    })?;
    let root = document.root_element();
    let entries = child(root, "context").into_iter().flat_map(|context| context.children());
    let entries = entries.filter_map(|entry| {
        let content = entry.children().filter(Node::is_element).nth(1)?;
        Some((text_of(entry, "UID")?, content))
    });
    let entries: BTreeMap<&str, Node<'_, '_>> = entries.collect();
    let reader = Reader { entries: &entries };
    let mut contents = Contents {
        module: text_of(root, "RootModule").unwrap_or_default().to_owned(),
        ..Contents::default()
    };
    for entry in entries.values() {
        reader.add(*entry, &mut contents);
    }
    contents.modules.sort();
    contents.constants.sort_by(|a, b| a.place.cmp(&b.place));
    contents.variables.sort_by(|a, b| a.place.cmp(&b.place));
    contents.definitions.sort_by(|a, b| a.place.cmp(&b.place));
    Ok(contents)
}

struct Reader<'a, 'input> {
    entries: &'a BTreeMap<&'a str, Node<'a, 'input>>,
}

impl Reader<'_, '_> {
    fn add(&self, entry: Node<'_, '_>, contents: &mut Contents) {
        let name = text_of(entry, "uniquename").unwrap_or_default().to_owned();
        match entry.tag_name().name() {
            "ModuleNode" => contents.modules.push(name),
            "OpDeclNode" => {
                let arity = number(entry, "arity");
                let declaration = Declaration { name, arity, place: place(entry) };
                match number(entry, "kind") {
                    CONSTANT => contents.constants.push(declaration),
                    VARIABLE => contents.variables.push(declaration),
                    _ => {}
                }
            }
            "UserDefinedOpKind" => {
                let body = child(entry, "body").and_then(|body| body.first_element_child());
                let place = place(entry);
                if let Some(body) = body.filter(|_| !is_standard(&place.module)) {
                    let parameters = child(entry, "params").into_iter();
                    let parameters = parameters.flat_map(|params| params.descendants());
                    let parameters =
                        parameters.filter(|node| node.has_tag_name("FormalParamNodeRef"));
                    contents.definitions.push(Definition {
                        name,
                        parameters: parameters.map(|node| self.name(node)).collect(),
                        level: level(entry),
                        body: self.expression(body),
                        place,
                    });
                }
            }
            _ => {}
        }
    }

    fn expression(&self, node: Node<'_, '_>) -> Expression {
        let operands = child(node, "operands").into_iter().flat_map(|operands| operands.children());
        let operands = operands.filter(Node::is_element).map(|operand| self.expression(operand));
        let bounds = child(node, "boundSymbols").into_iter().flat_map(|bounds| bounds.children());
        let bounds = bounds.filter(Node::is_element).map(|bound| self.bound(bound));
        let (operands, bounds) = (operands.collect(), bounds.collect());
        Expression { head: self.head(node), operands, bounds, place: place(node) }
    }

    fn bound(&self, bound: Node<'_, '_>) -> (Vec<String>, Option<Expression>) {
        let (mut names, mut domain) = (Vec::new(), None);
        let is_tuple = child(bound, "tuple").is_some();
        for node in bound.children().filter(Node::is_element) {
            match node.tag_name().name() {
                "FormalParamNodeRef" => names.push(self.name(node)),
                _ if is_tuple => {}
                _ => domain = Some(self.expression(node)),
            }
        }
        (names, domain)
    }

    fn head(&self, node: Node<'_, '_>) -> Head {
        if let Some(text) = text_of(node, "StringValue") {
            return Head::Text(text.to_owned());
        }
        let operator = child(node, "operator").and_then(|operator| operator.first_element_child());
        let Some(operator) = operator else { return Head::Other };
        let name = self.name(operator);
        match operator.tag_name().name() {
            "BuiltInKindRef" => Head::Builtin(name),
            "UserDefinedOpKindRef" => Head::Defined(name),
            "OpDeclNodeRef" => Head::Declared(name),
            "FormalParamNodeRef" => Head::Parameter(name),
            _ => Head::Other,
        }
    }

    /// The name of what a node refers to.
    fn name(&self, reference: Node<'_, '_>) -> String {
        let entry = text_of(reference, "UID").and_then(|id| self.entries.get(id));
        entry.and_then(|entry| text_of(*entry, "uniquename")).unwrap_or_default().to_owned()
    }
}

/// SANY's numbers for kinds of declarations.
const CONSTANT: usize = 2;
const VARIABLE: usize = 3;

fn child<'a, 'input>(node: Node<'a, 'input>, name: &str) -> Option<Node<'a, 'input>> {
    node.children().find(|child| child.has_tag_name(name))
}

fn text_of<'a>(node: Node<'a, '_>, name: &str) -> Option<&'a str> {
    child(node, name)?.text()
}

fn number(node: Node<'_, '_>, name: &str) -> usize {
    text_of(node, name).and_then(|text| text.parse().ok()).unwrap_or_default()
}

fn level(node: Node<'_, '_>) -> Level {
    match number(node, "level") {
        0 => Level::Constant,
        1 => Level::State,
        2 => Level::Action,
        _ => Level::Temporal,
    }
}

fn place(node: Node<'_, '_>) -> Place {
    let Some(location) = child(node, "location") else { return Place::default() };
    let numbers = |what: &str| {
        child(location, what).map_or((0, 0), |range| (number(range, "begin"), number(range, "end")))
    };
    let (lines, columns) = (numbers("line"), numbers("column"));
    let module = text_of(location, "filename").unwrap_or_default().to_owned();
    Place { module, begin: (lines.0, columns.0), end: (lines.1, columns.1) }
}

/// Whether a module is one of those that come with every TLC.
fn is_standard(module: &str) -> bool {
    const STANDARD: [&str; 14] = [
        "Bags",
        "FiniteSets",
        "Integers",
        "Json",
        "Naturals",
        "Peano",
        "ProtoReals",
        "Randomization",
        "RealTime",
        "Reals",
        "Sequences",
        "TLC",
        "TLCExt",
        "Toolbox",
    ];
    STANDARD.contains(&module)
}
