-- Two roles, for the whole server: synkro_app sees the rows of the tenant that its session names, synkro_system sees all.
-- Neither owns a table, so neither can look past row-level security. The login that migrates owns the tables.

do $$
declare
    missing text[] := '{}';
    wanted constant text := 'create role %1$s nologin nosuperuser nobypassrls';
    member constant text := 'grant %1$s to %2$I';
    remedy text;
    role text;
begin
    -- Schemas that are migrated side by side make them once; other databases of the server may still be quicker.
    if exists (
        select from unnest(array['synkro_app', 'synkro_system']) as wanted (name)
        left join pg_roles on rolname = wanted.name
        where rolname is null or not pg_has_role(current_user, rolname, 'usage')
    ) then
        perform pg_advisory_xact_lock(hashtextextended('synkro roles', 0));
        foreach role in array array['synkro_app', 'synkro_system'] loop
            if not exists (select from pg_roles where rolname = role) then
                remedy := concat_ws('; ', remedy, format(wanted, role));
                missing := missing || role;
            end if;
            remedy := concat_ws('; ', remedy, format(member, role, current_user));
        end loop;
        begin
            foreach role in array missing loop
                begin
                    execute format(wanted, role);
                exception when duplicate_object or unique_violation then null;
                end;
            end loop;
            foreach role in array array['synkro_app', 'synkro_system'] loop
                if not pg_has_role(current_user, role, 'usage') then
                    execute format(member, role, current_user);
                end if;
            end loop;
        exception when insufficient_privilege then
            raise exception 'the login % may not make the roles that keep tenants apart; an administrator runs: %',
                current_user, remedy using errcode = 'insufficient_privilege';
        end;
        if not (pg_has_role(current_user, 'synkro_app', 'usage') and pg_has_role(current_user, 'synkro_system', 'usage')) then
            raise exception 'the login % does not inherit the roles that it is a member of; an administrator runs: %',
                current_user, format('alter role %1$I inherit; grant synkro_app, synkro_system to %1$I', current_user)
                using errcode = 'insufficient_privilege';
        end if;
    end if;
    if exists (select from pg_roles where rolname in ('synkro_app', 'synkro_system') and (rolsuper or rolbypassrls)) then
        raise exception 'the roles synkro_app and synkro_system can look past row-level security; an administrator runs: %',
            'alter role synkro_app nosuperuser nobypassrls; alter role synkro_system nosuperuser nobypassrls'
            using errcode = 'insufficient_privilege';
    end if;
    execute format('grant usage on schema %I to synkro_app, synkro_system', current_schema());
end
$$;

-- For every table with tenant data, here and in later migrations. The subquery is evaluated once per statement, so that the
-- tenant's index can be used. Without a tenant's column, only synkro_system sees rows.
create function isolate(relation regclass, tenant_column name, system_rights text, app_rights text)
returns void language plpgsql as $$
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
$$;
comment on function isolate is 'Keeps the rows of a table apart by tenant, and says what the two roles may do with it.';

select isolate('events', 'tenant_id', 'select, insert', 'select');
select isolate('claims', 'tenant_id', 'select, insert, delete', null);
-- Those that are purged are locked first, which takes the right to update.
select isolate('receipts', 'tenant_id', 'select, insert, update, delete', null);

select isolate('tenants', 'id', 'select, insert, update, delete', 'select');
select isolate('users', 'tenant_id', 'select, insert, update, delete', 'select');
select isolate('integrations', 'tenant_id', 'select, insert, update, delete', 'select');
select isolate('runs', 'tenant_id', 'select, insert, update, delete', 'select');
select isolate('run_steps', 'tenant_id', 'select, insert, update, delete', 'select');
select isolate('reports', 'tenant_id', 'select, insert, update, delete', 'select');
select isolate('audit_entries', 'tenant_id', 'select, insert, update, delete', 'select');
select isolate('step_queue', 'tenant_id', 'select, insert, update, delete', null);
select isolate('parked_events', 'tenant_id', 'select, insert, update, delete', 'select');

select isolate('staging', 'tenant_id', 'select, insert, update, delete', null);
select isolate('secrets', 'tenant_id', 'select, insert', null);
select isolate('tenant_keys', 'tenant_id', 'select, insert', null);
select isolate('credentials', null, 'select, insert, update', null);
select isolate('step_claims', null, 'select, insert, update, delete', null);

-- Tables of the platform, which hold nothing of a tenant.
grant select on log_generations, seaql_migrations to synkro_system;
grant select, insert, update, delete on projection_checkpoints, workers to synkro_system;
