use std::collections::{BTreeMap, BTreeSet};

use application::ports::services::{Connectors, Crm};
use chrono::{NaiveTime, TimeDelta};
use domain::integration::{IntegrationSettings, SecretName};
use domain::metrics::Outcome;
use domain::period::Period;
use futures::TryStreamExt;
use simulator::{Fault, FaultKind, Service};

use super::scripted::{Answer, Scripted};
use super::world::{World, account, connectors, quick};

#[tokio::test]
async fn all_deals_come_once_with_their_people() {
    let world = World::start().await;
    let deals = world.crm().deals(world.whole_period()).try_concat().await.unwrap();

    assert_eq!(deals.len(), 300);
    assert_eq!(deals.iter().map(|deal| deal.id).collect::<BTreeSet<_>>().len(), 300);
    let phones: BTreeSet<_> = deals
        .iter()
        .flat_map(|deal| &deal.contacts)
        .flat_map(|contact| &contact.phones)
        .map(ToString::to_string)
        .collect();
    let expected: BTreeSet<_> = world.dialogues.dialogues().iter().map(|dialogue| dialogue.phone.clone()).collect();
    assert_eq!(phones, expected);
    for outcome in [Outcome::Won, Outcome::Lost, Outcome::Open] {
        assert!(deals.iter().any(|deal| deal.outcome == outcome), "{outcome:?}");
    }
    assert!(deals.iter().all(|deal| deal.responsible.is_some()));
    assert!(world.answers(Service::Amocrm).iter().all(|status| *status == Some(200)), "calls were refused");
}

#[tokio::test]
async fn one_day_holds_the_deals_that_changed_on_it() {
    let world = World::start().await;
    let mut days: BTreeMap<_, usize> = BTreeMap::new();
    for dialogue in world.dialogues.dialogues() {
        *days.entry(dialogue.last_at().date_naive()).or_default() += 1;
    }
    let (day, expected) = days.into_iter().max_by_key(|(_, count)| *count).unwrap();
    let from = day.and_time(NaiveTime::MIN).and_utc();
    let period = Period { from, to: from + TimeDelta::days(1) };

    let deals = world.crm().deals(period).try_concat().await.unwrap();
    assert_eq!(deals.len(), expected);
    assert!(deals.iter().all(|deal| period.contains(deal.updated_at)));
}

#[tokio::test]
async fn a_period_without_deals_is_empty() {
    let world = World::start().await;
    let to = world.whole_period().from;
    let deals = world.crm().deals(Period { from: to - TimeDelta::days(30), to }).try_concat().await.unwrap();
    assert!(deals.is_empty());
    assert_eq!(world.answers(Service::Amocrm), [Some(204)]);
}

#[tokio::test]
async fn the_check_reads_account_deals_and_users() {
    let world = World::start().await;
    assert_eq!(world.crm().check().await.unwrap(), None);
    assert_eq!(world.answers(Service::Amocrm), [Some(200); 3]);
}

#[tokio::test]
async fn a_token_that_may_not_read_users_works_and_an_administrators_is_asked_for() {
    // A page for people is a refusal as well.
    for (body, media_type) in [("{}", "application/json"), ("<html>no</html>", "text/html")] {
        let world = World::start().await;
        let headers = vec![("content-type".into(), media_type.into())];
        let kind = FaultKind::Status { status: 403, body: body.into(), headers };
        let path_contains = Some("/api/v4/users".into());
        world.simulators.faults().inject(Fault { service: Service::Amocrm, path_contains, kind, times: None });
        let attention = world.crm().check().await.unwrap().unwrap();
        assert!(attention.contains("managers' names") && attention.contains("administrator"), "{attention}");
        assert_eq!(world.answers(Service::Amocrm), [Some(200), Some(200), Some(403)]);
    }
}

fn crm_at(server: &Scripted) -> Box<dyn Crm> {
    let settings = IntegrationSettings::Amocrm { base_url: server.base.parse().unwrap(), client_id: None };
    connectors(quick()).crm(account(settings, SecretName::AccessToken, "token-0123456789")).unwrap()
}

fn period(from: i64, to: i64) -> Period {
    let at = |seconds| chrono::DateTime::from_timestamp(seconds, 0).unwrap();
    Period { from: at(from), to: at(to) }
}

#[tokio::test]
async fn a_lead_without_embedded_contacts_is_asked_for_them_and_names_may_be_forbidden() {
    let server = Scripted::answering(vec![
        Answer::json("200 OK", r#"{"_embedded":{"leads":[{"id":1,"updated_at":150,"responsible_user_id":9}]}}"#),
        Answer::json("200 OK", r#"{"_embedded":{"links":[{"to_entity_id":5,"to_entity_type":"contacts"}]}}"#),
        Answer::json("200 OK", r#"{"id":1,"subdomain":"demo","country":"US"}"#),
        Answer::json(
            "200 OK",
            r#"{"_embedded":{"contacts":[{"id":5,"name":"Ann","custom_fields_values":[
            {"field_code":"PHONE","values":[{"value":"(201) 555-0100"}]}]}]}}"#,
        ),
        Answer::json("403 Forbidden", r#"{"title":"Forbidden","status":403}"#),
    ])
    .await;
    let deals = crm_at(&server).deals(period(100, 200)).try_concat().await.unwrap();

    assert_eq!(deals.len(), 1);
    assert_eq!(deals[0].contacts[0].phones[0].as_str(), "+12015550100");
    assert_eq!(deals[0].responsible, None);
    assert!(server.first_lines()[1].starts_with("GET /api/v4/leads/1/links "));
    assert_eq!(server.requests().len(), 5);
}

