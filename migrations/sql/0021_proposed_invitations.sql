-- Invitations that the platform's staff propose, and the company has not sent yet.

alter table invitations
    drop constraint invitations_status_check,
    add constraint invitations_status_check check (status in ('proposed', 'open', 'accepted', 'revoked'));
