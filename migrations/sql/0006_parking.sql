-- Several processes run the same projections. The one that holds a projection's lease feeds it; the others look on. The
-- checkpoint's compare-and-set stays what keeps rows right: the lease only saves doing the same work twice.
alter table projection_checkpoints add column holder uuid;
alter table projection_checkpoints add column held_until timestamptz;
alter table projection_checkpoints add column events_per_second double precision not null default 0;
comment on column projection_checkpoints.holder is 'The process that feeds the projection until held_until, by the clock of the database.';
comment on column projection_checkpoints.events_per_second is
    'As of updated_at; each event counts less the older it is, by a factor of e every minute.';

-- Events that their projection could not apply, and the later ones of the same aggregates, which wait behind them.
create table parked_events (
    projection     text not null,
    aggregate_type text not null,
    aggregate_id   text not null,
    sequence       bigint not null,
    generation     integer not null,
    tx             xid8 not null,
    position       bigint not null,
    tenant_id      uuid,
    event_type     text not null,
    error          text,
    tries          integer not null default 0,
    parked_at      timestamptz not null default clock_timestamp(),
    primary key (projection, aggregate_type, aggregate_id, sequence)
);
comment on column parked_events.error is 'Why it could not be applied, without values; null where it only waits for an earlier event of its aggregate.';
create index parked_events_tenant on parked_events (tenant_id, projection);
