-- What must never be in the log: password hashes and sealed secrets.

create table credentials (
    user_id       uuid primary key,
    password_hash text not null,
    set_at        timestamptz not null default clock_timestamp()
);

-- A data key per tenant, wrapped by the key-encryption key that lives outside the database.
create table tenant_keys (
    tenant_id  uuid primary key,
    kek_id     text not null,
    wrapped    bytea not null,
    created_at timestamptz not null default clock_timestamp()
);

create table secrets (
    id          uuid primary key,
    tenant_id   uuid not null,
    integration text not null,
    field       text not null,
    sealed      bytea not null,
    created_at  timestamptz not null default clock_timestamp()
);
create index secrets_tenant on secrets (tenant_id, integration, field);
