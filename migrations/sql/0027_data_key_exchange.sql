-- A company's data key can be exchanged. Each ciphertext says first which of the company's keys seals it, and that key cannot
-- go while it does.

alter table tenant_keys
    add column generation integer not null default 1 check (generation > 0),
    drop constraint tenant_keys_pkey,
    add primary key (tenant_id, generation);
comment on column tenant_keys.generation is 'The number of the key among those of the company; the highest seals.';

create function sealing_generation(sealed bytea) returns integer language sql immutable as $$
    select case when length(sealed) >= 4 then
        (get_byte(sealed, 0) << 24) | (get_byte(sealed, 1) << 16) | (get_byte(sealed, 2) << 8) | get_byte(sealed, 3)
    end
$$;
comment on function sealing_generation is 'Which of the company''s data keys seals this: its first four bytes say so.';

update secrets set sealed = '\x00000001'::bytea || sealed;
update staging set sealed = '\x00000001'::bytea || sealed;
update mails set sealed = '\x00000001'::bytea || sealed where sealed is not null;
update one_time_links set sealed = '\x00000001'::bytea || sealed where sealed is not null;
update second_factors set sealed = '\x00000001'::bytea || sealed, next_sealed = '\x00000001'::bytea || next_sealed;

alter table secrets
    add column generation integer generated always as (sealing_generation(sealed)) stored,
    add constraint secrets_sealed_under foreign key (tenant_id, generation) references tenant_keys;
alter table staging
    add column generation integer generated always as (sealing_generation(sealed)) stored,
    add constraint staging_sealed_under foreign key (tenant_id, generation) references tenant_keys;
alter table mails
    add column generation integer generated always as (sealing_generation(sealed)) stored,
    add constraint mails_sealed_under foreign key (tenant_id, generation) references tenant_keys;
alter table one_time_links
    add column generation integer generated always as (sealing_generation(sealed)) stored,
    add constraint one_time_links_sealed_under foreign key (tenant_id, generation) references tenant_keys;
alter table second_factors
    add column generation integer generated always as (sealing_generation(sealed)) stored,
    add column next_generation integer generated always as (sealing_generation(next_sealed)) stored,
    add constraint second_factors_sealed_under foreign key (tenant_id, generation) references tenant_keys,
    add constraint second_factors_next_sealed_under foreign key (tenant_id, next_generation) references tenant_keys;

grant update (sealed) on secrets to synkro_system;
grant delete on tenant_keys to synkro_system;
