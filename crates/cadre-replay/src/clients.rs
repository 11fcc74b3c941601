use cadre_trace::{Command, Effect, LoggedStep, Request};

use crate::child::Child;
use crate::{ClientRequests, ReplayError, Site};

/// The clients of a free run, and how far each of them is.
pub(crate) struct Clients<'a> {
    clients: Vec<Client<'a>>,
}

struct Client<'a> {
    workload: &'a ClientRequests,
    /// How many requests it has made.
    asked: u32,
    /// How many of them were answered.
    answered: u32,
}

impl<'a> Clients<'a> {
    pub(crate) fn new(workloads: &'a [ClientRequests]) -> Self {
        let client = |workload| Client { workload, asked: 0, answered: 0 };
        Self { clients: workloads.iter().map(client).collect() }
    }

    /// Lets each client of a node make its next request, if it has one and waits for no answer.
    pub(crate) fn ask(&mut self, node: &mut Child, at: &Site) -> Result<(), ReplayError> {
        for client in &mut self.clients {
            let ClientRequests { client: name, node: asked, requests } = client.workload;
            let next = requests.get(client.asked as usize);
            if let Some(request) = next.filter(|_| asked == node.name())
                && client.asked == client.answered
            {
                let id = Request { client: name.clone(), number: client.asked };
                node.command(&Command::Request { id, request: request.clone() }, at)?;
                client.asked += 1;
            }
        }
        Ok(())
    }

    /// Notes whom a step answers; a node that has failed is asked no more.
    pub(crate) fn hear(&mut self, step: &LoggedStep) {
        if step.failure.is_some() {
            self.clients.retain(|client| client.workload.node != step.node);
        }
        for effect in &step.effects {
            let Effect::Respond { id, .. } = effect else { continue };
            for client in &mut self.clients {
                if client.workload.client == id.client && id.number == client.answered {
                    client.answered += 1;
                }
            }
        }
    }
}
