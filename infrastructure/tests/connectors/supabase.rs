use application::ports::services::{Connectors, StoredReport};
use domain::ids::{ReportId, RunId};
use domain::job_run::FailureClass;
use domain::metrics::{FirstResponse, Metrics, Outcomes};
use domain::narrative::{Finding, Narrative, Topic};
use infrastructure::connectors::supabase::TABLES;
use simulator::{Limits, Service};

use super::world::{World, account};

fn report(world: &World) -> StoredReport {
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
    let deals = world.crm().deals(world.whole_period()).await.unwrap();
    let chats = radist.chats().await.unwrap();
    let mut messages = Vec::new();
    for chat in &chats {
        messages.extend(radist.messages(chat.id, world.whole_period()).await.unwrap());
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
    let mut deals = world.crm().deals(world.whole_period()).await.unwrap();
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
async fn nothing_to_save_calls_nobody() {
    let world = World::start().await;
    world.storage().save_messages(&[]).await.unwrap();
    assert!(world.simulators.calls().is_empty());
}
