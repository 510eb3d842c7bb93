-- API keys as those who manage them see them.

create table api_keys (
    id         uuid primary key,
    tenant_id  uuid not null,
    name       text not null,
    scopes     jsonb not null,
    created_by uuid not null,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    revoked_at timestamptz,
    revoked_by uuid,
    check ((revoked_at is null) = (revoked_by is null))
);
comment on table api_keys is 'API keys as those who manage them see them. Whether one is in force is decided by its events.';
create index api_keys_tenant on api_keys (tenant_id, created_at desc, id desc);

select isolate('api_keys', 'tenant_id', 'select, insert, update, delete', 'select');
