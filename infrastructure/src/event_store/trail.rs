//! What a tenant sees of its own history: the log itself, through the door that shows one tenant's rows.
//!
//! The horizon is asked for first and the rows after it, so that they are all those that there will ever be behind it.

use std::collections::HashMap;

use application::ports::audit::{
    AuditEntry, AuditFilter, AuditOrder, AuditPage, AuditRequest, AuditTrail, Circumstances, Who,
};
use application::ports::commands::LogPosition;
use application::{PortError, TenantScope};
use async_trait::async_trait;
use domain::values::Personal;
use sea_orm::{ConnectionTrait, DbBackend, QueryResult, Statement, Value};
use uuid::Uuid;

use super::position::{Columns, before, between, of_columns, parameters};
use super::reader::{LogReader, LoggedEvent};
use crate::database::{Database, Scoped};
use crate::error::{from_orm, from_sqlx};
use crate::read_models::staff_names;

/// What people call users and keys of the tenant; the ids come as one text.
const NAMES: &str = "
    select id, name from users where tenant_id = $1 and id = any(string_to_array($2, ',')::uuid[])
    union all
    select id, name from api_keys where tenant_id = $1 and id = any(string_to_array($2, ',')::uuid[])";

/// How many events of the tenant a page looks through for those that the filter lets through. Filters have no indexes of their
/// own, which every append would pay for; without a bound, one that lets little through reads the log of all tenants.
const WINDOW: u32 = 10_000;

/// Reads tenants' histories.
pub struct TenantHistory {
    database: Database,
    log: LogReader,
}

impl TenantHistory {
    /// Out of this database's log.
    pub fn new(database: &Database) -> Self {
        Self { database: database.clone(), log: LogReader::new(database.clone()) }
    }
}

#[async_trait]
impl AuditTrail for TenantHistory {
    async fn page(&self, scope: &TenantScope, request: &AuditRequest) -> Result<AuditPage<AuditEntry>, PortError> {
        let horizon = self.log.horizon().await.map_err(from_sqlx)?;
        let asked = Asked::page(scope, request, horizon);
        let connection = self.database.scoped(scope).await.map_err(from_orm)?;
        let mut events = asked.events(&connection).await?;
        let limit = usize::try_from(request.limit).unwrap_or(usize::MAX);
        let more = events.len() > limit;
        events.truncate(limit);
        let next = match events.last() {
            Some(last) if more => Some(last.position),
            _ => Asked::end_of_window(scope, request, horizon).position(&connection).await?,
        };
        Ok(AuditPage { items: self.entries(connection, scope, events).await?, next })
    }

    async fn at(&self, scope: &TenantScope, position: LogPosition) -> Result<Option<AuditEntry>, PortError> {
        let mut asked = Asked::of_tenant(LoggedEvent::SELECT, scope);
        asked.span((before(position), position));
        asked.only_own(scope);
        let connection = self.database.scoped(scope).await.map_err(from_orm)?;
        let events = asked.events(&connection).await?;
        Ok(self.entries(connection, scope, events).await?.pop())
    }
}

impl TenantHistory {
    /// The events with the names of those who acted, as they are called now. The connection is given back before the names of
    /// staff are asked for: no work holds two.
    async fn entries(
        &self,
        connection: Scoped,
        scope: &TenantScope,
        events: Vec<LoggedEvent>,
    ) -> Result<Vec<AuditEntry>, PortError> {
        let mut ids: Vec<Uuid> = events.iter().flat_map(acting).collect();
        ids.sort_unstable();
        ids.dedup();
        let mut names = if ids.is_empty() { HashMap::new() } else { names(&connection, scope, &ids).await? };
        drop(connection);
        let mut staff: Vec<Uuid> = events.iter().filter(|event| by_staff(event)).flat_map(acting).collect();
        staff.retain(|id| !names.contains_key(id));
        names.extend(staff_names(&self.database, &staff).await?);
        Ok(events.into_iter().map(|event| entry(event, &names)).collect())
    }
}

/// Who acted, and in whose name, where they have ids.
fn acting(event: &LoggedEvent) -> impl Iterator<Item = Uuid> + use<> {
    ["actor_id", "acting_for"].map(|name| event.circumstance(name)?.parse().ok()).into_iter().flatten()
}

fn by_staff(event: &LoggedEvent) -> bool {
    event.circumstance("actor_kind").as_deref() == Some("staff")
}

/// A question to the log, with the conditions that matter and no others, so that each gets the index that is right for it.
struct Asked {
    sql: String,
    values: Vec<Value>,
}

impl Asked {
    fn of_tenant(select: &str, scope: &TenantScope) -> Self {
        let mut asked = Self { sql: select.to_owned(), values: Vec::new() };
        asked.condition(" where tenant_id = ", "", scope.tenant_id().uuid());
        asked
    }

    /// What the filter lets through of the window, one more than is shown, which tells whether there are more.
    fn page(scope: &TenantScope, request: &AuditRequest, horizon: LogPosition) -> Self {
        let mut asked = Self::window("with events as (select * from events", scope, request, horizon);
        asked.sql.extend([" limit ", &WINDOW.to_string(), ")", LoggedEvent::SELECT, " where true"]);
        asked.only_own(scope);
        asked.only(&request.filter);
        asked.in_order(request.order);
        asked.condition(" limit ", "", request.limit.saturating_add(1).cast_signed());
        asked
    }

    /// Where the last event of the window is; nowhere where the tenant's history ends within it.
    fn end_of_window(scope: &TenantScope, request: &AuditRequest, horizon: LogPosition) -> Self {
        let select = "select generation, tx::text::bigint, position from events";
        let mut asked = Self::window(select, scope, request, horizon);
        asked.sql.extend([" offset ", &(WINDOW - 1).to_string(), " limit 1"]);
        asked
    }

