//! The gate of a service: every call passes it, is put into the journal, and meets the faults that wait for it.

use std::{sync::Arc, time::Duration};

use poem::{Endpoint, Request, Response, http::StatusCode};
use serde_json::json;
use tokio::task::spawn_blocking;

use super::{Answer, Incoming, OpenConnections, Reply, Service};
use crate::{
    clock,
    faults::{
        FaultKind, Faults,
        credentials::{Trouble, refusal},
    },
    state::{Call, Journal},
};

/// Stands before one service.
pub(crate) struct Gate {
    pub(crate) desk: Arc<Desk>,
    pub(crate) faults: Faults,
    pub(crate) open: OpenConnections,
}

/// A service with its place in the journal.
pub(crate) struct Desk {
    pub(crate) service: Service,
    pub(crate) answers: Arc<dyn Answer>,
    pub(crate) journal: Arc<Journal>,
}

/// What leaves towards the caller.
enum Delivery {
    Whole(Reply),
    BrokenOff(Reply),
    Dripping(Reply, Duration),
    Nothing,
}

impl Endpoint for Gate {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        let caller = request.remote_addr().as_socket_addr().copied();
        let incoming = Incoming::read(request).await?;
        let named = format!("{} {}", incoming.method, incoming.target());
        let fault = self.faults.take(self.desk.service, &named);
        let delay = match &fault {
            Some(FaultKind::Delay(time)) => Some(*time),
            _ => None,
        };
        let desk = Arc::clone(&self.desk);
        // On a thread of its own, a call that has begun ends and is recorded even if its caller goes away.
        let delivery = spawn_blocking(move || desk.serve(&incoming, fault)).await;
        if let Some(time) = delay {
            tokio::time::sleep(time).await;
        }
        Ok(match delivery.unwrap_or_else(|_| Delivery::Whole(internal("the simulator failed"))) {
            Delivery::Whole(reply) => reply.into_response(),
            Delivery::BrokenOff(reply) => reply.into_broken_off(),
            Delivery::Dripping(reply, pause) => reply.into_dripping(pause),
            Delivery::Nothing => {
                if let Some(caller) = caller {
                    self.open.cut(&caller);
                }
                Reply::empty(StatusCode::BAD_GATEWAY).into_response()
            }
        })
    }
}

impl Desk {
    /// Does what the call asks for, as far as the fault lets it, and records it.
    fn serve(&self, call: &Incoming, fault: Option<FaultKind>) -> Delivery {
        let answer = || self.answers.answer(call);
        let refused = |trouble| Delivery::Whole(refusal(self.service, trouble));
        let delivery = match fault {
            None | Some(FaultKind::Delay(_)) => Delivery::Whole(answer()),
            Some(FaultKind::Status { status, body, headers }) => Delivery::Whole(forced(status, &body, &headers)),
            Some(FaultKind::MalformedBody) => Delivery::Whole(answer().into_malformed()),
            Some(FaultKind::TruncatedBody) => Delivery::BrokenOff(answer()),
            Some(FaultKind::SlowDrip(pause)) => Delivery::Dripping(answer(), pause),
            Some(FaultKind::ExpiredToken) => refused(Trouble::Expired),
            Some(FaultKind::RevokedToken) => refused(Trouble::Revoked),
            Some(FaultKind::WrongAccount) => refused(Trouble::OtherAccount),
            Some(FaultKind::QuotaUsedUp) => refused(Trouble::UsedUp),
            Some(FaultKind::Reset) => Delivery::Nothing,
            Some(FaultKind::DropAnswer) => {
                answer();
                Delivery::Nothing
            }
        };
        match self.record(call, &delivery) {
            Ok(()) => delivery,
            Err(error) => {
                tracing::error!(service = self.service.name(), %error, "the journal of calls cannot be written");
                Delivery::Whole(internal("the journal of calls cannot be written"))
            }
        }
    }

    fn record(&self, call: &Incoming, delivery: &Delivery) -> std::io::Result<()> {
        let status = match delivery {
            Delivery::Whole(reply) | Delivery::BrokenOff(reply) | Delivery::Dripping(reply, _) => {
                Some(reply.status.as_u16())
            }
            Delivery::Nothing => None,
        };
        self.journal.record(Call {
            at: clock::now(),
            service: self.service,
            method: call.method.to_string(),
            path: self.answers.shown_path(call),
            status,
        })
    }
}

fn forced(status: u16, body: &str, headers: &[(String, String)]) -> Reply {
    let mut reply = Reply::empty(StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR));
    reply.body = body.as_bytes().to_vec();
    headers.iter().fold(reply, |reply, (name, value)| reply.header(name, value))
}

fn internal(message: &str) -> Reply {
    Reply::json(StatusCode::INTERNAL_SERVER_ERROR, &json!({ "message": message }))
}