const NEXT: &str = r#","_links":{"next":{"href":"https://evil.example/api/v4/leads?page=2&limit=250"}}"#;

/// Leads with the second of their change.
fn page(leads: &[(i64, i64)], tail: &str) -> Answer {
    let lead = |(id, at): &(i64, i64)| format!(r#"{{"id":{id},"updated_at":{at},"_embedded":{{"contacts":[]}}}}"#);
    let leads: Vec<String> = leads.iter().map(lead).collect();
    Answer::json("200 OK", &format!(r#"{{"_embedded":{{"leads":[{}]}}{tail}}}"#, leads.join(",")))
}

#[tokio::test]
async fn pages_go_on_from_the_last_second_and_never_to_another_host() {
    let users = Answer::Bytes("HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n".into());
    let server = Scripted::answering(vec![
        page(&[(1, 110), (2, 150)], NEXT),
        users,
        page(&[(2, 150), (3, 150)], NEXT),
        page(&[(4, 190)], ""),
    ])
    .await;
    let deals = crm_at(&server).deals(period(100, 200)).try_concat().await.unwrap();

    assert_eq!(deals.iter().map(|deal| deal.id).collect::<Vec<_>>(), [1, 2, 3, 4]);
    let lines = server.first_lines();
    assert!(lines[0].contains("%5Bfrom%5D=100&filter%5Bupdated_at%5D%5Bto%5D=199"), "{}", lines[0]);
    assert!(lines[2].contains("%5Bfrom%5D=150"), "{}", lines[2]);
    assert!(lines[3].contains("%5Bfrom%5D=150") && lines[3].ends_with("&page=2 HTTP/1.1"), "{}", lines[3]);
}

/// The first page of second 150 holds only what was given, and the third one only deals that were deleted: neither is the end.
#[tokio::test]
async fn every_dense_second_is_read_to_its_end_by_pages_of_its_own() {
    let users = Answer::Bytes("HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n".into());
    let deleted = r#"{"id":9,"updated_at":150,"is_deleted":true}"#;
    let server = Scripted::answering(vec![
        page(&[(1, 150), (2, 150)], NEXT),
        users,
        page(&[(1, 150), (2, 150)], NEXT),
        page(&[(3, 150)], NEXT),
        Answer::json("200 OK", &format!(r#"{{"_embedded":{{"leads":[{deleted}]}}{NEXT}}}"#)),
        page(&[(4, 150), (5, 160)], NEXT),
        page(&[(5, 160), (6, 160)], NEXT),
        page(&[(7, 160)], ""),
    ])
    .await;
    let deals = crm_at(&server).deals(period(100, 200)).try_concat().await.unwrap();

    assert_eq!(deals.iter().map(|deal| deal.id).collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6, 7]);
    let lines = server.first_lines();
    let asked = |line: &String, from: i64, page: &str| {
        let query = format!("%5Bfrom%5D={from}&filter%5Bupdated_at%5D%5Bto%5D=199{page} HTTP/1.1");
        assert!(line.ends_with(&query), "{line}");
    };
    asked(&lines[0], 100, "");
    asked(&lines[2], 150, "");
    asked(&lines[3], 150, "&page=2");
    asked(&lines[4], 150, "&page=3");
    asked(&lines[5], 150, "&page=4");
    asked(&lines[6], 160, "");
    asked(&lines[7], 160, "&page=2");
    assert_eq!(lines.len(), 8);
}

#[tokio::test]
async fn a_deal_that_changes_while_it_is_read_comes_again_and_one_that_does_not_comes_once() {
    let users = Answer::Bytes("HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n".into());
    let server = Scripted::answering(vec![
        page(&[(1, 110), (2, 120), (3, 150)], NEXT),
        users,
        page(&[(3, 150), (4, 160)], NEXT),
        page(&[(4, 160), (1, 170)], ""),
    ])
    .await;
    let deals = crm_at(&server).deals(period(100, 200)).try_concat().await.unwrap();
    let given: Vec<_> = deals.iter().map(|deal| (deal.id, deal.updated_at.timestamp())).collect();
    assert_eq!(given, [(1, 110), (2, 120), (3, 150), (4, 160), (1, 170)]);
}

#[tokio::test]
async fn a_service_that_always_names_the_same_page_is_found_out() {
    let users = Answer::Bytes("HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n".into());
    let server = Scripted::answering(vec![page(&[(1, 100)], NEXT), users, page(&[(1, 100)], NEXT)]).await;
    let error = crm_at(&server).deals(period(100, 200)).try_concat().await.unwrap_err();
    assert!(error.message.contains("again and again"), "{}", error.message);
}

#[tokio::test]
async fn a_page_is_asked_for_when_it_is_waited_for() {
    let world = World::start().await;
    let crm = world.crm();
    let mut pages = crm.deals(world.whole_period());
    assert!(world.answers(Service::Amocrm).is_empty());
    let leads = || world.simulators.calls().iter().filter(|call| call.path.starts_with("/api/v4/leads?")).count();
    assert_eq!(pages.try_next().await.unwrap().unwrap().len(), 250);
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    assert_eq!(leads(), 1);
    assert_eq!(pages.try_next().await.unwrap().unwrap().len(), 50);
    assert!(pages.try_next().await.unwrap().is_none());
    assert_eq!(leads(), 2);
}
