//! The company's own history.

mod body;
mod fields;
pub(super) mod language;

use std::sync::Arc;

use application::ports::audit::{AuditFilter, AuditOrder, AuditRequest};
use chrono::{DateTime, Utc};
use domain::values::ValueError;
use poem::web::Data;
use poem_openapi::OpenApi;
use poem_openapi::param::{Path, Query};
use uuid::Uuid;

use self::body::{EntryBody, PageBody};
use self::fields::{AggregateType, EventType, Id, Order, Position};
use self::language::Spoken;
use super::Chapter;
use super::body::Shown;
use crate::AppState;
use crate::cursor::PageLimit;
use crate::identity::SignedInUser;
use crate::input::{FieldValue, Fields, Input, one};
use crate::limits::api_limit;
use crate::problem::ApiError;

/// A part of a query that may be absent.
type Asked<T> = Query<Option<Input<T>>>;

pub(super) struct AuditApi;

#[OpenApi(prefix_path = "/api/v1", tag = "Chapter::Audit")]
impl AuditApi {
    /// Read the company's history
    ///
    /// Every change of something of the company: what it was in a sentence, who made it, when, from where and by which right.
    /// A page never changes, so what was recorded a moment ago may be missing at its newest end. A page looks through 10,000
    /// events at most, so a filter may leave few or none of them, and `next` goes on; only where `next` is `null` is there no
    /// more. Needs the right `audit:read`; its reach says how much is shown, and with `own` these are the caller's own doings.
    #[expect(clippy::too_many_arguments, reason = "each parameter of a query is an argument to the framework")]
    #[oai(path = "/audit", method = "get", operation_id = "list_audit", transform = "api_limit")]
    async fn list(
        &self,
        state: Data<&Arc<AppState>>,
        user: SignedInUser,
        /// How many events at most.
        limit: Asked<PageLimit>,
        /// The `next` of the answer before.
        cursor: Asked<Position>,
        /// What comes first.
        order: Asked<Order>,
        /// Only what this user, API key, member of staff, operator or part of Synkro did, or staff did in this user's name.
        actor: Asked<Id>,
        /// Only what happened to things of this type.
        aggregate_type: Asked<AggregateType>,
        /// Only what happened to the thing with this id.
        aggregate_id: Asked<Id>,
        /// Only events of this name.
        event_type: Asked<EventType>,
        /// Only what followed from one request.
        correlation_id: Asked<Uuid>,
        /// Only what was recorded then or later.
        since: Asked<DateTime<Utc>>,
        /// Only what was recorded then or earlier.
        until: Asked<DateTime<Utc>>,
        /// The language of the sentences: the best of `en` and `ru` in it, and `en` without it.
        #[oai(name = "Accept-Language")]
        language: Spoken,
    ) -> Result<Shown<PageBody>, ApiError> {
        let mut fields = Fields::default();
        let request = AuditRequest {
            limit: PageLimit::rows(taken(&mut fields, "limit", limit)),
            after: taken(&mut fields, "cursor", cursor).map(|Position(position)| position),
            order: taken(&mut fields, "order", order).map_or(AuditOrder::default(), |Order(order)| order),
            filter: AuditFilter {
                actor: taken(&mut fields, "actor", actor).map(|Id(id)| id),
                aggregate_type: taken(&mut fields, "aggregate_type", aggregate_type).map(|AggregateType(name)| name),
                aggregate_id: taken(&mut fields, "aggregate_id", aggregate_id).map(|Id(id)| id),
                event_type: taken(&mut fields, "event_type", event_type).map(|EventType(name)| name),
                correlation_id: taken(&mut fields, "correlation_id", correlation_id),
                since: taken(&mut fields, "since", since),
                until: taken(&mut fields, "until", until),
            },
        };
        if request.filter.since.zip(request.filter.until).is_some_and(|(since, until)| since > until) {
            let ends_early = ValueError("must not be earlier than since".into());
            fields.check("until", Err::<(), _>(ends_early));
        }
        fields.all_good()?;
        Ok(Shown::new(state.read_audit.page(&user.0.context(), &request, language.0).await?))
    }

    /// Look at one event
    ///
    /// What is at this position of the log, whether it is behind the end of the listed history already or not. Needs the right
    /// `audit:read`; its reach says how much is shown.
    #[oai(path = "/audit/:position", method = "get", operation_id = "get_audit_entry", transform = "api_limit")]
    async fn get(
        &self,
        state: Data<&Arc<AppState>>,
        user: SignedInUser,
        /// The event's place in the log.
        position: Path<Input<Position>>,
        /// The language of the sentence: the best of `en` and `ru` in it, and `en` without it.
        #[oai(name = "Accept-Language")]
        language: Spoken,
    ) -> Result<Shown<EntryBody>, ApiError> {
        let Position(position) = one("position", position.0)?;
        Ok(Shown::new(state.read_audit.at(&user.0.context(), position, language.0).await?))
    }
}

/// The value of a part of the query; none where it is absent, or bad, which is remembered.
fn taken<T: FieldValue>(fields: &mut Fields, name: &str, asked: Asked<T>) -> Option<T> {
    fields.take(name, Input::optional(asked.0)).flatten()
}
