use application::ports::services::{Connectors, StoredReport, StoredRows, StoredTable};
use domain::ids::{ReportId, RunId};
use domain::integration::{IntegrationSettings, SecretName};
use domain::job_run::FailureClass;
use domain::metrics::{FirstResponse, Metrics, Outcomes};
use domain::narrative::{Finding, Narrative, Topic};
use futures::TryStreamExt;
use infrastructure::connectors::supabase::{SCHEMA_VERSION, TABLES, upgrade_sql};
use simulator::{Limits, Service};

use super::scripted::{Answer, Scripted};
use super::world::{World, account, connectors, quick};

pub(crate) fn report(world: &World) -> StoredReport {
    let run_id = RunId::from(uuid::Uuid::from_u128(11));
    StoredReport {
        id: ReportId::of(run_id),
        run_id,
        period: world.whole_period(),
        headline: "Half of the customers asked about prices".into(),
        body: "# Report\n\nText with \"quotes\" and кириллица.".into(),
        metrics: Metrics {
            dialogues: 300,
            messages: 4_363,
            customer_messages: 2_000,
            agent_messages: 2_363,
            first_response: FirstResponse { answered: 290, median_seconds: Some(12), p90_seconds: None },
            unanswered: 10,
            unanswered_share: 0.0333,
            awaiting_reply: 12,
            outcomes: Outcomes { won: 1, lost: 2, open: 297 },
            languages: std::collections::BTreeMap::new(),
            agents: Vec::new(),
            hours: Vec::new(),
        },
        narrative: Narrative {
            headline: "h".into(),
            summary: "s".into(),
            topics: vec![Topic { name: "prices".into(), dialogue_ids: vec!["d1".into()] }],
            findings: vec![Finding { title: "t".into(), detail: "d".into(), dialogue_ids: Vec::new() }],
            recommendations: vec!["r".into()],
        },
    }
}

#[tokio::test]
async fn everything_is_stored_once_however_often_it_is_saved() {
    let world = World::start().await;
    let (storage, radist) = (world.storage(), world.conversations());
    let deals = world.crm().deals(world.whole_period()).try_concat().await.unwrap();
    let chats = radist.chats().try_concat().await.unwrap();
    let mut messages = Vec::new();
    for chat in &chats {
        messages.extend(radist.messages(chat.id, world.whole_period()).try_concat().await.unwrap());
    }
    for _ in 0..2 {
        storage.save_deals(&deals).await.unwrap();
        storage.save_chats(&chats).await.unwrap();
        storage.save_messages(&messages).await.unwrap();
    }
    let rows = |table| world.simulators.row_count(table);
    assert_eq!((rows("synkro_deals"), rows("synkro_contacts")), (300, 300));
    assert_eq!((rows("synkro_chats"), rows("synkro_messages")), (300, 4_363));
    let posts = world.simulators.calls().into_iter().filter(|call| call.path.contains("synkro_messages")).count();
    assert_eq!(posts, 2 * 4_363_usize.div_ceil(500));
}

#[tokio::test]
async fn a_changed_deal_replaces_its_row() {
    let world = World::start().await;
    let mut deals = world.crm().deals(world.whole_period()).try_concat().await.unwrap();
    world.storage().save_deals(&deals).await.unwrap();
    deals[0].name = "Renamed".into();
    deals[0].responsible = None;
    world.storage().save_deals(&deals[..1]).await.unwrap();

    let rows = world.simulators.rows("synkro_deals");
    let row = rows.iter().find(|row| row["id"] == deals[0].id).unwrap();
    assert_eq!((&row["name"], &row["responsible"]), (&"Renamed".into(), &serde_json::Value::Null));
    assert_eq!(rows.len(), 300);
}

#[tokio::test]
async fn a_report_comes_back_as_it_was_saved() {
    let world = World::start().await;
    let (storage, report) = (world.storage(), report(&world));
    assert_eq!(storage.report(report.id).await.unwrap(), None);
    storage.save_report(&report).await.unwrap();
    storage.save_report(&report).await.unwrap();
    assert_eq!(storage.report(report.id).await.unwrap(), Some(report));
    assert_eq!(world.simulators.row_count("synkro_reports"), 1);
}

