-- Another authenticator app is set up beside the one in use, which works until the other one is confirmed.
alter table second_factors add column next_sealed bytea;
comment on column second_factors.next_sealed is 'The secret of an app that takes the place of the confirmed one once it is confirmed itself.';

-- Whoever loses the second factor loses the password with it, and a removed user leaves none.
grant delete on credentials to synkro_system;
