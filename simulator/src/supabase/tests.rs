use super::*;
use crate::accounts::Secret;

const SERVICE: &str = "sb_secret_test";
const ANON: &str = "sb_publishable_test";

fn project() -> (tempfile::TempDir, Supabase) {
    let folder = tempfile::tempdir().unwrap();
    let accounts = Accounts {
        supabase_service_key: Secret::new(SERVICE),
        supabase_anon_key: Secret::new(ANON),
        ..Accounts::generate()
    };
    let supabase = Supabase::open(folder.path(), &accounts, tables()).unwrap();
    (folder, supabase)
}

fn tables() -> Vec<TableDefinition> {
    vec![TableDefinition::new(
        "leads",
        &[
            ("tenant", ColumnKind::Integer, false),
            ("id", ColumnKind::Integer, false),
            ("name", ColumnKind::Text, false),
            ("price", ColumnKind::Number, true),
            ("at", ColumnKind::Timestamp, true),
        ],
        &["tenant", "id"],
    )]
}

fn post(project: &Supabase, query: &str, prefer: &str, body: &Value) -> Reply {
    let headers = [("apikey", SERVICE), ("prefer", prefer), ("content-type", "application/json")];
    let target = format!("/rest/v1/leads{query}");
    project.answer(&Incoming::example(Method::POST, &target, &headers, &body.to_string()))
}

fn get(project: &Supabase, query: &str, prefer: &str) -> Reply {
    let headers = [("apikey", SERVICE), ("prefer", prefer)];
    project.answer(&Incoming::example(Method::GET, &format!("/rest/v1/leads{query}"), &headers, ""))
}

fn ids(reply: &Reply) -> Vec<i64> {
    reply.value().as_array().unwrap().iter().map(|row| row["id"].as_i64().unwrap()).collect()
}

fn failed(reply: &Reply) -> (u16, String) {
    (reply.status.as_u16(), reply.value()["code"].as_str().unwrap().to_owned())
}

const MERGE: &str = "resolution=merge-duplicates,return=minimal";

#[test]
fn an_upsert_inserts_once_and_then_updates_only_the_given_columns() {
    let (_folder, project) = project();
    let row = json!([{"tenant": 7, "id": 1, "name": "a", "price": 5}]);
    let reply = post(&project, "?on_conflict=tenant,id", MERGE, &row);
    assert_eq!(reply.status, 201);
    assert!(reply.body.is_empty());
    assert_eq!(reply.header_value("preference-applied"), Some("resolution=merge-duplicates, return=minimal"));
    assert_eq!(reply.header_value("content-range"), Some("*/*"));

    let again = post(&project, "?on_conflict=id,tenant", MERGE, &json!({"tenant": 7, "id": 1, "name": "b"}));
    assert_eq!(again.status, 200);
    assert_eq!(project.rows("leads"), [json!({"tenant": 7, "id": 1, "name": "b", "price": 5, "at": null})]);
    let mixed = json!([{"tenant": 7, "id": 1, "name": "c"}, {"tenant": 7, "id": 2, "name": "d"}]);
    assert_eq!(post(&project, "", MERGE, &mixed).status, 201);
    assert_eq!(post(&project, "", MERGE, &json!([])).status, 200);
    assert_eq!(project.row_count("leads"), 2);
}

#[test]
fn ignored_duplicates_stay_as_they_are() {
    let (_folder, project) = project();
    let row = |name: &str| json!([{"tenant": 7, "id": 1, "name": name}]);
    let prefer = "resolution=ignore-duplicates,return=representation,count=exact";
    assert_eq!(post(&project, "", prefer, &row("a")).status, 201);
    let reply = post(&project, "", prefer, &row("b"));
    assert_eq!((reply.status.as_u16(), reply.value()), (200, json!([])));
    assert_eq!(reply.header_value("content-range"), Some("*/0"));
    assert_eq!(project.rows("leads")[0]["name"], "a");
}

