-- Another role on the platform's staff ends tokens as another role in a company does.
drop index events_revocations;
create index events_revocations on events (recorded_at)
    where event_type in ('SessionRevoked', 'UserRoleChanged', 'StaffRoleChanged', 'UserDeactivated');

comment on column users.tenant_id is 'The user''s company; the nil UUID for the platform''s staff.';
comment on column users.role is 'The name of a role of the company, or of one on the staff.';
