-- The secrets of API keys, which must never be in the log. What a key may do and whether it is revoked is in the log.
create table api_key_secrets (
    api_key_id   uuid primary key,
    tenant_id    uuid not null,
    secret_hash  bytea not null,
    created_at   timestamptz not null default clock_timestamp(),
    last_used_at timestamptz
);
comment on column api_key_secrets.secret_hash is 'SHA-256 of the 256 random bits; a slow hash would protect nothing that cannot be guessed.';
comment on column api_key_secrets.last_used_at is 'Exact to a minute.';
create index api_key_secrets_tenant on api_key_secrets (tenant_id);

select isolate('api_key_secrets', 'tenant_id', 'select, insert, update, delete', null);
