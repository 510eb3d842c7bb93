-- An event comes after the one before it of its aggregate, or not at all. The statement that appends looks for that one,
-- and calls this where it is not there.
create function refuse_gap() returns bigint language plpgsql as $$
begin
    raise exception 'the event before is not in the log'
        using errcode = 'integrity_constraint_violation', constraint = 'events_follow';
end
$$;