#[tokio::test]
async fn the_check_passes_on_a_prepared_project_and_names_what_is_missing() {
    let world = World::start().await;
    world.storage().check().await.unwrap();

    let without_reports = World::start_with(Limits::default(), &TABLES[..4]).await;
    let error = without_reports.storage().check().await.unwrap_err();
    assert_eq!(error.class, FailureClass::Permanent);
    assert!(error.message.contains("synkro_reports"), "{}", error.message);
    assert!(error.advice.contains("SQL"), "{}", error.advice);
}

#[tokio::test]
async fn the_public_key_is_refused_before_anything_is_sent() {
    let world = World::start().await;
    let settings = world.settings(Service::Supabase);
    let key = world.accounts.supabase_anon_key.expose();
    let public = account(settings, domain::integration::SecretName::ServiceKey, key);
    let error = world.connectors.storage(public).map(drop).unwrap_err();
    assert_eq!(error.class, FailureClass::Auth);
    assert!(error.message.contains("public"), "{}", error.message);
    assert!(world.simulators.calls().is_empty());
}

#[tokio::test]
async fn outdated_tables_are_told_with_the_sql_to_run() {
    let world = World::start_at_version(Limits::default(), TABLES, 1).await;
    world.storage().check().await.unwrap();
    let schema = world.storage().schema().await.unwrap();
    assert_eq!((schema.version, schema.current), (Some(1), SCHEMA_VERSION));
    assert_eq!(schema.upgrade, upgrade_sql(Some(1)));
    let current = World::start().await.storage().schema().await.unwrap();
    assert_eq!((current.version, current.upgrade), (Some(SCHEMA_VERSION), None));
    let newer = World::start_at_version(Limits::default(), TABLES, SCHEMA_VERSION + 1).await;
    newer.storage().check().await.unwrap();
}

#[tokio::test]
async fn rows_are_counted_without_being_read() {
    let world = World::start().await;
    assert_eq!(world.storage().count(StoredTable::Deals).await.unwrap(), 0);
    let deals = world.crm().deals(world.whole_period()).try_concat().await.unwrap();
    world.storage().save_deals(&deals).await.unwrap();
    assert_eq!(world.storage().count(StoredTable::Deals).await.unwrap(), 300);
    assert_eq!(world.storage().count(StoredTable::Contacts).await.unwrap(), 300);
    assert_eq!(world.storage().count(StoredTable::Reports).await.unwrap(), 0);
}

#[tokio::test]
async fn rows_that_are_there_are_found_by_their_keys() {
    let world = World::start().await;
    let radist = world.conversations();
    let chats = radist.chats().try_concat().await.unwrap();
    let mut messages = Vec::new();
    for chat in &chats[..40] {
        messages.extend(radist.messages(chat.id, world.whole_period()).try_concat().await.unwrap());
    }
    messages[1].id = "a \"quoted\", odd\\ id, without \0 when it is stored".into();
    let storage = world.storage();
    storage.save_messages(&messages).await.unwrap();
    let mut keys: Vec<_> = messages.iter().map(|message| (message.chat_id, message.id.as_str())).collect();
    let all = keys.len() as u64;
    assert_eq!(storage.present(StoredRows::Messages(&keys)).await.unwrap(), all);
    keys[0].0 = keys[keys.len() - 1].0;
    keys[2].1 = "nowhere";
    assert_eq!(storage.present(StoredRows::Messages(&keys)).await.unwrap(), all - 2);
    storage.save_chats(&chats[..30]).await.unwrap();
    let ids: Vec<_> = chats.iter().map(|chat| chat.id).collect();
    assert_eq!(storage.present(StoredRows::Chats(&ids)).await.unwrap(), 30);
    let longest = world.simulators.calls().iter().map(|call| call.path.len()).max().unwrap();
    assert!((3_000..8_000).contains(&longest), "{longest}");
}

