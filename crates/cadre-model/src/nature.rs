/// What an action is like, for engines that choose among actions or leave some of them out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Nature {
    /// Its class, one of [`Model::classes`](crate::Model::classes).
    pub class: Class,
    /// The part of the system that it happens to, such as the position of a node.
    pub subject: Option<usize>,
}

/// Actions of one sort: what a user gives a weight to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Class {
    /// Its name, in kebab case.
    pub name: &'static str,
    /// Who makes its actions happen.
    pub cause: Cause,
    /// How likely its actions are beside those of other classes, where a user does not say it.
    pub weight: u32,
}

/// Who makes an action happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// A client.
    Client,
    /// A fault, or the end of one.
    Fault,
    /// The system itself: a delivery, a choice, a timer.
    System,
}

impl Class {
    /// What the system or its clients do.
    pub const ACTION: Self = Self { name: "action", cause: Cause::System, weight: 4 };
    /// What goes wrong.
    pub const FAULT: Self = Self { name: "fault", cause: Cause::Fault, weight: 1 };
}
