-- The whole schema, for readers, as it is after all migrations. It is made from the catalogue of a migrated database
-- and never run. After a new migration: UPDATE_SCHEMA=1 scripts/test schema_sql_is_current

CREATE OR REPLACE FUNCTION refuse_change()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
    raise exception 'the table % is append-only', tg_table_name using errcode = 'restrict_violation';
end
$function$;

create table audit_entries (
    tx bigint not null,
    position bigint not null,
    tenant_id uuid,
    recorded_at timestamp with time zone not null,
    actor_kind text not null,
    actor_id text not null,
    granted_by text,
    event_type text not null,
    aggregate_type text not null,
    aggregate_id text not null,
    sequence bigint not null,
    request_id text,
    correlation_id text,
    ip text,
    user_agent text,
    generation integer not null,
    constraint audit_entries_pkey PRIMARY KEY (generation, tx, "position")
);
comment on column audit_entries.granted_by is 'The right that allowed it.';
CREATE INDEX audit_entries_tenant ON audit_entries USING btree (tenant_id, generation, tx, "position");

create table claims (
    tenant_id uuid not null,
    kind text not null,
    value text not null,
    aggregate_type text not null,
    aggregate_id text not null,
    constraint claims_pkey PRIMARY KEY (tenant_id, kind, value)
);

create table credentials (
    user_id uuid not null,
    password_hash text not null,
    set_at timestamp with time zone not null default clock_timestamp(),
    constraint credentials_pkey PRIMARY KEY (user_id)
);

create table events (
    position bigint generated always as identity not null,
    tx xid8 not null default pg_current_xact_id(),
    tenant_id uuid,
    aggregate_type text not null,
    aggregate_id text not null,
    sequence bigint not null,
    event_type text not null,
    event_version text not null,
    payload jsonb not null,
    metadata jsonb not null,
    recorded_at timestamp with time zone not null default clock_timestamp(),
    generation integer not null default 1,
    constraint events_pkey PRIMARY KEY (aggregate_type, aggregate_id, sequence),
    constraint events_sequence_check CHECK ((sequence > 0))
);
comment on table events is 'What happened, in the order (generation, tx, position). Read behind the snapshot horizon only.';
comment on column events.tenant_id is 'The owner; null for the platform''s own events.';
CREATE INDEX events_tenant ON events USING btree (tenant_id, generation, tx, "position");
CREATE UNIQUE INDEX events_order ON events USING btree (generation, tx, "position");
CREATE TRIGGER events_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON events FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

create table integrations (
    tenant_id uuid not null,
    kind text not null,
    version integer not null,
    settings jsonb not null,
    secrets jsonb not null,
    checked jsonb,
    checked_at timestamp with time zone,
    configured_at timestamp with time zone not null,
    constraint integrations_pkey PRIMARY KEY (tenant_id, kind)
);

create table log_generations (
    generation integer not null,
    began_at timestamp with time zone not null default clock_timestamp(),
    reason text not null,
    constraint log_generations_pkey PRIMARY KEY (generation)
);
comment on table log_generations is 'The last one is that of new events: the default of events.generation.';

create table parked_events (
    projection text not null,
    aggregate_type text not null,
    aggregate_id text not null,
    sequence bigint not null,
    generation integer not null,
    tx xid8 not null,
    position bigint not null,
    tenant_id uuid,
    event_type text not null,
    error text,
    tries integer not null default 0,
    parked_at timestamp with time zone not null default clock_timestamp(),
    constraint parked_events_pkey PRIMARY KEY (projection, aggregate_type, aggregate_id, sequence)
);
comment on column parked_events.error is 'Why it could not be applied, without values; null where it only waits for an earlier event of its aggregate.';
CREATE INDEX parked_events_tenant ON parked_events USING btree (tenant_id, projection);

create table projection_checkpoints (
    name text not null,
    tx xid8 not null default '0'::xid8,
    position bigint not null default 0,
    updated_at timestamp with time zone not null default clock_timestamp(),
    generation integer not null default 0,
    holder uuid,
    held_until timestamp with time zone,
    events_per_second double precision not null default 0,
    constraint projection_checkpoints_pkey PRIMARY KEY (name)
);
comment on column projection_checkpoints.holder is 'The process that feeds the projection until held_until, by the clock of the database.';
comment on column projection_checkpoints.events_per_second is 'As of updated_at; each event counts less the older it is, by a factor of e every minute.';