/// How many of the rows a project says to have that gives these answers, and what it was asked.
async fn present_at(answers: &[&str], rows: StoredRows<'_>) -> (u64, Vec<String>) {
    let server = Scripted::answering(answers.iter().map(|rows| Answer::json("200 OK", rows)).collect()).await;
    let settings = IntegrationSettings::Supabase { base_url: server.base.parse().unwrap() };
    let account = account(settings, SecretName::ServiceKey, "sb_secret_0123456789abcdef");
    let storage = connectors(quick()).storage(account).unwrap();
    let present = storage.present(rows).await.unwrap();
    (present, server.first_lines())
}

#[tokio::test]
async fn a_project_that_gives_two_rows_at_a_time_confirms_all_five() {
    let rows = StoredRows::Deals(&[1, 2, 3, 4, 5]);
    let answers = [r#"[{"id":1},{"id":2}]"#, r#"[{"id":4},{"id":3}]"#, r#"[{"id":5}]"#];
    let (present, asked) = present_at(&answers, rows).await;
    assert_eq!((present, asked.len()), (5, 3));
    assert!(asked[1].contains("id=in.%283%2C4%2C5%29 "), "{}", asked[1]);
    assert!(asked[2].contains("id=in.%285%29 "), "{}", asked[2]);
}

#[tokio::test]
async fn a_row_that_is_missing_is_told_apart_from_one_that_was_cut_off() {
    let rows = StoredRows::Deals(&[1, 2, 3, 4, 5]);
    let (present, asked) = present_at(&[r#"[{"id":1},{"id":2}]"#, r#"[{"id":3},{"id":5}]"#, "[]"], rows).await;
    assert_eq!((present, asked.len()), (4, 3));
}

/// Ids of messages repeat in other chats here, and those rows fill the first answer.
#[tokio::test]
async fn messages_that_nobody_asked_for_do_not_hide_those_that_are_there() {
    let keys = [(1, "a"), (2, "b"), (3, "c")];
    let others = r#"[{"chat_id":1,"message_id":"b"},{"chat_id":2,"message_id":"a"}]"#;
    let answers = [
        others,
        r#"[{"chat_id":1,"message_id":"a"}]"#,
        r#"[{"chat_id":3,"message_id":"b"},{"chat_id":2,"message_id":"c"}]"#,
        "[]",
        r#"[{"chat_id":3,"message_id":"c"}]"#,
    ];
    let (present, asked) = present_at(&answers, StoredRows::Messages(&keys)).await;
    assert_eq!((present, asked.len()), (2, 5));
    assert!(asked[3].contains("chat_id=in.%282%29&"), "{}", asked[3]);
}

#[tokio::test]
async fn both_keys_are_checked_each_for_its_purpose() {
    let world = World::start().await;
    let with_public = |key: &str| {
        let mut account = world.account(Service::Supabase);
        account.secrets.insert(SecretName::PublicKey, key.into());
        world.connectors.storage(account)
    };
    with_public(world.accounts.supabase_anon_key.expose()).unwrap().check().await.unwrap();
    let error = with_public("sb_publishable_of_another_project").unwrap().check().await.unwrap_err();
    assert_eq!(error.class, FailureClass::Auth);
    assert!(error.message.contains("the public key"), "{}", error.message);
    let asked = world.simulators.calls().len();
    let error = with_public(world.accounts.supabase_service_key.expose()).unwrap().check().await.unwrap_err();
    assert!(error.message.contains("may not be given to browsers"), "{}", error.message);
    assert_eq!(world.simulators.calls().len(), asked, "nothing is sent");
}

#[tokio::test]
async fn nothing_to_save_calls_nobody() {
    let world = World::start().await;
    world.storage().save_messages(&[]).await.unwrap();
    assert!(world.simulators.calls().is_empty());
}

#[tokio::test]
async fn work_needs_the_service_key_alone() {
    let world = World::start().await;
    let deals = world.crm().deals(world.whole_period()).try_concat().await.unwrap();
    for unusable in ["not a key", world.accounts.supabase_service_key.expose()] {
        let mut account = world.account(Service::Supabase);
        account.secrets.insert(SecretName::PublicKey, unusable.into());
        let storage = world.connectors.storage(account).unwrap();
        storage.save_deals(&deals).await.unwrap();
        assert_eq!(storage.check().await.unwrap_err().class, FailureClass::Auth);
    }
    assert_eq!(world.simulators.row_count("synkro_deals"), 300);
}