#[test]
fn a_failing_row_fails_the_whole_payload() {
    let (_folder, project) = project();
    let good = json!({"tenant": 7, "id": 1, "name": "a"});
    post(&project, "", "", &good);
    let second = json!({"tenant": 7, "id": 2, "name": "b"});
    let cases = [
        ("", "", json!([second, good]), (409, "23505")),
        ("", "", json!([second, second]), (409, "23505")),
        ("", MERGE, json!([second, second]), (500, "21000")),
        ("", MERGE, json!([second, {"tenant": 7, "id": 3, "name": null}]), (400, "23502")),
        ("", MERGE, json!([second, {"tenant": 7, "id": 3}]), (400, "PGRST102")),
        ("", MERGE, json!([{"tenant": 7, "id": 3, "name": "x", "colour": 1}]), (400, "PGRST204")),
        ("?columns=tenant,id,colour", MERGE, json!([second]), (400, "PGRST204")),
        ("?on_conflict=id", MERGE, json!([second]), (400, "42P10")),
        ("", MERGE, json!([{"tenant": "x", "id": 3, "name": "x"}]), (400, "22P02")),
        ("", MERGE, json!([second, 5]), (400, "PGRST102")),
        ("", "handling=strict,colour=red", json!([second]), (400, "PGRST122")),
    ];
    for (query, prefer, body, expected) in cases {
        let reply = post(&project, query, prefer, &body);
        assert_eq!(failed(&reply), (expected.0, expected.1.to_owned()), "{body}");
        assert_eq!(project.row_count("leads"), 1, "{body}");
    }
    let details = post(&project, "", "", &good).value()["details"].clone();
    assert_eq!(details, "Key (tenant, id)=(7, 1) already exists.");
}

#[test]
fn named_columns_ignore_other_keys() {
    let (_folder, project) = project();
    let body = json!([{"tenant": 7, "id": 1, "name": "a", "extra": 1}, {"tenant": 7, "id": 2, "name": "b"}]);
    let reply = post(&project, "?columns=tenant,id,name&select=id", "return=representation", &body);
    assert_eq!((reply.status.as_u16(), reply.value()), (201, json!([{"id": 1}, {"id": 2}])));
}

fn filled() -> (tempfile::TempDir, Supabase) {
    let (folder, project) = project();
    let rows: Vec<Value> = (1..=5)
        .map(|id| {
            let price = if id == 3 { Value::Null } else { json!(10 * (6 - id)) };
            json!({"tenant": 7, "id": id, "name": format!("n,{id}"), "price": price,
                   "at": format!("2026-06-0{id}T00:00:00Z")})
        })
        .collect();
    assert_eq!(post(&project, "", "", &json!(rows)).status, 201);
    (folder, project)
}

#[test]
fn reads_are_filtered_ordered_and_cut() {
    let (_folder, project) = filled();
    let cases: [(&str, &[i64]); 10] = [
        ("", &[1, 2, 3, 4, 5]),
        ("?id=eq.2", &[2]),
        ("?id=in.(1,5)&tenant=eq.7", &[1, 5]),
        ("?name=in.(\"n,4\",x)", &[4]),
        ("?id=gte.2&id=lt.4", &[2, 3]),
        ("?at=gte.2026-06-04T05:00:00%2B05:00", &[4, 5]),
        ("?price=is.null", &[3]),
        ("?price=not.eq.50", &[2, 4, 5]),
        ("?order=price.asc", &[5, 4, 2, 1, 3]),
        ("?order=price.desc&limit=2&offset=1", &[1, 2]),
    ];
    for (query, expected) in cases {
        assert_eq!(ids(&get(&project, query, "")), expected, "{query}");
    }
    assert_eq!(get(&project, "?select=name&id=eq.1", "").value(), json!([{"name": "n,1"}]));
    for (query, code) in [("?colour=eq.1", "42703"), ("?select=colour", "42703"), ("?id=like.1", "PGRST100")] {
        assert_eq!(failed(&get(&project, query, "")), (400, code.to_owned()));
    }
}

