-- Mail that is on its way, links that work once, invitations, and second factors.

create table mails (
    id          uuid primary key,
    tenant_id   uuid not null,
    kind        text not null,
    state       text not null check (state in ('waiting', 'sent', 'given_up', 'decoy')),
    sealed      bytea,
    tries       integer not null default 0,
    next_try_at timestamptz not null,
    send_by     timestamptz not null,
    queued_at   timestamptz not null,
    ended_at    timestamptz,
    check ((sealed is not null) = (state = 'waiting')),
    check ((ended_at is null) = (state = 'waiting'))
);
comment on table mails is 'The outbox. Recipient and text are sealed, and deleted once sent or given up. Mail of the platform has the nil UUID as tenant.';
comment on column mails.state is 'A decoy is never sent: it is written for an address that nobody has.';
create index mails_due on mails (next_try_at) where state = 'waiting';
create index mails_tenant on mails (tenant_id, queued_at);
create index mails_ended on mails (ended_at) where ended_at is not null;

create table one_time_links (
    token_hash bytea primary key,
    tenant_id  uuid not null,
    kind       text not null,
    subject_id uuid not null,
    address    text,
    sealed     bytea,
    issued_at  timestamptz not null,
    expires_at timestamptz not null,
    used_at    timestamptz
);
comment on table one_time_links is 'SHA-256 of the tokens of mailed links; never the tokens.';
comment on column one_time_links.address is 'A keyed hash of the address that the link was asked for, known or not.';
create index one_time_links_subject on one_time_links (tenant_id, kind, subject_id);
create index one_time_links_address on one_time_links (kind, address, issued_at) where address is not null;
create index one_time_links_age on one_time_links (expires_at);

create table invitations (
    id         uuid primary key,
    tenant_id  uuid not null,
    email      text not null,
    role       text not null,
    status     text not null check (status in ('open', 'accepted', 'revoked')),
    invited_at timestamptz not null,
    expires_at timestamptz not null,
    user_id    uuid
);
comment on table invitations is 'Invitations as those who manage users see them. Whether one can be accepted is decided by its events.';
create index invitations_tenant on invitations (tenant_id, invited_at desc, id desc);

select isolate('mails', 'tenant_id', 'select, insert, update, delete', null);
select isolate('one_time_links', 'tenant_id', 'select, insert, update, delete', null);
select isolate('invitations', 'tenant_id', 'select, insert, update, delete', 'select');

create table second_factors (
    user_id      uuid primary key,
    tenant_id    uuid not null,
    sealed       bytea not null,
    begun_at     timestamptz not null,
    confirmed_at timestamptz,
    last_step    bigint not null default 0
);
comment on table second_factors is 'Sealed secrets of authenticator apps (TOTP). One that is not confirmed is not asked for.';
comment on column second_factors.last_step is 'The last time step whose code was accepted; codes of it and of earlier ones are refused.';
create index second_factors_tenant on second_factors (tenant_id, user_id);

create table recovery_codes (
    tenant_id uuid not null,
    user_id   uuid not null,
    code_hash bytea not null,
    used_at   timestamptz,
    primary key (tenant_id, user_id, code_hash)
);
comment on table recovery_codes is 'SHA-256 of codes that stand in for an authenticator app, each once.';

select isolate('second_factors', 'tenant_id', 'select, insert, update, delete', null);
select isolate('recovery_codes', 'tenant_id', 'select, insert, update, delete', null);
