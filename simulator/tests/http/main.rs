//! The simulators over real HTTP, as a connector sees them.

#![expect(clippy::unwrap_used, reason = "shared code of tests fails with the value it got, like a test")]

mod ai;
mod amocrm;
mod amocrm_oauth;
mod faults;
mod radist;
mod restart;
mod supabase;
mod telegram;

use std::{path::Path, sync::Arc};

use reqwest::{Client, RequestBuilder, Response};
use serde_json::Value;
use simulator::{
    Accounts, ColumnKind, DEMO_DIALOGUES, DialogueSet, Limits, SimulatorOptions, Simulators, TableDefinition,
};
use tempfile::TempDir;

/// Running simulators on a folder of their own.
struct Stage {
    simulators: Simulators,
    accounts: Accounts,
    client: Client,
    folder: TempDir,
}

impl Stage {
    async fn with(limits: Limits) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let accounts = Accounts::generate();
        let simulators = Simulators::start(options(folder.path(), &accounts, limits)).await.unwrap();
        Self { simulators, accounts, client: Client::new(), folder }
    }

    /// Without limits of rate, which a test that is about something else would run into.
    async fn unlimited() -> Self {
        Self::with(unlimited()).await
    }

    /// The same folder and credentials in a new set of simulators.
    async fn restarted(self) -> Self {
        let Self { simulators, accounts, folder, .. } = self;
        simulators.stop().await;
        let simulators = Simulators::start(options(folder.path(), &accounts, unlimited())).await.unwrap();
        Self { simulators, accounts, client: Client::new(), folder }
    }

    fn amocrm(&self, path: &str) -> RequestBuilder {
        let url = format!("{}{path}", self.simulators.endpoints().amocrm);
        self.client.get(url).bearer_auth(self.accounts.amocrm_token.expose())
    }

    fn radist(&self, path: &str) -> RequestBuilder {
        let url = format!("{}{path}", self.simulators.endpoints().radist);
        self.client.get(url).header("X-Api-Key", self.accounts.radist_key.expose())
    }

    fn upsert(&self, rows: &Value) -> RequestBuilder {
        let url = format!("{}/rest/v1/leads?on_conflict=id", self.simulators.endpoints().supabase);
        self.client
            .post(url)
            .header("apikey", self.accounts.supabase_service_key.expose())
            .header("Prefer", "resolution=merge-duplicates,return=minimal")
            .json(rows)
    }

    fn telegram(&self, method: &str) -> RequestBuilder {
        let token = self.accounts.telegram_token.expose();
        self.client.post(format!("{}/bot{token}/{method}", self.simulators.endpoints().telegram))
    }
}

fn unlimited() -> Limits {
    Limits {
        amocrm_per_second: Limits::NONE,
        telegram_per_second_per_chat: Limits::NONE,
        telegram_per_minute_per_group: Limits::NONE,
        ..Limits::default()
    }
}

fn options(folder: &Path, accounts: &Accounts, limits: Limits) -> SimulatorOptions {
    SimulatorOptions {
        state_dir: folder.to_path_buf(),
        dialogues: Arc::new(DialogueSet::parse(DEMO_DIALOGUES.as_bytes()).unwrap()),
        accounts: accounts.clone(),
        supabase_tables: vec![TableDefinition::new(
            "leads",
            &[("id", ColumnKind::Integer, false), ("name", ColumnKind::Text, true)],
            &["id"],
        )],
        limits,
    }
}

async fn status(request: RequestBuilder) -> u16 {
    request.send().await.unwrap().status().as_u16()
}

async fn json(request: RequestBuilder) -> Value {
    let response = request.send().await.unwrap();
    assert!(response.status().is_success(), "{}", response.status());
    response.json().await.unwrap()
}

fn header<'a>(response: &'a Response, name: &str) -> Option<&'a str> {
    response.headers().get(name).map(|value| value.to_str().unwrap())
}
