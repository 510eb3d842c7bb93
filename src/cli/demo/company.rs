//! The demo's company: who it is, its accounts, and the data that it lives from. Kept in the data folder, so that a
//! second start finds the same company.

use std::collections::BTreeMap;
use std::io::Cursor;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use chrono_tz::Tz;
use domain::ids::{RunId, TenantId, UserId};
use domain::period::{DayBorder, LONGEST_PERIOD_DAYS};
use infrastructure::database::Database;
use infrastructure::read_models::tenants::TenantsReader;
use serde::{Deserialize, Serialize};
use simulator::{Accounts, DialogueSet};
use uuid::Uuid;

use super::CliError;
use crate::config::DataDir;

const FILE: &str = "demo.json";

/// Where the dialogues' derived times lie within working hours.
const TIME_ZONE: Tz = Tz::Asia__Tashkent;

/// What the slugs of all demo companies begin with.
const SLUG_PREFIX: &str = "demo-";

/// Forgets the demo that the folder holds, and nothing else. Keys stay where the sealed secrets stay: on a server.
pub(super) fn forget(folder: &DataDir, with_database: bool) -> Result<(), CliError> {
    let there = folder.read(FILE)?.is_some();
    if !there && folder.file("postgres").exists() {
        let path = folder.path().display();
        return Err(
            format!("the data folder {path} holds a database but no demo; choose another with --data-dir").into()
        );
    }
    folder.remove(&[FILE, "services"])?;
    if with_database {
        folder.remove(&["postgres", "keys"])?;
    }
    Ok(())
}

/// The demo keeps away from a database that real companies live in.
pub(super) async fn refuse_others(database: &Database) -> Result<(), CliError> {
    if TenantsReader::new(database).any_slug_without_prefix(SLUG_PREFIX).await? {
        return Err("this database holds companies that are no demo; give the demo a database of its own".into());
    }
    Ok(())
}

/// The dialogues that the demo works on.
pub(super) struct Data {
    pub(super) dialogues: Arc<DialogueSet>,
    name: String,
    fingerprint: Uuid,
}

impl Data {
    pub(super) fn load(file: Option<&Path>) -> Result<Self, CliError> {
        let (bytes, name) = match file {
            None => (simulator::DEMO_DIALOGUES.as_bytes().to_vec(), "the dialogues of the demo".to_owned()),
            Some(file) => {
                let bytes = std::fs::read(file).map_err(|error| format!("cannot read {}: {error}", file.display()))?;
                (bytes, file.display().to_string())
            }
        };
        let fingerprint = Uuid::new_v5(&Uuid::NAMESPACE_OID, &bytes);
        let dialogues = DialogueSet::parse(Cursor::new(bytes)).map_err(|error| format!("{name}: {error}"))?;
        let day = |at: DateTime<Utc>| Company::day().day_of(at);
        let (first, last) = (day(dialogues.first_message_at()), day(dialogues.last_message_at()));
        if Company::day().days(first, last).is_err() {
            return Err(format!(
                "{name}: the dialogues run from {first} to {last}, and a report covers at most {LONGEST_PERIOD_DAYS} \
                 days. Nothing was loaded; keep the dialogues of a shorter time and try again"
            )
            .into());
        }
        Ok(Self { dialogues: Arc::new(dialogues), name, fingerprint })
    }

    pub(super) fn introduction(&self) -> String {
        format!(
            "Synkro demo: {} dialogues with {} messages from {}.\n\
             CRM, messenger, storage, AI and Telegram are local stand-ins; nothing but this machine is contacted.",
            self.dialogues.len(),
            self.dialogues.message_count(),
            self.name
        )
    }

    /// A note for beside the response times, where some times say nothing about how fast people answer.
    pub(super) fn derived_times(&self) -> Option<String> {
        let derived = self.dialogues.derived_time_count();
        (derived > 0).then(|| {
            format!(
                "{derived} of {} dialogues have times that were made up for the data set; their response times say \
                 nothing about real people.",
                self.dialogues.len()
            )
        })
    }
}

