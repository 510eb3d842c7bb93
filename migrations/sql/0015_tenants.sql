-- What a process that starts must know before it lets anybody in: which tenants are kept out. Few events are among these.

create index events_tenant_gates on events (aggregate_id, sequence)
    where event_type in ('TenantSuspended', 'TenantResumed', 'TenantOffboardingBegun', 'TenantClosed');
