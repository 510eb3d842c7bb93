-- Staff of the platform who act in the name of a company's users, as the company and the staff see it.

create table impersonations (
    id        uuid primary key,
    tenant_id uuid not null,
    staff_id  uuid not null,
    user_id   uuid not null,
    reason    text not null,
    opened_at timestamptz not null,
    until     timestamptz not null,
    ended_at  timestamptz,
    ended_by  uuid,
    check ((ended_at is null) = (ended_by is null))
);
comment on table impersonations is 'Impersonations as they are listed. Whether one allows something is decided by its events.';
comment on column impersonations.until is 'First instant at which it is over, unless it was ended before.';
create index impersonations_tenant on impersonations (tenant_id, opened_at desc, id desc);

select isolate('impersonations', 'tenant_id', 'select, insert, update, delete', 'select');

-- What was ended in a user's name is refused at once, as ended sessions are.
drop index events_revocations;
create index events_revocations on events (recorded_at)
    where event_type in
        ('SessionRevoked', 'ImpersonationEnded', 'UserRoleChanged', 'StaffRoleChanged', 'UserDeactivated');
