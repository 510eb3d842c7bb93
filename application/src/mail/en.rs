//! The mails in English.

use super::{Link, Mail};

const BYE: &str = "Synkro\n";

/// Subject and text.
pub(super) fn text(mail: &Mail<'_>) -> (String, String) {
    match mail {
        Mail::PasswordReset { link, minutes } => (
            "A new password for Synkro".into(),
            format!(
                "Hello,\n\nsomeone asked for a new password for this address. Choose it here:\n\n{}\n\n\
                 The link works once, for {minutes} minutes. If it was not you, do nothing: the password stays.\n\n{BYE}",
                link.reveal()
            ),
        ),
        Mail::PasswordWasReset => (
            "Your password for Synkro was changed".into(),
            format!(
                "Hello,\n\nyour password was changed by a link that was mailed to this address, and you were signed out\n\
                 everywhere. If it was not you, ask for a new password at once and tell an owner of your company.\n\n{BYE}"
            ),
        ),
        Mail::Invitation { company, link, days } => (
            format!("You are invited to {company} on Synkro"),
            format!(
                "Hello,\n\nyou are invited to work in {company} on Synkro. Choose your name and password here:\n\n{}\n\n\
                 The link works once, for {days} days. If you did not expect this, do nothing.\n\n{BYE}",
                link.reveal()
            ),
        ),
        Mail::StaffInvitation { link, days } => (
            "You are on the staff of Synkro".into(),
            format!(
                "Hello,\n\nyou were let in as one of those who run Synkro. Choose your password here:\n\n{}\n\n\
                 The link works once, for {days} days. If you did not expect this, tell a super_admin.\n\n{BYE}",
                link.reveal()
            ),
        ),
        Mail::SecondFactorReset { link, days } => second_factor_reset(link, *days),
        Mail::EmailConfirmation { link, minutes } => (
            "Confirm your e-mail address for Synkro".into(),
            format!(
                "Hello,\n\nconfirm here that you will sign in to Synkro with this address:\n\n{}\n\n\
                 The link works once, for {minutes} minutes. If it was not you, do nothing.\n\n{BYE}",
                link.reveal()
            ),
        ),
        Mail::EmailChangeRequested { new } => (
            "Another e-mail address for Synkro was asked for".into(),
            format!(
                "Hello,\n\nsomeone who is signed in as you asked to sign in with {new} instead of this address. It changes\n\
                 once it is confirmed there. If it was not you, change your password now.\n\n{BYE}"
            ),
        ),
        Mail::EmailChanged { new } => (
            "Your e-mail address for Synkro was changed".into(),
            format!(
                "Hello,\n\nfrom now on you sign in to Synkro with {new}, not with this address. If it was not you, tell an\n\
                 owner of your company at once.\n\n{BYE}"
            ),
        ),
    }
}

fn second_factor_reset(link: &Link, days: i64) -> (String, String) {
    (
        "Your authenticator app for Synkro was taken away".into(),
        format!(
            "Hello,\n\na super_admin took your lost authenticator app away, and your password with it, and you were signed out\n\
                 everywhere. Choose a new password here, sign in, and set up a new app:\n\n{}\n\n\
                 The link works once, for {days} days. If you did not ask for it, tell a super_admin at once.\n\n{BYE}",
            link.reveal()
        ),
    )
}
