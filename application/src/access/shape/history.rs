//! What of a tenant's history is shown.
//!
//! Fields that are declared personal are shown with contacts only. Of all others, those that cannot speak of anybody are
//! details: numbers, flags, times, ids and single words. Free text may name people, even in one word, so it is shown with
//! names. Amounts of money are declared too, and shown where money is.
//!
//! From where those who run the platform worked is shown to no company.

use chrono::{DateTime, Utc};
use domain::access::Facet;
use domain::events::{is_free_text, is_money, is_personal};
use domain::values::Language;
use serde_json::{Map, Value};

use super::Sight;
use super::sentence::sentence;
use crate::ports::audit::{AuditEntry, Circumstances, Who};
use crate::ports::commands::LogPosition;

/// The longest text that passes for a word: longer than an id or a time.
const LONGEST_WORD: usize = 64;

/// An event as far as its reader is shown it.
#[derive(Debug, Clone, PartialEq)]
pub struct ShownEntry {
    /// What every reader is shown.
    pub about: EntryAbout,
    /// What happened, as a sentence made of the fields that are shown.
    pub summary: String,
    /// Who acted; none where it is an operator's name and names are not shown.
    pub actor_id: Option<String>,
    /// How people call the one who acted.
    pub actor_name: Option<String>,
    /// How people call the user in whose name staff acted.
    pub acting_for_name: Option<String>,
    /// From which address it was done; never that of staff and operators.
    pub ip: Option<String>,
    /// What the client called itself; never that of staff and operators.
    pub user_agent: Option<String>,
    /// Its fields, as far as they are shown.
    pub fields: Map<String, Value>,
    /// The fields that are not shown.
    pub withheld: Vec<String>,
}

/// What happened, to what, when, and by whom.
#[derive(Debug, Clone, PartialEq)]
pub struct EntryAbout {
    /// Its place in the log.
    pub position: LogPosition,
    /// When it was recorded.
    pub recorded_at: DateTime<Utc>,
    /// Its name.
    pub event_type: String,
    /// The version of its form.
    pub event_version: String,
    /// The type of its aggregate.
    pub aggregate_type: String,
    /// Its aggregate.
    pub aggregate_id: String,
    /// Its number within the aggregate.
    pub sequence: u64,
    /// What kind of actor it was.
    pub actor_kind: String,
    /// What the actor was in the company.
    pub actor_role: Option<String>,
    /// The user in whose name staff acted.
    pub acting_for: Option<String>,
    /// In which impersonation they did.
    pub impersonation_id: Option<String>,
    /// By which right.
    pub right: Option<String>,
    /// In which request.
    pub request_id: Option<String>,
    /// What belongs to the same request.
    pub correlation_id: Option<String>,
    /// Of what it is a consequence.
    pub causation_id: Option<String>,
}

impl Sight {
    /// An event, told in this language.
    pub fn entry(self, entry: AuditEntry, language: Language) -> ShownEntry {
        let AuditEntry {
            position,
            recorded_at,
            aggregate_type,
            aggregate_id,
            sequence,
            event_type,
            event_version,
            fields,
            circumstances,
        } = entry;
        let Circumstances {
            actor_kind,
            actor: Who { id: actor_id, name: actor_name },
            actor_role,
            acting_for,
            impersonation_id,
            right,
            request_id,
            correlation_id,
            causation_id,
            ip,
            user_agent,
        } = circumstances;
        let (acting_for, acting_for_name) = acting_for.map(|Who { id, name }| (id, name)).unzip();
        let named = |name| {
            self.show(Facet::Name, name).flatten().map(|name: domain::values::Personal<String>| name.reveal().clone())
        };
        // An operator has no id: the name stands in its place.
        let actor_id =
            if actor_kind == "support" { self.show(Facet::Name, Some(actor_id)).flatten() } else { Some(actor_id) };
        let of_company = !matches!(actor_kind.as_str(), "staff" | "support");
        let (ip, user_agent) = (ip.filter(|_| of_company), user_agent.filter(|_| of_company));
        let (fields, withheld) = self.all_fields(&event_type, fields);
        ShownEntry {
            summary: sentence(&event_type, &fields, language),
            actor_id,
            actor_name: named(actor_name),
            acting_for_name: named(acting_for_name.flatten()),
            ip: self.show(Facet::Contact, ip).flatten(),
            user_agent: self.show(Facet::Contact, user_agent).flatten(),
            fields,
            withheld,
            about: EntryAbout {
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
            },
        }
    }

