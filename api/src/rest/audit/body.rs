use std::collections::BTreeMap;

use application::access::shape::{EntryAbout, ShownEntry};
use application::ports::audit::AuditPage;
use chrono::{DateTime, TimeDelta, Utc};
use poem_openapi::Object;
use poem_openapi::types::{Any, Example};
use serde_json::{Value, json};

/// One page of the company's history. Nothing will ever appear between its events.
#[derive(Object)]
#[oai(rename = "AuditPage")]
pub(super) struct PageBody {
    /// The events, in the order that was asked for.
    items: Vec<EntryBody>,
    /// The `cursor` of the next page; `null` on the last one.
    #[oai(nullable)]
    next: Option<String>,
}

impl From<AuditPage<ShownEntry>> for PageBody {
    fn from(page: AuditPage<ShownEntry>) -> Self {
        let items = page.items.into_iter().map(EntryBody::from).collect();
        Self { items, next: page.next.map(|position| position.to_string()) }
    }
}

/// Someone or something that acted.
#[derive(Object)]
#[oai(rename = "AuditActor")]
struct ActorBody {
    /// `user` (a person of the company), `integration` (a program with an API key), `staff` (someone of the platform's staff),
    /// `support` (someone at the terminal of the installation) or `system` (a part of Synkro).
    kind: String,
    /// The user, key or member of staff; or the name of a part of Synkro, or of an operator. `null` for an operator where your
    /// right does not show names.
    #[oai(nullable)]
    id: Option<String>,
    /// How people call it now; `null` where your right does not show names, and where it has none.
    #[oai(nullable)]
    name: Option<String>,
    /// What a user was in the company then.
    #[oai(nullable)]
    role: Option<String>,
}

/// The user in whose name a member of staff acted.
#[derive(Object)]
#[oai(rename = "AuditSubject")]
struct SubjectBody {
    /// The user.
    id: String,
    /// How people call the user now; `null` where your right does not show names.
    #[oai(nullable)]
    name: Option<String>,
}

/// Something that happened, with who did it, when, from where, and by which right. What was not known then is `null`.
#[derive(Object)]
#[oai(rename = "AuditEntry", example)]
pub(super) struct EntryBody {
    /// Its place in the log, which never changes.
    position: String,
    /// When it was recorded.
    recorded_at: DateTime<Utc>,
    /// What happened, in the language that `Accept-Language` asks for: a sentence made of the fields that your right shows.
    summary: String,
    /// What happened; `docs/events.md` explains each.
    event_type: String,
    /// The version of the event's form.
    event_version: String,
    /// What kind of thing it happened to.
    aggregate_type: String,
    /// Which one.
    aggregate_id: String,
    /// Its number among all that happened to this thing, from 1.
    sequence: u64,
    /// Who did it.
    actor: ActorBody,
    /// The user in whose name a member of staff did it.
    #[oai(nullable)]
    acting_for: Option<SubjectBody>,
    /// The impersonation that it was done in; `GET /api/v1/impersonations` says why there was one.
    #[oai(nullable)]
    impersonation_id: Option<String>,
    /// The right that allowed it.
    #[oai(nullable)]
    right: Option<String>,
    /// The request that it was done in.
    #[oai(nullable)]
    request_id: Option<String>,
    /// What everything that followed from one request has in common.
    #[oai(nullable)]
    correlation_id: Option<String>,
    /// Of what it is a consequence.
    #[oai(nullable)]
    causation_id: Option<String>,
    /// The address that it was done from; `null` where your right does not show contacts, and where staff or support did it.
    #[oai(nullable)]
    ip: Option<String>,
    /// What the client called itself; `null` where your right does not show contacts, and where staff or support did it.
    #[oai(nullable)]
    user_agent: Option<String>,
    /// The event's fields, as far as your right shows them.
    fields: BTreeMap<String, Any<Value>>,
    /// The fields that your right does not show: personal data without the reach `all`, free text without names.
    withheld: Vec<String>,
}

impl From<ShownEntry> for EntryBody {
    fn from(entry: ShownEntry) -> Self {
        let ShownEntry { about, summary, actor_id, actor_name, acting_for_name, ip, user_agent, fields, withheld } =
            entry;
        let EntryAbout {
            position,
            recorded_at,
            event_type,
            event_version,
            aggregate_type,
            aggregate_id,
            sequence,
            actor_kind,
            actor_role,
            acting_for,
            impersonation_id,
            right,
            request_id,
            correlation_id,
            causation_id,
        } = about;
        Self {
            position: position.to_string(),
            recorded_at,
            summary,
            event_type,
            event_version,
            aggregate_type,
            aggregate_id,
            sequence,
            actor: ActorBody { kind: actor_kind, id: actor_id, name: actor_name, role: actor_role },
            acting_for: acting_for.map(|id| SubjectBody { id, name: acting_for_name }),
            impersonation_id,
            right,
            request_id,
            correlation_id,
            causation_id,
            ip,
            user_agent,
            fields: fields.into_iter().map(|(name, value)| (name, Any(value))).collect(),
            withheld,
        }
    }
}

impl Example for EntryBody {
    fn example() -> Self {
        let user = "0197b1c0-5f6e-7c3a-9d55-2f6c1a7e4b10";
        let run = "0197b1c0-5f6e-7c3a-9d55-2f6c1a7e4b13";
        let request = Some("0197b1c0-5f6e-7c3a-9d55-2f6c1a7e4b20".to_owned());
        Self {
            position: "1-7431-205".into(),
            recorded_at: DateTime::UNIX_EPOCH + TimeDelta::seconds(1_780_000_000),
            summary: "A run was cancelled.".into(),
            event_type: "RunCancelled".into(),
            event_version: "1".into(),
            aggregate_type: "job_run".into(),
            aggregate_id: run.into(),
            sequence: 4,
            actor: ActorBody {
                kind: "user".into(),
                id: Some(user.into()),
                name: Some("Olga Smirnova".into()),
                role: Some("owner".into()),
            },
            acting_for: None,
            impersonation_id: None,
            right: Some("runs:start".into()),
            request_id: request.clone(),
            correlation_id: request,
            causation_id: None,
            ip: Some("203.0.113.7".into()),
            user_agent: Some("Mozilla/5.0".into()),
            fields: BTreeMap::from([("run_id".to_owned(), Any(json!(run)))]),
            withheld: Vec::new(),
        }
    }
}
