-- The tables that answer questions. Each can be dropped and built again from the events.

create table tenants (
    id             uuid primary key,
    name           text not null,
    slug           text not null,
    language       text not null,
    status         text not null,
    provisioned_at timestamptz not null
);

create table users (
    id            uuid primary key,
    tenant_id     uuid not null,
    email         text not null,
    name          text not null,
    role          text not null,
    registered_at timestamptz not null
);
create unique index users_email on users (email);
create index users_tenant on users (tenant_id, id);

create table integrations (
    tenant_id     uuid not null,
    kind          text not null,
    version       integer not null,
    settings      jsonb not null,
    secrets       jsonb not null,
    checked       jsonb,
    checked_at    timestamptz,
    configured_at timestamptz not null,
    primary key (tenant_id, kind)
);

create table runs (
    id          uuid primary key,
    tenant_id   uuid not null,
    kind        text not null,
    period_from timestamptz not null,
    period_to   timestamptz not null,
    status      text not null,
    started_at  timestamptz not null,
    finished_at timestamptz
);
create index runs_tenant on runs (tenant_id, started_at desc, id desc);

create table run_steps (
    run_id     uuid not null,
    tenant_id  uuid not null,
    step       text not null,
    number     integer not null,
    status     text not null,
    attempts   integer not null default 0,
    started_at timestamptz,
    elapsed_ms bigint,
    counts     jsonb not null default '{}',
    failure    jsonb,
    retry_at   timestamptz,
    primary key (run_id, number)
);
create index run_steps_tenant on run_steps (tenant_id, run_id, number);

create table reports (
    id           uuid primary key,
    tenant_id    uuid not null,
    run_id       uuid not null,
    kind         text not null,
    period_from  timestamptz not null,
    period_to    timestamptz not null,
    headline     text not null,
    summary      text not null,
    metrics      jsonb not null,
    model        text not null,
    published_at timestamptz not null
);
create index reports_tenant on reports (tenant_id, published_at desc, id desc);

create table audit_entries (
    tx             bigint not null,
    position       bigint not null,
    tenant_id      uuid,
    recorded_at    timestamptz not null,
    actor_kind     text not null,
    actor_id       text not null,
    granted_by     text,
    event_type     text not null,
    aggregate_type text not null,
    aggregate_id   text not null,
    sequence       bigint not null,
    request_id     text,
    correlation_id text,
    ip             text,
    user_agent     text,
    primary key (tx, position)
);
comment on column audit_entries.granted_by is 'The right that allowed it.';
create index audit_entries_tenant on audit_entries (tenant_id, tx, position);

create table step_queue (
    run_id     uuid primary key,
    tenant_id  uuid not null,
    step       text not null,
    state      text not null check (state in ('waiting', 'running')),
    ready_at   timestamptz not null,
    attempt_id uuid,
    worker     uuid
);
create index step_queue_due on step_queue (state, ready_at);
create index step_queue_tenant on step_queue (tenant_id, run_id);
