-- What happened to integrations, and what is to be done about one that works.

alter table integrations add column attention text;

create table integration_records (
    tenant_id   uuid not null,
    kind        text not null,
    sequence    bigint not null,
    event_type  text not null,
    event       jsonb not null,
    recorded_at timestamptz not null,
    primary key (tenant_id, kind, sequence)
);
comment on table integration_records is
    'What happened to integrations: saved versions, and what was tried and written. Secrets appear as ids only.';

select isolate('integration_records', 'tenant_id', 'select, insert, update, delete', 'select');