    /// What is shown of an event's own fields, and which are not, each once and in order.
    fn all_fields(self, event: &str, fields: Map<String, Value>) -> (Map<String, Value>, Vec<String>) {
        let mut withheld = Vec::new();
        let shown = self.fields(event, "", fields, &mut withheld);
        withheld.sort();
        withheld.dedup();
        (shown, withheld)
    }

    fn fields(
        self,
        event: &str,
        path: &str,
        fields: Map<String, Value>,
        withheld: &mut Vec<String>,
    ) -> Map<String, Value> {
        let mut shown = Map::new();
        for (name, value) in fields {
            let inner = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            // The name of a field is a word; a key that is none was made of something that was said.
            if !is_word(&name) && !self.shows(Facet::Name) {
                withheld.push(path.to_owned());
            } else if let Some(value) = self.field(event, &inner, value, withheld) {
                shown.insert(name, value);
            }
        }
        shown
    }

    fn field(self, event: &str, path: &str, value: Value, withheld: &mut Vec<String>) -> Option<Value> {
        let facet = match &value {
            _ if is_personal(event, path) => Facet::Contact,
            _ if is_money(event, path) => Facet::Money,
            Value::String(text) if is_free_text(event, path) || !is_word(text) => Facet::Name,
            _ => Facet::Detail,
        };
        if !self.shows(facet) {
            withheld.push(path.to_owned());
            return None;
        }
        Some(match value {
            Value::Object(fields) => Value::Object(self.fields(event, path, fields, withheld)),
            Value::Array(items) => {
                let path = format!("{path}[]");
                Value::Array(items.into_iter().filter_map(|item| self.field(event, &path, item, withheld)).collect())
            }
            single => single,
        })
    }
}

/// Whether it is an id, a time, or a word of ours: no addresses, and nothing that was written in sentences.
fn is_word(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"_:.-*".contains(&byte);
    !text.is_empty() && text.len() <= LONGEST_WORD && text.bytes().all(fits)
}

#[cfg(test)]
pub(super) mod tests {
    use domain::access::{Reach, ReachSet};
    use domain::values::Personal;
    use serde_json::json;

    use super::*;

    pub(in crate::access::shape) fn entry(event_type: &str, fields: Value) -> AuditEntry {
        let Value::Object(fields) = fields else { panic!("an event has fields") };
        let who = |id: &str, name: &str| Who { id: id.into(), name: Some(Personal::new(name.to_owned())) };
        AuditEntry {
            position: "1-7-8".parse().unwrap(),
            recorded_at: "2026-06-01T09:00:00Z".parse().unwrap(),
            aggregate_type: "user".into(),
            aggregate_id: "an-id".into(),
            sequence: 1,
            event_type: event_type.into(),
            event_version: "1".into(),
            fields,
            circumstances: Circumstances {
                actor_kind: "user".into(),
                actor: who("actor-id", "Sasha"),
                actor_role: None,
                acting_for: Some(who("user-id", "Olga")),
                impersonation_id: None,
                right: Some("users:write".into()),
                request_id: Some("request".into()),
                correlation_id: Some("correlation".into()),
                causation_id: None,
                ip: Some("203.0.113.7".into()),
                user_agent: Some("curl/8".into()),
            },
        }
    }

    fn registered() -> AuditEntry {
        let fields = json!({
            "user_id": "019df20e-1370-7e0b-b3d2-6c94a1f05e12", "email": "olga@acme.example", "name": "Olga Smirnova",
            "role": "owner", "at": "2026-05-04T08:15:02Z",
        });
        entry("UserRegistered", fields)
    }

    fn shown(reach: Reach, entry: AuditEntry) -> ShownEntry {
        Sight::of_others(ReachSet::of(&[reach])).entry(entry, Language::English)
    }

    /// Seen to fail with personal fields that were shown as names.
    #[test]
    fn what_is_declared_personal_is_shown_with_everything_alone() {
        for reach in [Reach::Anonymized, Reach::Limited] {
            let shown = shown(reach, registered());
            assert_eq!(shown.withheld, ["email", "name"], "{reach}");
            assert!(!format!("{shown:?}").contains("Smirnova"), "{reach}");
            assert_eq!((shown.ip, shown.user_agent, shown.fields["role"].as_str()), (None, None, Some("owner")));
        }
        let all = shown(Reach::All, registered());
        assert_eq!((all.withheld.len(), all.fields["email"].as_str()), (0, Some("olga@acme.example")));
        assert_eq!((all.ip.as_deref(), all.user_agent.as_deref()), (Some("203.0.113.7"), Some("curl/8")));
    }

