-- A server that a dump was restored to counts transactions anew. What is recorded there belongs to a new generation of
-- the log and comes after everything before it, whatever the numbers of its transactions.

create table log_generations (
    generation integer primary key,
    began_at   timestamptz not null default clock_timestamp(),
    reason     text not null
);
comment on table log_generations is 'The last one is that of new events: the default of events.generation.';
insert into log_generations (generation, reason) values (1, 'The log was created.');

alter table events add column generation integer not null default 1;
comment on table events is 'What happened, in the order (generation, tx, position). Read behind the snapshot horizon only.';
drop index events_order;
create unique index events_order on events (generation, tx, position);
drop index events_tenant;
create index events_tenant on events (tenant_id, generation, tx, position);

-- Checkpoints that are there stand in the first generation; new ones stand before it.
alter table projection_checkpoints add column generation integer not null default 1;
alter table projection_checkpoints alter column generation set default 0;

alter table audit_entries add column generation integer not null default 1;
alter table audit_entries alter column generation drop default;
alter table audit_entries drop constraint audit_entries_pkey;
alter table audit_entries add primary key (generation, tx, position);
drop index audit_entries_tenant;
create index audit_entries_tenant on audit_entries (tenant_id, generation, tx, position);
