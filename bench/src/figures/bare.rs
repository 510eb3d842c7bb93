//! The limit of a scoped read: a handler that runs the statement of the list of runs and writes its rows as JSON, with no
//! question for who asks and under a role that sees every row.

use std::net::SocketAddr;

use chrono::{DateTime, Utc};
use domain::ids::TenantId;
use poem::endpoint::make;
use poem::listener::TcpAcceptor;
use poem::{IntoResponse, Response, Server as HttpServer};
use serde_json::{Value, json};
use sqlx::{PgPool, Row};
use tokio::net::TcpListener;
use tokio::task::AbortHandle;
use uuid::Uuid;

use crate::Failure;
use crate::server::Server;

/// As many as the program has for reading.
const CONNECTIONS: u32 = 8;

/// What the program's own reader asks for a page of 20.
const PAGE: &str = "
    select tally.*, found.*
    from (select count(*) as parked from parked_events where tenant_id = $1 and projection = 'runs') as tally
    left join (
        select runs.id, runs.tenant_id, runs.kind, runs.period_from, runs.period_to, runs.status, runs.started_at,
               runs.finished_at, runs.version,
               (select coalesce(jsonb_agg(to_jsonb(own) order by own.number), '[]') from run_steps own
                where own.tenant_id = runs.tenant_id and own.run_id = runs.id) as steps
        from runs
        where runs.tenant_id = $1
        order by runs.started_at desc, runs.id desc
        limit 21
    ) as found on true
    order by found.started_at desc, found.id desc";

/// The handler on a port of its own. It stops with this value.
pub(super) struct Bare {
    pub(super) address: SocketAddr,
    serving: AbortHandle,
}

impl Drop for Bare {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Bare {
    pub(super) async fn start(server: &Server, tenant: TenantId) -> Result<Self, Failure> {
        let pool = server.raw(CONNECTIONS).await?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let handler = make(move |_| {
            let pool = pool.clone();
            async move { answer(&pool, tenant.uuid()).await }
        });
        let serving = HttpServer::new_with_acceptor(TcpAcceptor::from_tokio(listener)?).run(handler);
        Ok(Self { address, serving: tokio::spawn(serving).abort_handle() })
    }
}

async fn answer(pool: &PgPool, tenant: Uuid) -> poem::Result<Response> {
    let rows = sqlx::query(PAGE).bind(tenant).fetch_all(pool).await.map_err(poem::error::InternalServerError)?;
    let items: Result<Vec<Value>, sqlx::Error> = rows.iter().take(20).map(item).collect();
    let items = items.map_err(poem::error::InternalServerError)?;
    Ok(poem::web::Json(json!({"items": items})).into_response())
}

fn item(row: &sqlx::postgres::PgRow) -> Result<Value, sqlx::Error> {
    Ok(json!({
        "id": row.try_get::<Uuid, _>("id")?,
        "kind": row.try_get::<String, _>("kind")?,
        "from": row.try_get::<DateTime<Utc>, _>("period_from")?,
        "to": row.try_get::<DateTime<Utc>, _>("period_to")?,
        "status": row.try_get::<String, _>("status")?,
        "started_at": row.try_get::<DateTime<Utc>, _>("started_at")?,
        "finished_at": row.try_get::<Option<DateTime<Utc>>, _>("finished_at")?,
        "version": row.try_get::<i64, _>("version")?,
        "steps": row.try_get::<Value, _>("steps")?,
    }))
}
