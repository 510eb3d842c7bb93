-- Which request caused which events. A receipt is written by the statement that appends the events, so that a request
-- that is repeated under its key is answered with its first outcome. The platform's own work has the nil UUID as tenant.
create table receipts (
    tenant_id      uuid not null,
    key            text not null,
    operation      text not null,
    request_hash   bytea not null,
    aggregate_type text not null,
    aggregate_id   text not null,
    first_sequence bigint not null,
    last_sequence  bigint not null,
    actor_id       text not null,
    recorded_at    timestamptz not null default clock_timestamp(),
    constraint receipts_pkey primary key (tenant_id, key)
);
comment on table receipts is 'Requests by their idempotency key, and the events that each recorded first. Kept for a while, then deleted.';
comment on column receipts.request_hash is 'SHA-256 over the operation, its path parameters and its body.';
create index receipts_age on receipts (recorded_at);

-- The sequence of the last event of a run that the read model has seen.
alter table runs add column version bigint not null default 0;
update runs set version = coalesce((
    select max(e.sequence)
    from events e, projection_checkpoints c
    where e.aggregate_type = 'job_run' and e.aggregate_id = runs.id::text
      and c.name = 'runs' and (e.generation, e.tx, e.position) <= (c.generation, c.tx, c.position)
), 0);