create table receipts (
    tenant_id uuid not null,
    key text not null,
    operation text not null,
    request_hash bytea not null,
    aggregate_type text not null,
    aggregate_id text not null,
    first_sequence bigint not null,
    last_sequence bigint not null,
    actor_id text not null,
    recorded_at timestamp with time zone not null default clock_timestamp(),
    constraint receipts_pkey PRIMARY KEY (tenant_id, key)
);
comment on table receipts is 'Requests by their idempotency key, and the events that each recorded first. Kept for a while, then deleted.';
comment on column receipts.request_hash is 'SHA-256 over the operation, its path parameters and its body.';
CREATE INDEX receipts_age ON receipts USING btree (recorded_at);

create table reports (
    id uuid not null,
    tenant_id uuid not null,
    run_id uuid not null,
    kind text not null,
    period_from timestamp with time zone not null,
    period_to timestamp with time zone not null,
    headline text not null,
    summary text not null,
    metrics jsonb not null,
    model text not null,
    published_at timestamp with time zone not null,
    constraint reports_pkey PRIMARY KEY (id)
);
CREATE INDEX reports_tenant ON reports USING btree (tenant_id, published_at DESC, id DESC);

create table run_steps (
    run_id uuid not null,
    tenant_id uuid not null,
    step text not null,
    number integer not null,
    status text not null,
    attempts integer not null default 0,
    started_at timestamp with time zone,
    elapsed_ms bigint,
    counts jsonb not null default '{}'::jsonb,
    failure jsonb,
    retry_at timestamp with time zone,
    constraint run_steps_pkey PRIMARY KEY (run_id, number)
);
CREATE INDEX run_steps_tenant ON run_steps USING btree (tenant_id, run_id, number);

create table runs (
    id uuid not null,
    tenant_id uuid not null,
    kind text not null,
    period_from timestamp with time zone not null,
    period_to timestamp with time zone not null,
    status text not null,
    started_at timestamp with time zone not null,
    finished_at timestamp with time zone,
    version bigint not null default 0,
    constraint runs_pkey PRIMARY KEY (id)
);
CREATE INDEX runs_tenant ON runs USING btree (tenant_id, started_at DESC, id DESC);

create table seaql_migrations (
    version character varying not null,
    applied_at bigint not null,
    constraint seaql_migrations_pkey PRIMARY KEY (version)
);

create table secrets (
    id uuid not null,
    tenant_id uuid not null,
    integration text not null,
    field text not null,
    sealed bytea not null,
    created_at timestamp with time zone not null default clock_timestamp(),
    constraint secrets_pkey PRIMARY KEY (id)
);
CREATE INDEX secrets_tenant ON secrets USING btree (tenant_id, integration, field);

create table staging (
    tenant_id uuid not null,
    name text not null,
    sealed bytea not null,
    expires_at timestamp with time zone not null,
    constraint staging_pkey PRIMARY KEY (tenant_id, name)
);
CREATE INDEX staging_expiry ON staging USING btree (expires_at);

create table step_claims (
    run_id uuid not null,
    worker uuid not null,
    until timestamp with time zone not null,
    constraint step_claims_pkey PRIMARY KEY (run_id)
);

create table step_queue (
    run_id uuid not null,
    tenant_id uuid not null,
    step text not null,
    state text not null,
    ready_at timestamp with time zone not null,
    attempt_id uuid,
    worker uuid,
    constraint step_queue_pkey PRIMARY KEY (run_id),
    constraint step_queue_state_check CHECK ((state = ANY (ARRAY['waiting'::text, 'running'::text])))
);
CREATE INDEX step_queue_due ON step_queue USING btree (state, ready_at);
CREATE INDEX step_queue_tenant ON step_queue USING btree (tenant_id, run_id);

create table tenant_keys (
    tenant_id uuid not null,
    kek_id text not null,
    wrapped bytea not null,
    created_at timestamp with time zone not null default clock_timestamp(),
    constraint tenant_keys_pkey PRIMARY KEY (tenant_id)
);

create table tenants (
    id uuid not null,
    name text not null,
    slug text not null,
    language text not null,
    status text not null,
    provisioned_at timestamp with time zone not null,
    constraint tenants_pkey PRIMARY KEY (id)
);

create table users (
    id uuid not null,
    tenant_id uuid not null,
    email text not null,
    name text not null,
    role text not null,
    registered_at timestamp with time zone not null,
    constraint users_pkey PRIMARY KEY (id)
);
CREATE INDEX users_tenant ON users USING btree (tenant_id, id);
CREATE UNIQUE INDEX users_email ON users USING btree (email);

create table workers (
    id uuid not null,
    name text,
    alive_until timestamp with time zone not null,
    constraint workers_pkey PRIMARY KEY (id)
);
