-- Roles, and what companies add to the built-in services, actions and permissions. Both follow the log.

create table roles (
    id          uuid primary key,
    tenant_id   uuid not null,
    name        text not null,
    title       text not null,
    level       smallint not null,
    permissions jsonb not null,
    may_manage  jsonb not null,
    version     bigint not null,
    defined_at  timestamptz not null,
    removed     boolean not null default false
);
comment on column roles.version is 'The sequence of the last event of the role that the read model has seen.';
comment on column roles.removed is 'Out of use. The row stays, so that later events of the role find it.';
create index roles_tenant on roles (tenant_id, defined_at desc, id desc);

create table catalogue_entries (
    id        uuid primary key,
    tenant_id uuid not null,
    kind      text not null check (kind in ('service', 'action', 'permission')),
    service   text,
    action    text,
    title     text not null,
    added_at  timestamptz not null
);
comment on table catalogue_entries is 'What companies have added; what is built in is in no table.';
create index catalogue_entries_tenant on catalogue_entries (tenant_id, kind, id);

-- A process reads the events of one company's roles when it is first asked for them.
create index events_access on events (tenant_id, aggregate_id, sequence)
    where aggregate_type in ('role', 'service_catalogue');

select isolate('roles', 'tenant_id', 'select, insert, update, delete', 'select');
select isolate('catalogue_entries', 'tenant_id', 'select, insert, update, delete', 'select');