    #[test]
    fn both_actors_are_told_and_their_names_where_names_are() {
        let limited = shown(Reach::Limited, registered());
        assert_eq!(limited.actor_name.as_deref().zip(limited.acting_for_name.as_deref()), Some(("Sasha", "Olga")));
        let anonymized = shown(Reach::Anonymized, registered());
        assert_eq!((&anonymized.actor_name, &anonymized.acting_for_name), (&None, &None));
        assert_eq!(anonymized.actor_id.as_deref(), Some("actor-id"));
        assert_eq!(anonymized.about.acting_for.as_deref(), Some("user-id"));
    }

    #[test]
    fn from_where_the_platform_s_people_work_is_shown_to_nobody() {
        for (kind, company) in [("user", true), ("integration", true), ("staff", false), ("support", false)] {
            let mut entry = registered();
            entry.circumstances.actor_kind = kind.into();
            let all = shown(Reach::All, entry);
            assert_eq!((all.ip.is_some(), all.user_agent.is_some()), (company, company), "{kind}");
        }
    }

    #[test]
    fn an_operator_is_named_where_names_are() {
        let by_operator = || {
            let mut entry = registered();
            entry.circumstances.actor_kind = "support".into();
            entry.circumstances.actor = Who { id: "ops-anna".into(), name: None };
            entry
        };
        assert_eq!(shown(Reach::Limited, by_operator()).actor_id.as_deref(), Some("ops-anna"));
        assert_eq!(shown(Reach::Anonymized, by_operator()).actor_id, None);
    }

    /// Seen to fail: with free text that is told by how it is written.
    #[test]
    fn one_word_of_free_text_is_shown_with_names_alone() {
        for (event, path) in [("TenantSuspended", "reason"), ("RoleDefined", "title"), ("ApiKeyCreated", "name")] {
            let told = || entry(event, json!({path: "Irina", "role": "owner"}));
            let anonymized = shown(Reach::Anonymized, told());
            assert_eq!(Value::Object(anonymized.fields), json!({"role": "owner"}));
            assert_eq!(anonymized.withheld, [path]);
            assert_eq!(shown(Reach::Limited, told()).withheld, [""; 0]);
        }
        let revoked = shown(Reach::Anonymized, entry("SessionRevoked", json!({"reason": "signed_out"})));
        assert_eq!(revoked.fields["reason"], "signed_out", "a word of ours");
    }

    /// Seen to fail: with amounts that are shown as numbers.
    #[test]
    fn what_the_ai_cost_is_shown_where_money_is() {
        let used = || {
            let cost = json!({"currency": "USD", "amount_minor": 7});
            entry("AiUsed", json!({"total": {"calls": 1}, "cost": cost}))
        };
        for (reach, withheld) in [(Reach::Limited, &["cost.amount_minor"][..]), (Reach::Anonymized, &[])] {
            let shown = shown(reach, used());
            assert_eq!(shown.withheld, withheld, "{reach}");
            assert_eq!(shown.fields["total"]["calls"], 1);
        }
        let sight = Sight::of_others(ReachSet::of(&[Reach::All])).without_costs();
        assert_eq!(sight.entry(used(), Language::English).withheld, ["cost.amount_minor"]);
    }

    /// An event that is new tells nothing in sentences, whatever its fields are called.
    #[test]
    fn free_text_is_shown_with_names_alone() {
        let event = || {
            let fields =
                json!({"note": "Irina was late", "count": 3, "who": ["Irina Belova", "id-7"], "deep": {"Ann Bell": 1}});
            entry("NobodyKnowsThis", fields)
        };
        let anonymized = shown(Reach::Anonymized, event());
        assert_eq!(Value::Object(anonymized.fields), json!({"count": 3, "who": ["id-7"], "deep": {}}));
        assert_eq!(anonymized.withheld, ["deep", "note", "who[]"]);
        assert_eq!(shown(Reach::Limited, event()).withheld, [""; 0]);
    }
}