/// The company as the data folder keeps it.
#[derive(Serialize, Deserialize)]
pub(super) struct Company {
    pub(super) tenant_id: TenantId,
    pub(super) owner_id: UserId,
    pub(super) slug: String,
    pub(super) email: String,
    pub(super) password: String,
    pub(super) accounts: Accounts,
    data: Uuid,
}

impl Company {
    pub(super) fn load_or_create(folder: &DataDir, data: &Data) -> Result<Self, CliError> {
        if let Some(text) = folder.read(FILE)? {
            let company: Self = serde_json::from_str(&text).map_err(|error| {
                format!("{} cannot be read ({error}); start anew with --fresh", folder.file(FILE).display())
            })?;
            if company.data != data.fingerprint {
                let path = folder.path().display();
                return Err(format!(
                    "the data folder {path} holds a demo of other dialogues; start anew with --fresh, or choose \
                     another folder with --data-dir"
                )
                .into());
            }
            return Ok(company);
        }
        let company = Self::create(data);
        folder.write(FILE, &serde_json::to_string_pretty(&company)?)?;
        Ok(company)
    }

    #[expect(clippy::disallowed_methods, reason = "a new company needs ids and a password before the system is there")]
    fn create(data: &Data) -> Self {
        let suffix: String = Uuid::new_v4().simple().to_string().chars().take(6).collect();
        Self {
            tenant_id: TenantId::from(Uuid::now_v7()),
            owner_id: UserId::from(Uuid::now_v7()),
            slug: format!("{SLUG_PREFIX}{suffix}"),
            email: format!("owner@{SLUG_PREFIX}{suffix}.example"),
            password: random_letters(),
            accounts: Accounts::generate(),
            data: data.fingerprint,
        }
    }

    /// What the company calls a day.
    pub(super) fn day() -> DayBorder {
        DayBorder { time_zone: TIME_ZONE, starts_at: NaiveTime::MIN }
    }

    /// From the day of the first message to that of the last.
    pub(super) fn whole_period(&self, data: &Data) -> (RunId, NaiveDate, NaiveDate) {
        let day = |at: DateTime<Utc>| Self::day().day_of(at);
        self.run(day(data.dialogues.first_message_at()), day(data.dialogues.last_message_at()))
    }

    /// The day on which most dialogues ended; of several the first.
    pub(super) fn busiest_day(&self, data: &Data) -> (RunId, NaiveDate, NaiveDate) {
        let mut days: BTreeMap<NaiveDate, usize> = BTreeMap::new();
        for dialogue in data.dialogues.dialogues() {
            *days.entry(Self::day().day_of(dialogue.last_at())).or_default() += 1;
        }
        let most = days.values().copied().max().unwrap_or_default();
        let day = days.into_iter().find(|(_, dialogues)| *dialogues == most).map(|(day, _)| day);
        let day = day.unwrap_or_else(|| Self::day().day_of(data.dialogues.first_message_at()));
        self.run(day, day)
    }

    /// The run's id derives from what it is about, so that a second start finds the first one's run.
    fn run(&self, first: NaiveDate, last: NaiveDate) -> (RunId, NaiveDate, NaiveDate) {
        let id = Uuid::new_v5(&self.tenant_id.uuid(), format!("run {first} {last}").as_bytes());
        (RunId::from(id), first, last)
    }

    pub(super) fn sign_in_text(&self, address: SocketAddr) -> String {
        format!(
            "\nServing on http://{address} (API documentation: http://{address}/api/v1/public/docs)\n\
             Sign in as {} with the password {}\nStop with Ctrl-C.",
            self.email, self.password
        )
    }
}

/// 74 random bits as letters: of digits alone a password would be refused now and then.
#[expect(clippy::disallowed_methods, reason = "a password that nobody else has")]
fn random_letters() -> String {
    let bytes = Uuid::new_v4().into_bytes();
    bytes[6..].iter().flat_map(|byte| [byte >> 4, byte & 15]).map(|n| char::from(b'a' + n)).collect()
}