#[test]
fn content_range_follows_the_count() {
    let (_folder, project) = filled();
    let cases = [
        ("?limit=2", "", 200, "0-1/*"),
        ("?limit=2&offset=2", "count=exact", 206, "2-3/5"),
        ("", "count=exact", 200, "0-4/5"),
        ("?id=eq.99", "count=exact", 200, "*/0"),
        ("?limit=0", "", 200, "*/*"),
        ("?offset=9", "", 200, "*/*"),
    ];
    for (query, prefer, status, range) in cases {
        let reply = get(&project, query, prefer);
        assert_eq!((reply.status.as_u16(), reply.header_value("content-range")), (status, Some(range)), "{query}");
    }
    assert_eq!(failed(&get(&project, "?offset=9", "count=exact")), (416, "PGRST103".to_owned()));
}

#[test]
fn keys_decide_what_a_caller_may() {
    let (_folder, project) = filled();
    let call = |headers: &[(&'static str, &str)], method: Method| {
        project.answer(&Incoming::example(method, "/rest/v1/leads", headers, "[]"))
    };
    assert_eq!(call(&[], Method::GET).value()["message"], "No API key found in request");
    assert_eq!(call(&[("apikey", "sb_secret_other")], Method::GET).value()["message"], "Invalid API key");
    let browser = [("apikey", SERVICE), ("user-agent", "Mozilla/5.0")];
    assert_eq!(call(&browser, Method::GET).status, 401);
    let foreign = [("apikey", SERVICE), ("authorization", "Bearer something")];
    assert_eq!(call(&foreign, Method::GET).status, 401);
    let same = [("apikey", SERVICE), ("authorization", "Bearer sb_secret_test")];
    assert_eq!(ids(&call(&same, Method::GET)).len(), 5);

    let anonymous = call(&[("apikey", ANON)], Method::GET);
    assert_eq!((anonymous.status.as_u16(), anonymous.value()), (200, json!([])));
    let refused = call(&[("apikey", ANON)], Method::POST);
    assert_eq!(failed(&refused), (401, "42501".to_owned()));
    assert_eq!(refused.header_value("www-authenticate"), Some("Bearer"));
}

#[test]
fn an_unknown_table_is_named_with_a_hint() {
    let (_folder, project) = project();
    let headers = [("apikey", SERVICE)];
    let reply = project.answer(&Incoming::example(Method::GET, "/rest/v1/lead", &headers, ""));
    assert_eq!(failed(&reply), (404, "PGRST205".to_owned()));
    assert_eq!(reply.value()["hint"], "Perhaps you meant the table 'public.leads'");
    assert_eq!(reply.header_value("proxy-status"), Some("PostgREST; error=PGRST205"));
}

#[test]
fn rows_outlive_the_project_and_unchanged_ones_are_not_written_again() {
    let (folder, project) = filled();
    let path = folder.path().join("supabase.ndjson");
    let before = std::fs::metadata(&path).unwrap().len();
    let rows = project.rows("leads");
    assert_eq!(post(&project, "", MERGE, &Value::Array(rows.clone())).status, 200);
    assert_eq!(std::fs::metadata(&path).unwrap().len(), before);
    drop(project);
    let again = Store::open(&path, tables()).unwrap();
    assert_eq!(again.rows("leads"), rows);
}

#[test]
fn rows_that_the_keys_index_finds_are_those_that_a_look_at_all_rows_finds() {
    let (_folder, project) = project();
    let row = |tenant: i64, id: i64| json!({"tenant": tenant, "id": id, "name": format!("n{id}"), "price": id});
    let rows: Vec<Value> = (0..60).map(|id| row(id % 3, id)).collect();
    post(&project, "?on_conflict=tenant,id", MERGE, &Value::Array(rows));
    post(&project, "?on_conflict=tenant,id", MERGE, &json!([row(2, 59)]));
    let same = |found: &str, expected: Vec<i64>| assert_eq!(ids(&get(&project, found, "")), expected, "{found}");
    same("?tenant=eq.1", (0..60).filter(|id| id % 3 == 1).collect());
    same("?tenant=in.(2,0,2)&id=in.(59,4,6)", vec![6, 59]);
    same("?tenant=not.eq.1&id=lt.4", vec![0, 2, 3]);
    same("?tenant=eq.9", Vec::new());
    same("?id=eq.7", vec![7]);
}
