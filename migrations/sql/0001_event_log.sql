-- The event log: append-only, the source of every other table, and the audit trail.

create table events (
    position       bigint generated always as identity,
    tx             xid8 not null default pg_current_xact_id(),
    tenant_id      uuid,
    aggregate_type text not null,
    aggregate_id   text not null,
    sequence       bigint not null check (sequence > 0),
    event_type     text not null,
    event_version  text not null,
    payload        jsonb not null,
    metadata       jsonb not null,
    recorded_at    timestamptz not null default clock_timestamp(),
    constraint events_pkey primary key (aggregate_type, aggregate_id, sequence)
);

comment on table events is 'What happened, in the order (tx, position). Read behind the snapshot horizon only.';
comment on column events.tenant_id is 'The owner; null for the platform''s own events.';

create unique index events_order on events (tx, position);
create index events_tenant on events (tenant_id, tx, position);

create function refuse_change() returns trigger language plpgsql as $$
begin
    raise exception 'the table % is append-only', tg_table_name using errcode = 'restrict_violation';
end
$$;

create trigger events_append_only before update or delete or truncate on events
    for each statement execute function refuse_change();

-- Unique values. A claim is taken or released in the statement that appends the event it travels with.
-- The platform's own claims have the nil UUID as tenant.
create table claims (
    tenant_id      uuid not null,
    kind           text not null,
    value          text not null,
    aggregate_type text not null,
    aggregate_id   text not null,
    constraint claims_pkey primary key (tenant_id, kind, value)
);

-- How far each projection has come. Rows and checkpoint are written in one transaction.
create table projection_checkpoints (
    name       text primary key,
    tx         xid8 not null default '0',
    position   bigint not null default 0,
    updated_at timestamptz not null default clock_timestamp()
);
