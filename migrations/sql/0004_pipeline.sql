-- What the pipeline's workers keep beside the log; none of it is a source of truth.

-- Data between steps: sealed, named by a keyed hash of its content, with a time to live.
create table staging (
    tenant_id  uuid not null,
    name       text not null,
    sealed     bytea not null,
    expires_at timestamptz not null,
    primary key (tenant_id, name)
);
create index staging_expiry on staging (expires_at);

-- Worker processes and until when each is known to live.
create table workers (
    id          uuid primary key,
    name        text,
    alive_until timestamptz not null
);

-- Which worker is about to begin a run's step in turn. Kept apart from step_queue, which a rebuild replaces.
create table step_claims (
    run_id uuid primary key,
    worker uuid not null,
    until  timestamptz not null
);
