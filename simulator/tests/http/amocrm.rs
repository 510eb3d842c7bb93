use std::collections::HashSet;

use serde_json::Value;
use simulator::Limits;

use crate::{Stage, header, json, status};

#[tokio::test]
async fn all_deals_are_reached_by_following_the_links() {
    let stage = Stage::unlimited().await;
    let mut path = "/api/v4/leads?limit=250&with=contacts&order[updated_at]=asc".to_owned();
    let (mut ids, mut times, mut pages) = (HashSet::new(), Vec::new(), 0);
    loop {
        let page = json(stage.amocrm(&path)).await;
        pages += 1;
        for lead in page["_embedded"]["leads"].as_array().unwrap() {
            ids.insert(lead["id"].as_i64().unwrap());
            times.push(lead["updated_at"].as_i64().unwrap());
            assert_eq!(lead["_embedded"]["contacts"].as_array().unwrap().len(), 1);
            assert_eq!(lead["closed_at"].is_null(), !matches!(lead["status_id"].as_i64(), Some(142 | 143)));
        }
        let Some(next) = page["_links"]["next"]["href"].as_str() else { break };
        path = next.strip_prefix(stage.simulators.endpoints().amocrm.as_str()).unwrap().to_owned();
    }
    assert_eq!((ids.len(), times.len(), pages), (300, 300, 2));
    assert!(times.is_sorted());
}

#[tokio::test]
async fn an_empty_page_is_204_without_a_body() {
    let stage = Stage::unlimited().await;
    for path in ["/api/v4/leads?page=99", "/api/v4/leads?filter[updated_at][to]=5", "/api/v4/contacts?filter[id][]=1"] {
        let response = stage.amocrm(path).send().await.unwrap();
        assert_eq!(response.status(), 204, "{path}");
        assert!(response.bytes().await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn the_range_of_change_times_is_inclusive() {
    let stage = Stage::unlimited().await;
    let all = json(stage.amocrm("/api/v4/leads?limit=250")).await;
    let at = all["_embedded"]["leads"][7]["updated_at"].as_i64().unwrap();
    let path = format!("/api/v4/leads?filter[updated_at][from]={at}&filter[updated_at][to]={at}");
    let found = json(stage.amocrm(&path)).await;
    let leads = found["_embedded"]["leads"].as_array().unwrap();
    assert!(leads.iter().any(|lead| lead["id"] == all["_embedded"]["leads"][7]["id"]));
    assert!(leads.iter().all(|lead| lead["updated_at"] == at));
}

#[tokio::test]
async fn links_lead_to_a_contact_with_a_phone() {
    let stage = Stage::unlimited().await;
    let lead = json(stage.amocrm("/api/v4/leads?limit=1")).await["_embedded"]["leads"][0].clone();
    assert!(lead["_embedded"].get("contacts").is_none());
    let links = json(stage.amocrm(&format!("/api/v4/leads/{}/links", lead["id"]))).await;
    let link = &links["_embedded"]["links"][0];
    assert_eq!((&link["to_entity_type"], &link["metadata"]["main_contact"]), (&"contacts".into(), &true.into()));
    for spelling in ["filter[id][]", "filter[id][0]"] {
        let path = format!("/api/v4/contacts?{spelling}={}", link["to_entity_id"]);
        let contact = json(stage.amocrm(&path)).await["_embedded"]["contacts"][0].clone();
        assert_eq!(contact["id"], link["to_entity_id"]);
        assert_eq!(contact["custom_fields_values"][0]["field_code"], "PHONE");
        assert!(contact["custom_fields_values"][0]["values"][0]["value"].as_str().unwrap().len() >= 12);
    }
    assert_eq!(status(stage.amocrm("/api/v4/leads/1/links")).await, 404);
}

#[tokio::test]
async fn every_deal_belongs_to_a_user() {
    let stage = Stage::unlimited().await;
    let users = json(stage.amocrm("/api/v4/users?limit=250")).await;
    let users: HashSet<i64> =
        users["_embedded"]["users"].as_array().unwrap().iter().map(|user| user["id"].as_i64().unwrap()).collect();
    let leads = json(stage.amocrm("/api/v4/leads?limit=250")).await;
    let responsible = |lead: &Value| users.contains(&lead["responsible_user_id"].as_i64().unwrap());
    assert!(leads["_embedded"]["leads"].as_array().unwrap().iter().all(responsible));
    assert_eq!(json(stage.amocrm("/api/v4/account")).await["subdomain"], "demo");
}

#[tokio::test]
async fn a_wrong_token_is_a_problem() {
    let stage = Stage::unlimited().await;
    let url = format!("{}/api/v4/account", stage.simulators.endpoints().amocrm);
    let response = stage.client.get(url).bearer_auth("wrong").send().await.unwrap();
    assert_eq!(response.status(), 401);
    assert_eq!(header(&response, "content-type"), Some("application/problem+json"));
    let problem: Value = response.json().await.unwrap();
    assert_eq!((&problem["status"], &problem["title"]), (&401.into(), &"Unauthorized".into()));
}

#[tokio::test]
async fn the_eighth_request_of_a_second_is_refused_and_the_stubborn_are_blocked() {
    let stage = Stage::with(Limits::default()).await;
    let mut seen = Vec::new();
    for _ in 0..19 {
        seen.push(status(stage.amocrm("/api/v4/account")).await);
    }
    assert_eq!(seen[..7], [200; 7]);
    assert_eq!(seen[7..17], [429; 10]);
    assert_eq!(seen[17..], [403; 2]);
}
