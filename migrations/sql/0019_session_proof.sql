-- What staff proved in a session goes on with it: once an app is set up, a session without a code is not renewed.
alter table refresh_tokens add column second_factor boolean not null default false;
comment on column refresh_tokens.second_factor is 'Whether a code of a second factor was shown in the session. Looked at for staff alone.';