    /// The tenant's events from the cursor on, in their order; of one thing alone where the filter names it by type and id, which
    /// has an index.
    fn window(select: &str, scope: &TenantScope, request: &AuditRequest, horizon: LogPosition) -> Self {
        let AuditRequest { filter, order, after, .. } = request;
        let mut asked = Self::of_tenant(select, scope);
        let beginning = LogPosition::BEGINNING;
        asked.span(match order {
            AuditOrder::NewestFirst => (beginning, after.map_or(horizon, |after| horizon.min(before(after)))),
            AuditOrder::OldestFirst => (after.unwrap_or(beginning), horizon),
        });
        if let (Some(of_type), Some(id)) = (&filter.aggregate_type, &filter.aggregate_id) {
            asked.condition(" and aggregate_type = ", "", of_type.clone());
            asked.condition(" and aggregate_id = ", "", id.clone());
        }
        asked.in_order(*order);
        asked
    }

    /// Of what the scope shows, where that is the caller's own doings.
    fn only_own(&mut self, scope: &TenantScope) {
        if let Some(own) = scope.only_of() {
            self.by(own.to_string());
        }
    }

    fn only(&mut self, filter: &AuditFilter) {
        let texts = [
            (" and aggregate_type = ", filter.aggregate_type.clone()),
            (" and aggregate_id = ", filter.aggregate_id.clone()),
            (" and event_type = ", filter.event_type.clone()),
            (" and metadata->>'correlation_id' = ", filter.correlation_id.map(|id| id.to_string())),
        ];
        for (condition, text) in texts {
            if let Some(text) = text {
                self.condition(condition, "", text);
            }
        }
        if let Some(actor) = &filter.actor {
            self.by(actor.clone());
        }
        for (condition, time) in [(" and recorded_at >= ", filter.since), (" and recorded_at <= ", filter.until)] {
            if let Some(time) = time {
                self.condition(condition, "", time);
            }
        }
    }

    fn by(&mut self, actor: String) {
        self.condition(" and ", " in (metadata->>'actor_id', metadata->>'acting_for')", actor);
    }

    fn in_order(&mut self, order: AuditOrder) {
        let direction = match order {
            AuditOrder::NewestFirst => " desc",
            AuditOrder::OldestFirst => "",
        };
        let columns = ["generation", "events.tx", "position"].map(|column| format!("{column}{direction}")).join(", ");
        self.sql.extend([" order by ", &columns]);
    }

    fn span(&mut self, (from, to): (LogPosition, LogPosition)) {
        self.sql.extend([" and ", &between((from, to), self.values.len() + 1)]);
        self.values.extend([from, to].map(parameters).into_iter().flatten());
    }

    fn condition(&mut self, before: &str, behind: &str, value: impl Into<Value>) {
        self.values.push(value.into());
        self.sql.extend([before, "$", &self.values.len().to_string(), behind]);
    }

    async fn position(self, connection: &Scoped) -> Result<Option<LogPosition>, PortError> {
        let statement = Statement::from_sql_and_values(DbBackend::Postgres, self.sql, self.values);
        let row = connection.query_one(statement).await.map_err(from_orm)?;
        let columns: Option<Columns> = row.map(|row| row.try_get_many_by_index()).transpose().map_err(from_orm)?;
        Ok(columns.map(of_columns))
    }

    async fn events(self, connection: &Scoped) -> Result<Vec<LoggedEvent>, PortError> {
        let statement = Statement::from_sql_and_values(DbBackend::Postgres, self.sql, self.values);
        let rows = connection.query_all(statement).await.map_err(from_orm)?;
        rows.iter().map(LoggedEvent::from_result).collect::<Result<_, _>>().map_err(from_orm)
    }
}

async fn names(connection: &Scoped, scope: &TenantScope, ids: &[Uuid]) -> Result<HashMap<Uuid, String>, PortError> {
    let ids: Vec<String> = ids.iter().map(Uuid::to_string).collect();
    let values = [scope.tenant_id().uuid().into(), ids.join(",").into()];
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, NAMES, values);
    let rows = connection.query_all(statement).await.map_err(from_orm)?;
    rows.iter().map(QueryResult::try_get_many_by_index).collect::<Result<_, _>>().map_err(from_orm)
}

fn entry(event: LoggedEvent, names: &HashMap<Uuid, String>) -> AuditEntry {
    let name = |id: &str| names.get(&id.parse::<Uuid>().ok()?).cloned().map(Personal::new);
    let who = |id: String| Who { name: name(&id), id };
    let circumstances = Circumstances {
        actor_kind: event.circumstance("actor_kind").unwrap_or_default(),
        actor: who(event.circumstance("actor_id").unwrap_or_default()),
        actor_role: event.circumstance("actor_role"),
        acting_for: event.circumstance("acting_for").map(who),
        impersonation_id: event.circumstance("impersonation_id"),
        right: event.circumstance("right"),
        request_id: event.circumstance("request_id"),
        correlation_id: event.circumstance("correlation_id"),
        causation_id: event.circumstance("causation_id"),
        ip: event.circumstance("ip"),
        user_agent: event.circumstance("user_agent"),
    };
    let mut fields = match event.payload {
        serde_json::Value::Object(fields) => fields,
        _ => serde_json::Map::new(),
    };
    // The event's own name, once more.
    fields.remove("type");
    AuditEntry {
        position: event.position,
        recorded_at: event.recorded_at,
        aggregate_type: event.aggregate_type,
        aggregate_id: event.aggregate_id,
        sequence: event.sequence.cast_unsigned(),
        event_type: event.event_type,
        event_version: event.event_version,
        fields,
        circumstances,
    }
}
