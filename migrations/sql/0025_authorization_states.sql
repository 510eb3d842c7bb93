-- People who are about to let Synkro into an account at the service itself.

create table authorization_states (
    state_hash  bytea primary key,
    tenant_id   uuid not null,
    integration text not null,
    user_id     uuid not null,
    session_id  uuid not null,
    client_id   text not null,
    issued_at   timestamptz not null,
    expires_at  timestamptz not null,
    used_at     timestamptz
);
comment on table authorization_states is 'SHA-256 of the states that services send back; never the states.';
create index authorization_states_tenant on authorization_states (tenant_id, integration);
create index authorization_states_age on authorization_states (expires_at);

select isolate('authorization_states', 'tenant_id', 'select, insert, update, delete', null);
