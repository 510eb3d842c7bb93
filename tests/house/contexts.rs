//! A request context says who asks and for which tenant, and every right is checked on it. So it is made where that is known,
//! and nowhere else.

use crate::{assert_none, assert_one, repository};

/// What makes a context, or the proof that one is made from, and the files that may use it. Tests and what they share may use
/// all of them.
const MAKERS: [(&str, &[&str]); 8] = [
    ("RequestContext::for_request(", &["api/src/identity.rs", "application/src/use_cases/open_session.rs"]),
    ("RequestContext::for_api_key(", &["api/src/identity.rs"]),
    (
        "RequestContext::for_system(",
        &[
            "application/src/pipeline/run_stopper.rs",
            "application/src/pipeline/worker.rs",
            "application/src/use_cases/accept_invitation.rs",
            "application/src/use_cases/change_email.rs",
            "application/src/use_cases/keep_tokens.rs",
            "application/src/use_cases/refresh_session.rs",
            "application/src/use_cases/register_company.rs",
            "application/src/use_cases/reset_password.rs",
            "application/src/use_cases/sign_in.rs",
            "src/cli/demo/provision.rs",
        ],
    ),
    (
        "RequestContext::for_support(",
        &[
            "src/cli/data_key.rs",
            "src/cli/kek.rs",
            "src/cli/projections/rebuild.rs",
            "src/cli/staff.rs",
            "src/cli/tenants.rs",
        ],
    ),
    ("Authenticated::by(", &["application/src/use_cases/authenticate.rs", "application/src/use_cases/open_session.rs"]),
    ("AuthenticatedKey::by(", &["application/src/use_cases/authenticate.rs"]),
    ("impl ApiKeysInForce for", &["infrastructure/src/identity/live_api_keys.rs"]),
    ("impl Tokens for", &["infrastructure/src/identity/tokens.rs"]),
];

/// Where contexts are defined and tried.
const DEFINITION: [&str; 2] = ["application/src/context.rs", "application/src/context/tests.rs"];

fn faults(path: &str, code: &str) -> Vec<String> {
    if is_test_support(path) || DEFINITION.contains(&path) {
        return Vec::new();
    }
    let found = MAKERS.iter().filter(|(maker, places)| code.contains(maker) && !places.contains(&path));
    found
        .map(|(maker, places)| {
            format!(
                "{path}: `{maker}…` is for {places:?} alone. Take the context as an argument; if this is a new place where it \
                 is known who asks, name it in MAKERS in tests/house/contexts.rs, and say in its review why"
            )
        })
        .collect()
}

fn is_test_support(path: &str) -> bool {
    path.split('/').any(|folder| ["tests", "testkit", "bench"].contains(&folder))
}

#[test]
fn contexts_are_made_where_it_is_known_who_asks() {
    let files = repository::files("", ".rs");
    let all: Vec<String> = files.iter().flat_map(|path| faults(path, &repository::read(path))).collect();
    assert_none(&all);
}

#[test]
fn every_place_that_may_make_a_context_does() {
    for (maker, places) in MAKERS {
        for place in places {
            assert!(repository::read(place).contains(maker), "{place} does not use `{maker}` any more: remove it");
        }
    }
}

#[test]
fn a_context_that_is_made_elsewhere_is_found() {
    let forged = "let context = RequestContext::for_request(user, id, client, None);";
    assert_one(&faults("api/src/rest/runs.rs", forged), &["api/src/rest/runs.rs", "for_request", "identity.rs"]);
    assert_one(&faults("src/wire.rs", "impl Tokens for Trusting {"), &["src/wire.rs", "tokens.rs"]);
    assert_none(&faults("api/src/identity.rs", forged));
    assert_none(&faults("infrastructure/tests/database/receipts.rs", forged));
}
