-- Sessions, their refresh tokens, and failed attempts to sign in.

create table sessions (
    id         uuid primary key,
    tenant_id  uuid not null,
    user_id    uuid not null,
    method     text not null,
    user_agent text,
    ip         text,
    opened_at  timestamptz not null,
    ends_at    timestamptz not null,
    ended_at   timestamptz,
    reason     text
);
create index sessions_user on sessions (tenant_id, user_id, opened_at, id);
comment on table sessions is 'Sign-ins and how they ended. Platform staff have the nil UUID as tenant.';

-- Outside of the log, so that seeing a session again and again leaves no event.
create table session_activity (
    session_id   uuid primary key,
    tenant_id    uuid not null,
    user_id      uuid not null,
    last_seen_at timestamptz not null
);
create index session_activity_tenant on session_activity (tenant_id, user_id);

create table refresh_tokens (
    token_hash  bytea primary key,
    tenant_id   uuid not null,
    user_id     uuid not null,
    session_id  uuid not null,
    predecessor bytea,
    csrf_hash   text,
    issued_at   timestamptz not null,
    expires_at  timestamptz not null,
    ends_at     timestamptz not null,
    used_at     timestamptz
);
comment on table refresh_tokens is 'SHA-256 of refresh tokens; never the tokens. A family is a session; a used one that comes again ends it.';
create index refresh_tokens_session on refresh_tokens (session_id);
create index refresh_tokens_tenant on refresh_tokens (tenant_id, user_id);
create index refresh_tokens_user on refresh_tokens (user_id);
create index refresh_tokens_family on refresh_tokens (predecessor) where predecessor is not null;
create index refresh_tokens_age on refresh_tokens (expires_at);

create table sign_in_failures (
    subject        bytea primary key,
    locks_at       integer not null,
    failures       integer not null,
    last_failed_at timestamptz not null,
    locked_until   timestamptz
);
comment on table sign_in_failures is 'Failed attempts in a row by account and by address, each under a SHA-256, whether the account exists or not.';
comment on column sign_in_failures.locks_at is 'The failure in a row that locks first.';
create index sign_in_failures_age on sign_in_failures (last_failed_at);

-- A deactivated user keeps the row and gives the address back.
alter table users add column active boolean not null default true;
drop index users_email;
create unique index users_email on users (email) where active;
create index users_list on users (tenant_id, registered_at, id);

-- What a process that starts must know before it accepts a token. Few events are among these.
create index events_revocations on events (recorded_at)
    where event_type in ('SessionRevoked', 'UserRoleChanged', 'UserDeactivated');

select isolate('sessions', 'tenant_id', 'select, insert, update, delete', 'select');
select isolate('session_activity', 'tenant_id', 'select, insert, update, delete', 'select');
-- Whether a session can go on is shown to its user; what its tokens are told by is not.
select isolate('refresh_tokens', 'tenant_id', 'select, insert, update, delete',
    'select (session_id, tenant_id, used_at, expires_at, ends_at)');
select isolate('sign_in_failures', null, 'select, insert, update, delete', null);
