-- Exchanges of codes and refresh tokens for tokens, recorded before they are made.

create table token_exchanges (
    id            uuid primary key,
    tenant_id     uuid not null,
    integration   text not null,
    replaces      uuid,
    client_id     text,
    authorized_by uuid,
    holder        uuid not null,
    held_until    timestamptz not null,
    access_token  uuid,
    refresh_token uuid,
    base_url      text,
    expires_at    timestamptz,
    kept_at       timestamptz,
    begun_at      timestamptz not null default clock_timestamp(),
    check ((replaces is null) = (client_id is not null)),
    check ((replaces is null) = (authorized_by is not null)),
    check ((kept_at is not null) = (num_nonnulls(access_token, refresh_token, base_url, expires_at) = 4))
);
comment on table token_exchanges is 'Who may exchange what, and stored tokens that the log does not name yet. Tokens themselves are in secrets.';
comment on column token_exchanges.replaces is 'The stored refresh token that is exchanged; none where it is the code of a person.';
create unique index token_exchanges_of_refresh_token on token_exchanges (tenant_id, integration, replaces)
    where replaces is not null;
create index token_exchanges_left_behind on token_exchanges (tenant_id, integration, kept_at) where replaces is null;

select isolate('token_exchanges', 'tenant_id', 'select, insert, update, delete', null);
