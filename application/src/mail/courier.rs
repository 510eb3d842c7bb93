//! Sending what is in the outbox.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use futures::{StreamExt, stream};
use tokio_util::sync::CancellationToken;

use crate::error::{PortError, chain};
use crate::ports::clock::{Clock, Ids};
use crate::ports::mail::{DueMail, MailError, Mailer, Outbox};

/// Mails that are claimed together.
const BATCH: usize = 8;

/// Mails that are handed over at the same time.
const AT_ONCE: usize = 4;

/// How long a claim holds: longer than a batch of mails can take at a server that answers none of them in time.
const CLAIM: TimeDelta = TimeDelta::minutes(5);

/// How often the outbox is looked into without a hint.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// The first pauses between tries; the last one stays.
const PAUSES: [TimeDelta; 6] = [
    TimeDelta::seconds(30),
    TimeDelta::minutes(2),
    TimeDelta::minutes(5),
    TimeDelta::minutes(15),
    TimeDelta::minutes(30),
    TimeDelta::hours(1),
];

/// Sends mails at least once.
pub struct Courier {
    /// Where they are.
    pub outbox: Arc<dyn Outbox>,
    /// What carries them.
    pub mailer: Arc<dyn Mailer>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Chance, which keeps mails of one outage from being tried all at once.
    pub ids: Arc<dyn Ids>,
}

impl Courier {
    /// Sends mails until told to stop. What is on its way then is sent again later.
    pub async fn run(&self, stop: CancellationToken) {
        tokio::select! {
            () = stop.cancelled() => {}
            () = self.work() => {}
        }
    }

    async fn work(&self) {
        let mut hints = self.outbox.hints();
        loop {
            match self.deliver_due().await {
                Ok(BATCH) => continue,
                Ok(_) => {}
                Err(error) => tracing::warn!(error = chain(&error), "the outbox could not be looked into"),
            }
            tokio::select! {
                () = hints.next() => {}
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
        }
    }

    /// Tries what is due, once; answers how many mails that were.
    pub async fn deliver_due(&self) -> Result<usize, PortError> {
        let now = self.clock.now();
        let due = self.outbox.claim(now, now + CLAIM, BATCH).await?;
        let count = due.len();
        stream::iter(due).for_each_concurrent(AT_ONCE, |mail| self.deliver(mail)).await;
        Ok(count)
    }

    async fn deliver(&self, mail: DueMail) {
        let tried = if self.clock.now() < mail.send_by {
            self.mailer.send(mail.id, mail.to.reveal(), &mail.letter).await.err().map(|error| Failure::of(&error))
        } else {
            Some(Failure::late())
        };
        let noted = match tried {
            None => {
                tracing::info!(mail = %mail.id, kind = mail.kind, tries = mail.tries, "a mail was sent");
                self.outbox.sent(mail.id, self.clock.now()).await
            }
            Some(failure) => self.failed(&mail, failure).await,
        };
        if let Err(error) = noted {
            tracing::warn!(mail = %mail.id, error = chain(&error), "what became of a mail was not recorded; it is tried again");
        }
    }

    async fn failed(&self, mail: &DueMail, Failure { reason, again }: Failure) -> Result<(), PortError> {
        let now = self.clock.now();
        let next = now + pause(mail.tries, self.ids.chance());
        if again && next < mail.send_by {
            tracing::warn!(mail = %mail.id, kind = mail.kind, tries = mail.tries, reason, "a mail could not be sent yet");
            return self.outbox.retry(mail.id, next).await;
        }
        tracing::error!(mail = %mail.id, kind = mail.kind, tries = mail.tries, reason, "a mail was given up");
        self.outbox.give_up(mail.id, now).await
    }
}

/// Why a mail was not sent, and whether it is tried again.
struct Failure {
    reason: String,
    again: bool,
}

impl Failure {
    /// Of what a mail server says, its code and category are kept at most: the rest may name the recipient.
    fn of(error: &MailError) -> Self {
        let again = match error {
            MailError::Later(_) | MailError::Misconfigured(_) => true,
            MailError::Never(_) => false,
        };
        Self { reason: chain(error), again }
    }

    fn late() -> Self {
        Self { reason: "its time was over before it could be sent".into(), again: false }
    }
}

/// The pause after the n-th try, up to a quarter longer by chance.
fn pause(tries: u32, chance: f64) -> TimeDelta {
    let place = usize::try_from(tries.saturating_sub(1)).unwrap_or(usize::MAX).min(PAUSES.len() - 1);
    let longest = PAUSES[place];
    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "an hour is 3,600,000 ms")]
    let jitter = (longest.num_milliseconds() as f64 * chance / 4.0) as i64;
    longest + TimeDelta::milliseconds(jitter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_an_hour_and_differ_by_chance() {
        assert_eq!(pause(1, 0.0), TimeDelta::seconds(30));
        assert_eq!(pause(2, 0.5), TimeDelta::seconds(135));
        assert_eq!(pause(6, 0.0), TimeDelta::hours(1));
        assert_eq!(pause(600, 0.0), TimeDelta::hours(1));
    }
}
