-- The whole schema, for readers, as it is after all migrations. It is made from the catalogue of a migrated database
-- and never run. After a new migration: UPDATE_SCHEMA=1 scripts/test schema_sql_is_current

CREATE OR REPLACE FUNCTION isolate(relation regclass, tenant_column name, system_rights text, app_rights text)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
begin
    execute format('alter table %s enable row level security', relation);
    execute format('alter table %s force row level security', relation);
    execute format('create policy of_the_system on %s to synkro_system using (true) with check (true)', relation);
    execute format('grant %s on %s to synkro_system', system_rights, relation);
    if tenant_column is not null then
        execute format(
            'create policy of_the_tenant on %s to synkro_app
             using (%I = (select nullif(current_setting(''synkro.tenant'', true), '''')::uuid))',
            relation, tenant_column);
    end if;
    if app_rights is not null then
        execute format('grant %s on %s to synkro_app', app_rights, relation);
    end if;
end
$function$;

CREATE OR REPLACE FUNCTION refuse_change()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
    raise exception 'the table % is append-only', tg_table_name using errcode = 'restrict_violation';
end
$function$;

CREATE OR REPLACE FUNCTION refuse_gap()
 RETURNS bigint
 LANGUAGE plpgsql
AS $function$
begin
    raise exception 'the event before is not in the log'
        using errcode = 'integrity_constraint_violation', constraint = 'events_follow';
end
$function$;

CREATE OR REPLACE FUNCTION sealing_generation(sealed bytea)
 RETURNS integer
 LANGUAGE sql
 IMMUTABLE
AS $function$
    select case when length(sealed) >= 4 then
        (get_byte(sealed, 0) << 24) | (get_byte(sealed, 1) << 16) | (get_byte(sealed, 2) << 8) | get_byte(sealed, 3)
    end
$function$;

create table api_key_secrets (
    api_key_id uuid not null,
    tenant_id uuid not null,
    secret_hash bytea not null,
    created_at timestamp with time zone not null default clock_timestamp(),
    last_used_at timestamp with time zone,
    constraint api_key_secrets_pkey PRIMARY KEY (api_key_id)
);
comment on column api_key_secrets.secret_hash is 'SHA-256 of the 256 random bits; a slow hash would protect nothing that cannot be guessed.';
comment on column api_key_secrets.last_used_at is 'Exact to a minute.';
CREATE INDEX api_key_secrets_tenant ON api_key_secrets USING btree (tenant_id);
alter table api_key_secrets enable row level security;
alter table api_key_secrets force row level security;
create policy of_the_system on api_key_secrets for all to synkro_system using (true) with check (true);
create policy of_the_tenant on api_key_secrets for all to synkro_app using ((tenant_id = ( SELECT (NULLIF(current_setting('synkro.tenant'::text, true), ''::text))::uuid AS "nullif")));
grant delete, insert, select, update on api_key_secrets to synkro_system;

create table api_keys (
    id uuid not null,
    tenant_id uuid not null,
    name text not null,
    scopes jsonb not null,
    created_by uuid not null,
    created_at timestamp with time zone not null,
    expires_at timestamp with time zone not null,
    revoked_at timestamp with time zone,
    revoked_by uuid,
    constraint api_keys_pkey PRIMARY KEY (id),
    constraint api_keys_check CHECK (((revoked_at IS NULL) = (revoked_by IS NULL)))
);
comment on table api_keys is 'API keys as those who manage them see them. Whether one is in force is decided by its events.';
CREATE INDEX api_keys_tenant ON api_keys USING btree (tenant_id, created_at DESC, id DESC);
alter table api_keys enable row level security;
alter table api_keys force row level security;
create policy of_the_system on api_keys for all to synkro_system using (true) with check (true);
create policy of_the_tenant on api_keys for all to synkro_app using ((tenant_id = ( SELECT (NULLIF(current_setting('synkro.tenant'::text, true), ''::text))::uuid AS "nullif")));
grant select on api_keys to synkro_app;
grant delete, insert, select, update on api_keys to synkro_system;

create table audit_entries (
    tx bigint not null,
    position bigint not null,
    tenant_id uuid,
    recorded_at timestamp with time zone not null,
    actor_kind text not null,
    actor_id text not null,
    granted_by text,
    event_type text not null,
    aggregate_type text not null,
    aggregate_id text not null,
    sequence bigint not null,
    request_id text,
    correlation_id text,
    ip text,
    user_agent text,
    generation integer not null,
    constraint audit_entries_pkey PRIMARY KEY (generation, tx, "position")
);
comment on column audit_entries.granted_by is 'The right that allowed it.';
CREATE INDEX audit_entries_tenant ON audit_entries USING btree (tenant_id, generation, tx, "position");
alter table audit_entries enable row level security;
alter table audit_entries force row level security;
create policy of_the_system on audit_entries for all to synkro_system using (true) with check (true);
create policy of_the_tenant on audit_entries for all to synkro_app using ((tenant_id = ( SELECT (NULLIF(current_setting('synkro.tenant'::text, true), ''::text))::uuid AS "nullif")));
grant select on audit_entries to synkro_app;
grant delete, insert, select, update on audit_entries to synkro_system;

create table authorization_states (
    state_hash bytea not null,
    tenant_id uuid not null,
    integration text not null,
    user_id uuid not null,
    session_id uuid not null,
    client_id text not null,
    issued_at timestamp with time zone not null,
    expires_at timestamp with time zone not null,
    used_at timestamp with time zone,
    constraint authorization_states_pkey PRIMARY KEY (state_hash)
);
comment on table authorization_states is 'SHA-256 of the states that services send back; never the states.';
CREATE INDEX authorization_states_age ON authorization_states USING btree (expires_at);
CREATE INDEX authorization_states_tenant ON authorization_states USING btree (tenant_id, integration);
alter table authorization_states enable row level security;
alter table authorization_states force row level security;
create policy of_the_system on authorization_states for all to synkro_system using (true) with check (true);
create policy of_the_tenant on authorization_states for all to synkro_app using ((tenant_id = ( SELECT (NULLIF(current_setting('synkro.tenant'::text, true), ''::text))::uuid AS "nullif")));
grant delete, insert, select, update on authorization_states to synkro_system;

create table catalogue_entries (
    id uuid not null,
    tenant_id uuid not null,
    kind text not null,
    service text,
    action text,
    title text not null,
    added_at timestamp with time zone not null,
    constraint catalogue_entries_pkey PRIMARY KEY (id),
    constraint catalogue_entries_kind_check CHECK ((kind = ANY (ARRAY['service'::text, 'action'::text, 'permission'::text])))
);
comment on table catalogue_entries is 'What companies have added; what is built in is in no table.';
CREATE INDEX catalogue_entries_tenant ON catalogue_entries USING btree (tenant_id, kind, id);
alter table catalogue_entries enable row level security;
alter table catalogue_entries force row level security;
create policy of_the_system on catalogue_entries for all to synkro_system using (true) with check (true);
create policy of_the_tenant on catalogue_entries for all to synkro_app using ((tenant_id = ( SELECT (NULLIF(current_setting('synkro.tenant'::text, true), ''::text))::uuid AS "nullif")));
grant select on catalogue_entries to synkro_app;
grant delete, insert, select, update on catalogue_entries to synkro_system;

create table claims (
    tenant_id uuid not null,
    kind text not null,
    value text not null,
    aggregate_type text not null,
    aggregate_id text not null,
    constraint claims_pkey PRIMARY KEY (tenant_id, kind, value)
);
alter table claims enable row level security;
alter table claims force row level security;
create policy of_the_system on claims for all to synkro_system using (true) with check (true);
create policy of_the_tenant on claims for all to synkro_app using ((tenant_id = ( SELECT (NULLIF(current_setting('synkro.tenant'::text, true), ''::text))::uuid AS "nullif")));
grant delete, insert, select on claims to synkro_system;

create table credentials (
    user_id uuid not null,
    password_hash text not null,
    set_at timestamp with time zone not null default clock_timestamp(),
    constraint credentials_pkey PRIMARY KEY (user_id)
);
alter table credentials enable row level security;
alter table credentials force row level security;
create policy of_the_system on credentials for all to synkro_system using (true) with check (true);
grant delete, insert, select, update on credentials to synkro_system;

create table events (
    position bigint generated always as identity not null,
    tx xid8 not null default pg_current_xact_id(),
    tenant_id uuid,
    aggregate_type text not null,
    aggregate_id text not null,
    sequence bigint not null,
    event_type text not null,
    event_version text not null,
    payload jsonb not null,
    metadata jsonb not null,
    recorded_at timestamp with time zone not null default clock_timestamp(),
    generation integer not null default 1,
    constraint events_pkey PRIMARY KEY (aggregate_type, aggregate_id, sequence),
    constraint events_sequence_check CHECK ((sequence > 0))
);
comment on table events is 'What happened, in the order (generation, tx, position). Read behind the snapshot horizon only.';
comment on column events.tenant_id is 'The owner; null for the platform''s own events.';
CREATE INDEX events_access ON events USING btree (tenant_id, aggregate_id, sequence) WHERE (aggregate_type = ANY (ARRAY['role'::text, 'service_catalogue'::text]));
CREATE INDEX events_revocations ON events USING btree (recorded_at) WHERE (event_type = ANY (ARRAY['SessionRevoked'::text, 'ImpersonationEnded'::text, 'UserRoleChanged'::text, 'StaffRoleChanged'::text, 'UserDeactivated'::text]));
CREATE INDEX events_tenant ON events USING btree (tenant_id, generation, tx, "position");
CREATE INDEX events_tenant_gates ON events USING btree (aggregate_id, sequence) WHERE (event_type = ANY (ARRAY['TenantSuspended'::text, 'TenantResumed'::text, 'TenantOffboardingBegun'::text, 'TenantClosed'::text]));
CREATE UNIQUE INDEX events_order ON events USING btree (generation, tx, "position");
CREATE TRIGGER events_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON events FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
alter table events enable row level security;
alter table events force row level security;
create policy of_the_system on events for all to synkro_system using (true) with check (true);
create policy of_the_tenant on events for all to synkro_app using ((tenant_id = ( SELECT (NULLIF(current_setting('synkro.tenant'::text, true), ''::text))::uuid AS "nullif")));
grant select on events to synkro_app;
grant insert, select on events to synkro_system;

create table impersonations (
    id uuid not null,
    tenant_id uuid not null,
    staff_id uuid not null,
    user_id uuid not null,
    reason text not null,
    opened_at timestamp with time zone not null,
    until timestamp with time zone not null,
    ended_at timestamp with time zone,
    ended_by uuid,
    constraint impersonations_pkey PRIMARY KEY (id),
    constraint impersonations_check CHECK (((ended_at IS NULL) = (ended_by IS NULL)))
);
comment on table impersonations is 'Impersonations as they are listed. Whether one allows something is decided by its events.';
comment on column impersonations.until is 'First instant at which it is over, unless it was ended before.';
CREATE INDEX impersonations_tenant ON impersonations USING btree (tenant_id, opened_at DESC, id DESC);
alter table impersonations enable row level security;
alter table impersonations force row level security;
create policy of_the_system on impersonations for all to synkro_system using (true) with check (true);
create policy of_the_tenant on impersonations for all to synkro_app using ((tenant_id = ( SELECT (NULLIF(current_setting('synkro.tenant'::text, true), ''::text))::uuid AS "nullif")));
grant select on impersonations to synkro_app;
grant delete, insert, select, update on impersonations to synkro_system;

create table integration_records (
    tenant_id uuid not null,
    kind text not null,
    sequence bigint not null,
    event_type text not null,
    event jsonb not null,
    recorded_at timestamp with time zone not null,
    constraint integration_records_pkey PRIMARY KEY (tenant_id, kind, sequence)
);
comment on table integration_records is 'What happened to integrations: saved versions, and what was tried and written. Secrets appear as ids only.';
alter table integration_records enable row level security;
alter table integration_records force row level security;
create policy of_the_system on integration_records for all to synkro_system using (true) with check (true);
create policy of_the_tenant on integration_records for all to synkro_app using ((tenant_id = ( SELECT (NULLIF(current_setting('synkro.tenant'::text, true), ''::text))::uuid AS "nullif")));
grant select on integration_records to synkro_app;
grant delete, insert, select, update on integration_records to synkro_system;

create table integrations (
    tenant_id uuid not null,
    kind text not null,
    version integer not null,
    settings jsonb not null,
    secrets jsonb not null,
    checked jsonb,
    checked_at timestamp with time zone,
    configured_at timestamp with time zone not null,
    attention text,
    constraint integrations_pkey PRIMARY KEY (tenant_id, kind)
);
alter table integrations enable row level security;
alter table integrations force row level security;
create policy of_the_system on integrations for all to synkro_system using (true) with check (true);
create policy of_the_tenant on integrations for all to synkro_app using ((tenant_id = ( SELECT (NULLIF(current_setting('synkro.tenant'::text, true), ''::text))::uuid AS "nullif")));
grant select on integrations to synkro_app;
grant delete, insert, select, update on integrations to synkro_system;

create table invitations (
    id uuid not null,
    tenant_id uuid not null,
    email text not null,
    role text not null,
    status text not null,
    invited_at timestamp with time zone not null,
    expires_at timestamp with time zone not null,
    user_id uuid,
    constraint invitations_pkey PRIMARY KEY (id),
    constraint invitations_status_check CHECK ((status = ANY (ARRAY['proposed'::text, 'open'::text, 'accepted'::text, 'revoked'::text])))
);
comment on table invitations is 'Invitations as those who manage users see them. Whether one can be accepted is decided by its events.';
CREATE INDEX invitations_tenant ON invitations USING btree (tenant_id, invited_at DESC, id DESC);
alter table invitations enable row level security;
alter table invitations force row level security;
create policy of_the_system on invitations for all to synkro_system using (true) with check (true);
create policy of_the_tenant on invitations for all to synkro_app using ((tenant_id = ( SELECT (NULLIF(current_setting('synkro.tenant'::text, true), ''::text))::uuid AS "nullif")));
grant select on invitations to synkro_app;
grant delete, insert, select, update on invitations to synkro_system;

create table log_generations (
    generation integer not null,
    began_at timestamp with time zone not null default clock_timestamp(),
    reason text not null,
    constraint log_generations_pkey PRIMARY KEY (generation)
);
comment on table log_generations is 'The last one is that of new events: the default of events.generation.';
grant select on log_generations to synkro_system;

create table mails (
    id uuid not null,
    tenant_id uuid not null,
    kind text not null,
    state text not null,
    sealed bytea,
    tries integer not null default 0,
    next_try_at timestamp with time zone not null,
    send_by timestamp with time zone not null,
    queued_at timestamp with time zone not null,
    ended_at timestamp with time zone,
    generation integer generated always as (sealing_generation(sealed)) stored,
    constraint mails_pkey PRIMARY KEY (id),
    constraint mails_sealed_under FOREIGN KEY (tenant_id, generation) REFERENCES tenant_keys(tenant_id, generation),
    constraint mails_check CHECK (((sealed IS NOT NULL) = (state = 'waiting'::text))),
    constraint mails_check1 CHECK (((ended_at IS NULL) = (state = 'waiting'::text))),
    constraint mails_state_check CHECK ((state = ANY (ARRAY['waiting'::text, 'sent'::text, 'given_up'::text, 'decoy'::text])))
);
comment on table mails is 'The outbox. Recipient and text are sealed, and deleted once sent or given up. Mail of the platform has the nil UUID as tenant.';
comment on column mails.state is 'A decoy is never sent: it is written for an address that nobody has.';
CREATE INDEX mails_due ON mails USING btree (next_try_at) WHERE (state = 'waiting'::text);
CREATE INDEX mails_ended ON mails USING btree (ended_at) WHERE (ended_at IS NOT NULL);
CREATE INDEX mails_tenant ON mails USING btree (tenant_id, queued_at);
alter table mails enable row level security;
alter table mails force row level security;
create policy of_the_system on mails for all to synkro_system using (true) with check (true);
create policy of_the_tenant on mails for all to synkro_app using ((tenant_id = ( SELECT (NULLIF(current_setting('synkro.tenant'::text, true), ''::text))::uuid AS "nullif")));
grant delete, insert, select, update on mails to synkro_system;

create table one_time_links (
    token_hash bytea not null,
    tenant_id uuid not null,
    kind text not null,
    subject_id uuid not null,
    address text,
    sealed bytea,
    issued_at timestamp with time zone not null,
    expires_at timestamp with time zone not null,
    used_at timestamp with time zone,
    generation integer generated always as (sealing_generation(sealed)) stored,
    constraint one_time_links_pkey PRIMARY KEY (token_hash),
    constraint one_time_links_sealed_under FOREIGN KEY (tenant_id, generation) REFERENCES tenant_keys(tenant_id, generation)
);
comment on table one_time_links is 'SHA-256 of the tokens of mailed links; never the tokens.';
comment on column one_time_links.address is 'A keyed hash of the address that the link was asked for, known or not.';
CREATE INDEX one_time_links_address ON one_time_links USING btree (kind, address, issued_at) WHERE (address IS NOT NULL);
CREATE INDEX one_time_links_age ON one_time_links USING btree (expires_at);
CREATE INDEX one_time_links_subject ON one_time_links USING btree (tenant_id, kind, subject_id);
alter table one_time_links enable row level security;
alter table one_time_links force row level security;
create policy of_the_system on one_time_links for all to synkro_system using (true) with check (true);
create policy of_the_tenant on one_time_links for all to synkro_app using ((tenant_id = ( SELECT (NULLIF(current_setting('synkro.tenant'::text, true), ''::text))::uuid AS "nullif")));
grant delete, insert, select, update on one_time_links to synkro_system;

create table parked_events (
    projection text not null,
    aggregate_type text not null,
    aggregate_id text not null,
    sequence bigint not null,
    generation integer not null,
    tx xid8 not null,
    position bigint not null,
    tenant_id uuid,
    event_type text not null,
    error text,
    tries integer not null default 0,
    parked_at timestamp with time zone not null default clock_timestamp(),
    constraint parked_events_pkey PRIMARY KEY (projection, aggregate_type, aggregate_id, sequence)
);
comment on column parked_events.error is 'Why it could not be applied, without values; null where it only waits for an earlier event of its aggregate.';
CREATE INDEX parked_events_tenant ON parked_events USING btree (tenant_id, projection);
alter table parked_events enable row level security;
alter table parked_events force row level security;
create policy of_the_system on parked_events for all to synkro_system using (true) with check (true);
create policy of_the_tenant on parked_events for all to synkro_app using ((tenant_id = ( SELECT (NULLIF(current_setting('synkro.tenant'::text, true), ''::text))::uuid AS "nullif")));
grant select on parked_events to synkro_app;
grant delete, insert, select, update on parked_events to synkro_system;

create table projection_checkpoints (
    name text not null,
    tx xid8 not null default '0'::xid8,
    position bigint not null default 0,
    updated_at timestamp with time zone not null default clock_timestamp(),
    generation integer not null default 0,
    holder uuid,
    held_until timestamp with time zone,
    events_per_second double precision not null default 0,
    constraint projection_checkpoints_pkey PRIMARY KEY (name)
);
comment on column projection_checkpoints.holder is 'The process that feeds the projection until held_until, by the clock of the database.';
comment on column projection_checkpoints.events_per_second is 'As of updated_at; each event counts less the older it is, by a factor of e every minute.';
grant delete, insert, select, update on projection_checkpoints to synkro_system;

create table receipts (
    tenant_id uuid not null,
    key text not null,
    operation text not null,
    request_hash bytea not null,
    aggregate_type text not null,
    aggregate_id text not null,
    first_sequence bigint not null,
    last_sequence bigint not null,
    actor_id text not null,
    recorded_at timestamp with time zone not null default clock_timestamp(),
    constraint receipts_pkey PRIMARY KEY (tenant_id, key)
);
comment on table receipts is 'Requests by their idempotency key, and the events that each recorded first. Kept for a while, then deleted.';
comment on column receipts.request_hash is 'SHA-256 over the operation, its path parameters and its body.';
CREATE INDEX receipts_age ON receipts USING btree (recorded_at);
alter table receipts enable row level security;
alter table receipts force row level security;
create policy of_the_system on receipts for all to synkro_system using (true) with check (true);
create policy of_the_tenant on receipts for all to synkro_app using ((tenant_id = ( SELECT (NULLIF(current_setting('synkro.tenant'::text, true), ''::text))::uuid AS "nullif")));
grant delete, insert, select, update on receipts to synkro_system;

create table recovery_codes (
    tenant_id uuid not null,
    user_id uuid not null,
    code_hash bytea not null,
    used_at timestamp with time zone,
    constraint recovery_codes_pkey PRIMARY KEY (tenant_id, user_id, code_hash)
);
comment on table recovery_codes is 'SHA-256 of codes that stand in for an authenticator app, each once.';
alter table recovery_codes enable row level security;
alter table recovery_codes force row level security;
create policy of_the_system on recovery_codes for all to synkro_system using (true) with check (true);
create policy of_the_tenant on recovery_codes for all to synkro_app using ((tenant_id = ( SELECT (NULLIF(current_setting('synkro.tenant'::text, true), ''::text))::uuid AS "nullif")));
grant delete, insert, select, update on recovery_codes to synkro_system;

create table refresh_tokens (
    token_hash bytea not null,
    tenant_id uuid not null,
    user_id uuid not null,
    session_id uuid not null,
    predecessor bytea,
    csrf_hash text,
    issued_at timestamp with time zone not null,
    expires_at timestamp with time zone not null,
    ends_at timestamp with time zone not null,
    used_at timestamp with time zone,
    second_factor boolean not null default false,
    constraint refresh_tokens_pkey PRIMARY KEY (token_hash)
);
comment on table refresh_tokens is 'SHA-256 of refresh tokens; never the tokens. A family is a session; a used one that comes again ends it.';
comment on column refresh_tokens.second_factor is 'Whether a code of a second factor was shown in the session. Looked at for staff alone.';
CREATE INDEX refresh_tokens_age ON refresh_tokens USING btree (expires_at);
CREATE INDEX refresh_tokens_family ON refresh_tokens USING btree (predecessor) WHERE (predecessor IS NOT NULL);
CREATE INDEX refresh_tokens_session ON refresh_tokens USING btree (session_id);
CREATE INDEX refresh_tokens_tenant ON refresh_tokens USING btree (tenant_id, user_id);
CREATE INDEX refresh_tokens_user ON refresh_tokens USING btree (user_id);
alter table refresh_tokens enable row level security;
alter table refresh_tokens force row level security;
create policy of_the_system on refresh_tokens for all to synkro_system using (true) with check (true);
create policy of_the_tenant on refresh_tokens for all to synkro_app using ((tenant_id = ( SELECT (NULLIF(current_setting('synkro.tenant'::text, true), ''::text))::uuid AS "nullif")));
grant delete, insert, select, update on refresh_tokens to synkro_system;

create table reports (
    id uuid not null,
    tenant_id uuid not null,
    run_id uuid not null,
    kind text not null,
    period_from timestamp with time zone not null,
    period_to timestamp with time zone not null,
    headline text not null,
    summary text not null,
    metrics jsonb not null,
    model text not null,
    published_at timestamp with time zone not null,
    prompt_version integer,
    constraint reports_pkey PRIMARY KEY (id)
);
comment on column reports.prompt_version is 'The version of the AI settings that the narrative was written by.';
CREATE INDEX reports_tenant ON reports USING btree (tenant_id, published_at DESC, id DESC);
alter table reports enable row level security;
alter table reports force row level security;
create policy of_the_system on reports for all to synkro_system using (true) with check (true);
create policy of_the_tenant on reports for all to synkro_app using ((tenant_id = ( SELECT (NULLIF(current_setting('synkro.tenant'::text, true), ''::text))::uuid AS "nullif")));
grant select on reports to synkro_app;
grant delete, insert, select, update on reports to synkro_system;

create table roles (
    id uuid not null,
    tenant_id uuid not null,
    name text not null,
    title text not null,
    level smallint not null,
    permissions jsonb not null,
    may_manage jsonb not null,
    version bigint not null,
    defined_at timestamp with time zone not null,
    removed boolean not null default false,
    constraint roles_pkey PRIMARY KEY (id)
);
comment on column roles.version is 'The sequence of the last event of the role that the read model has seen.';
comment on column roles.removed is 'Out of use. The row stays, so that later events of the role find it.';
CREATE INDEX roles_tenant ON roles USING btree (tenant_id, defined_at DESC, id DESC);
alter table roles enable row level security;
alter table roles force row level security;
create policy of_the_system on roles for all to synkro_system using (true) with check (true);
create policy of_the_tenant on roles for all to synkro_app using ((tenant_id = ( SELECT (NULLIF(current_setting('synkro.tenant'::text, true), ''::text))::uuid AS "nullif")));
grant select on roles to synkro_app;
grant delete, insert, select, update on roles to synkro_system;

create table run_steps (
    run_id uuid not null,
    tenant_id uuid not null,
    step text not null,
    number integer not null,
    status text not null,
    attempts integer not null default 0,
    started_at timestamp with time zone,
    elapsed_ms bigint,
    counts jsonb not null default '{}'::jsonb,
    failure jsonb,
    retry_at timestamp with time zone,
    constraint run_steps_pkey PRIMARY KEY (run_id, number)
);
CREATE INDEX run_steps_tenant ON run_steps USING btree (tenant_id, run_id, number);
alter table run_steps enable row level security;
alter table run_steps force row level security;
create policy of_the_system on run_steps for all to synkro_system using (true) with check (true);
create policy of_the_tenant on run_steps for all to synkro_app using ((tenant_id = ( SELECT (NULLIF(current_setting('synkro.tenant'::text, true), ''::text))::uuid AS "nullif")));
grant select on run_steps to synkro_app;
grant delete, insert, select, update on run_steps to synkro_system;

create table runs (
    id uuid not null,
    tenant_id uuid not null,
    kind text not null,
    period_from timestamp with time zone not null,
    period_to timestamp with time zone not null,
    status text not null,
    started_at timestamp with time zone not null,
    finished_at timestamp with time zone,
    version bigint not null default 0,
    ai jsonb,
    constraint runs_pkey PRIMARY KEY (id)
);
comment on column runs.ai is 'Of all attempts so far: calls, tokens, the last prompt version and model, and the cost where prices were entered.';
CREATE INDEX runs_tenant ON runs USING btree (tenant_id, started_at DESC, id DESC);
alter table runs enable row level security;
alter table runs force row level security;
create policy of_the_system on runs for all to synkro_system using (true) with check (true);
create policy of_the_tenant on runs for all to synkro_app using ((tenant_id = ( SELECT (NULLIF(current_setting('synkro.tenant'::text, true), ''::text))::uuid AS "nullif")));
grant select on runs to synkro_app;
grant delete, insert, select, update on runs to synkro_system;

create table seaql_migrations (
    version character varying not null,
    applied_at bigint not null,
    constraint seaql_migrations_pkey PRIMARY KEY (version)
);
grant select on seaql_migrations to synkro_system;

create table second_factors (
    user_id uuid not null,
    tenant_id uuid not null,
    sealed bytea not null,
    begun_at timestamp with time zone not null,
    confirmed_at timestamp with time zone,
    last_step bigint not null default 0,
    next_sealed bytea,
    generation integer generated always as (sealing_generation(sealed)) stored,
    next_generation integer generated always as (sealing_generation(next_sealed)) stored,
    constraint second_factors_pkey PRIMARY KEY (user_id),
    constraint second_factors_next_sealed_under FOREIGN KEY (tenant_id, next_generation) REFERENCES tenant_keys(tenant_id, generation),
    constraint second_factors_sealed_under FOREIGN KEY (tenant_id, generation) REFERENCES tenant_keys(tenant_id, generation)
);
comment on table second_factors is 'Sealed secrets of authenticator apps (TOTP). One that is not confirmed is not asked for.';
comment on column second_factors.last_step is 'The last time step whose code was accepted; codes of it and of earlier ones are refused.';
comment on column second_factors.next_sealed is 'The secret of an app that takes the place of the confirmed one once it is confirmed itself.';
CREATE INDEX second_factors_tenant ON second_factors USING btree (tenant_id, user_id);
alter table second_factors enable row level security;
alter table second_factors force row level security;
create policy of_the_system on second_factors for all to synkro_system using (true) with check (true);
create policy of_the_tenant on second_factors for all to synkro_app using ((tenant_id = ( SELECT (NULLIF(current_setting('synkro.tenant'::text, true), ''::text))::uuid AS "nullif")));
grant delete, insert, select, update on second_factors to synkro_system;

create table secrets (
    id uuid not null,
    tenant_id uuid not null,
    integration text not null,
    field text not null,
    sealed bytea not null,
    created_at timestamp with time zone not null default clock_timestamp(),
    generation integer generated always as (sealing_generation(sealed)) stored,
    constraint secrets_pkey PRIMARY KEY (id),
    constraint secrets_sealed_under FOREIGN KEY (tenant_id, generation) REFERENCES tenant_keys(tenant_id, generation)
);
CREATE INDEX secrets_tenant ON secrets USING btree (tenant_id, integration, field);
alter table secrets enable row level security;
alter table secrets force row level security;
create policy of_the_system on secrets for all to synkro_system using (true) with check (true);
create policy of_the_tenant on secrets for all to synkro_app using ((tenant_id = ( SELECT (NULLIF(current_setting('synkro.tenant'::text, true), ''::text))::uuid AS "nullif")));
grant insert, select on secrets to synkro_system;

create table session_activity (
    session_id uuid not null,
    tenant_id uuid not null,
    user_id uuid not null,
    last_seen_at timestamp with time zone not null,
    constraint session_activity_pkey PRIMARY KEY (session_id)
);
CREATE INDEX session_activity_tenant ON session_activity USING btree (tenant_id, user_id);
alter table session_activity enable row level security;
alter table session_activity force row level security;
create policy of_the_system on session_activity for all to synkro_system using (true) with check (true);
create policy of_the_tenant on session_activity for all to synkro_app using ((tenant_id = ( SELECT (NULLIF(current_setting('synkro.tenant'::text, true), ''::text))::uuid AS "nullif")));
grant select on session_activity to synkro_app;
grant delete, insert, select, update on session_activity to synkro_system;

create table sessions (
    id uuid not null,
    tenant_id uuid not null,
    user_id uuid not null,
    method text not null,
    user_agent text,
    ip text,
    opened_at timestamp with time zone not null,
    ends_at timestamp with time zone not null,
    ended_at timestamp with time zone,
    reason text,
    constraint sessions_pkey PRIMARY KEY (id)
);
comment on table sessions is 'Sign-ins and how they ended. Platform staff have the nil UUID as tenant.';
CREATE INDEX sessions_user ON sessions USING btree (tenant_id, user_id, opened_at, id);
alter table sessions enable row level security;
alter table sessions force row level security;
create policy of_the_system on sessions for all to synkro_system using (true) with check (true);
create policy of_the_tenant on sessions for all to synkro_app using ((tenant_id = ( SELECT (NULLIF(current_setting('synkro.tenant'::text, true), ''::text))::uuid AS "nullif")));
grant select on sessions to synkro_app;
grant delete, insert, select, update on sessions to synkro_system;

create table sign_in_failures (
    subject bytea not null,
    locks_at integer not null,
    failures integer not null,
    last_failed_at timestamp with time zone not null,
    locked_until timestamp with time zone,
    constraint sign_in_failures_pkey PRIMARY KEY (subject)
);
comment on table sign_in_failures is 'Failed attempts in a row by account and by address, each under a SHA-256, whether the account exists or not.';
comment on column sign_in_failures.locks_at is 'The failure in a row that locks first.';
CREATE INDEX sign_in_failures_age ON sign_in_failures USING btree (last_failed_at);
alter table sign_in_failures enable row level security;
alter table sign_in_failures force row level security;
create policy of_the_system on sign_in_failures for all to synkro_system using (true) with check (true);
grant delete, insert, select, update on sign_in_failures to synkro_system;

create table staging (
    tenant_id uuid not null,
    name text not null,
    sealed bytea not null,
    expires_at timestamp with time zone not null,
    generation integer generated always as (sealing_generation(sealed)) stored,
    constraint staging_pkey PRIMARY KEY (tenant_id, name),
    constraint staging_sealed_under FOREIGN KEY (tenant_id, generation) REFERENCES tenant_keys(tenant_id, generation)
);
CREATE INDEX staging_expiry ON staging USING btree (expires_at);
alter table staging enable row level security;
alter table staging force row level security;
create policy of_the_system on staging for all to synkro_system using (true) with check (true);
create policy of_the_tenant on staging for all to synkro_app using ((tenant_id = ( SELECT (NULLIF(current_setting('synkro.tenant'::text, true), ''::text))::uuid AS "nullif")));
grant delete, insert, select, update on staging to synkro_system;

create table step_claims (
    run_id uuid not null,
    worker uuid not null,
    until timestamp with time zone not null,
    constraint step_claims_pkey PRIMARY KEY (run_id)
);
alter table step_claims enable row level security;
alter table step_claims force row level security;
create policy of_the_system on step_claims for all to synkro_system using (true) with check (true);
grant delete, insert, select, update on step_claims to synkro_system;

create table step_queue (
    run_id uuid not null,
    tenant_id uuid not null,
    step text not null,
    state text not null,
    ready_at timestamp with time zone not null,
    attempt_id uuid,
    worker uuid,
    constraint step_queue_pkey PRIMARY KEY (run_id),
    constraint step_queue_state_check CHECK ((state = ANY (ARRAY['waiting'::text, 'running'::text])))
);
CREATE INDEX step_queue_due ON step_queue USING btree (state, ready_at);
CREATE INDEX step_queue_tenant ON step_queue USING btree (tenant_id, run_id);
alter table step_queue enable row level security;
alter table step_queue force row level security;
create policy of_the_system on step_queue for all to synkro_system using (true) with check (true);
create policy of_the_tenant on step_queue for all to synkro_app using ((tenant_id = ( SELECT (NULLIF(current_setting('synkro.tenant'::text, true), ''::text))::uuid AS "nullif")));
grant delete, insert, select, update on step_queue to synkro_system;

create table tenant_keys (
    tenant_id uuid not null,
    kek_id text not null,
    wrapped bytea not null,
    created_at timestamp with time zone not null default clock_timestamp(),
    generation integer not null default 1,
    constraint tenant_keys_pkey PRIMARY KEY (tenant_id, generation),
    constraint tenant_keys_generation_check CHECK ((generation > 0))
);
comment on column tenant_keys.generation is 'The number of the key among those of the company; the highest seals.';
alter table tenant_keys enable row level security;
alter table tenant_keys force row level security;
create policy of_the_system on tenant_keys for all to synkro_system using (true) with check (true);
create policy of_the_tenant on tenant_keys for all to synkro_app using ((tenant_id = ( SELECT (NULLIF(current_setting('synkro.tenant'::text, true), ''::text))::uuid AS "nullif")));
grant delete, insert, select, update on tenant_keys to synkro_system;

create table tenants (
    id uuid not null,
    name text not null,
    slug text not null,
    language text not null,
    status text not null,
    provisioned_at timestamp with time zone not null,
    constraint tenants_pkey PRIMARY KEY (id)
);
alter table tenants enable row level security;
alter table tenants force row level security;
create policy of_the_system on tenants for all to synkro_system using (true) with check (true);
create policy of_the_tenant on tenants for all to synkro_app using ((id = ( SELECT (NULLIF(current_setting('synkro.tenant'::text, true), ''::text))::uuid AS "nullif")));
grant select on tenants to synkro_app;
grant delete, insert, select, update on tenants to synkro_system;

create table token_exchanges (
    id uuid not null,
    tenant_id uuid not null,
    integration text not null,
    replaces uuid,
    client_id text,
    authorized_by uuid,
    holder uuid not null,
    held_until timestamp with time zone not null,
    access_token uuid,
    refresh_token uuid,
    base_url text,
    expires_at timestamp with time zone,
    kept_at timestamp with time zone,
    begun_at timestamp with time zone not null default clock_timestamp(),
    constraint token_exchanges_pkey PRIMARY KEY (id),
    constraint token_exchanges_check CHECK (((replaces IS NULL) = (client_id IS NOT NULL))),
    constraint token_exchanges_check1 CHECK (((replaces IS NULL) = (authorized_by IS NOT NULL))),
    constraint token_exchanges_check2 CHECK (((kept_at IS NOT NULL) = (num_nonnulls(access_token, refresh_token, base_url, expires_at) = 4)))
);
comment on table token_exchanges is 'Who may exchange what, and stored tokens that the log does not name yet. Tokens themselves are in secrets.';
comment on column token_exchanges.replaces is 'The stored refresh token that is exchanged; none where it is the code of a person.';
CREATE INDEX token_exchanges_left_behind ON token_exchanges USING btree (tenant_id, integration, kept_at) WHERE (replaces IS NULL);
CREATE UNIQUE INDEX token_exchanges_of_refresh_token ON token_exchanges USING btree (tenant_id, integration, replaces) WHERE (replaces IS NOT NULL);
alter table token_exchanges enable row level security;
alter table token_exchanges force row level security;
create policy of_the_system on token_exchanges for all to synkro_system using (true) with check (true);
create policy of_the_tenant on token_exchanges for all to synkro_app using ((tenant_id = ( SELECT (NULLIF(current_setting('synkro.tenant'::text, true), ''::text))::uuid AS "nullif")));
grant delete, insert, select, update on token_exchanges to synkro_system;

create table users (
    id uuid not null,
    tenant_id uuid not null,
    email text not null,
    name text not null,
    role text not null,
    registered_at timestamp with time zone not null,
    active boolean not null default true,
    constraint users_pkey PRIMARY KEY (id)
);
comment on column users.tenant_id is 'The user''s company; the nil UUID for the platform''s staff.';
comment on column users.role is 'The name of a role of the company, or of one on the staff.';
CREATE INDEX users_list ON users USING btree (tenant_id, registered_at, id);
CREATE INDEX users_tenant ON users USING btree (tenant_id, id);
CREATE UNIQUE INDEX users_email ON users USING btree (email) WHERE active;
alter table users enable row level security;
alter table users force row level security;
create policy of_the_system on users for all to synkro_system using (true) with check (true);
create policy of_the_tenant on users for all to synkro_app using ((tenant_id = ( SELECT (NULLIF(current_setting('synkro.tenant'::text, true), ''::text))::uuid AS "nullif")));
grant select on users to synkro_app;
grant delete, insert, select, update on users to synkro_system;

create table workers (
    id uuid not null,
    name text,
    alive_until timestamp with time zone not null,
    constraint workers_pkey PRIMARY KEY (id)
);
grant delete, insert, select, update on workers to synkro_system;
