//! The operations of `docs/openapi.json`, for tests that go through all of them.

use domain::access::PlatformPermission;
use reqwest::Method;
use serde_json::Value;
use testkit::Answer;

/// One operation as the document describes it.
pub(crate) struct Operation {
    pub(crate) id: String,
    pub(crate) method: Method,
    pub(crate) path: String,
    /// Whether it asks for no token.
    pub(crate) public: bool,
    /// The right that its description says it needs, as `resource` and `action`.
    pub(crate) right: Option<(String, String)>,
    /// The platform right that its description says staff need.
    pub(crate) platform_right: Option<PlatformPermission>,
    responses: Value,
}

/// Every operation, by name; signing out comes last, because whoever has signed out gets nothing but refusals.
pub(crate) fn operations() -> Vec<Operation> {
    let document: Value = serde_json::from_str(include_str!("../../docs/openapi.json")).unwrap();
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            operations.push(Operation {
                id: operation["operationId"].as_str().unwrap().to_owned(),
                method: method.to_uppercase().parse().unwrap(),
                path: path.clone(),
                public: operation["security"].as_array().is_none_or(Vec::is_empty),
                right: right(operation["description"].as_str().unwrap_or_default()),
                platform_right: platform_right(operation["description"].as_str().unwrap_or_default()),
                responses: operation["responses"].clone(),
            });
        }
    }
    assert!(operations.len() >= 28, "the document has lost operations");
    operations.sort_by_key(|operation| (operation.id == "sign_out", operation.id.clone()));
    operations
}

fn platform_right(description: &str) -> Option<PlatformPermission> {
    let words = description.split_whitespace().collect::<Vec<_>>().join(" ");
    let (_, rest) = words.split_once("the platform right `")?;
    Some(PlatformPermission::find(rest.split_once('`')?.0).expect("the document names a right that there is"))
}

fn right(description: &str) -> Option<(String, String)> {
    let words = description.split_whitespace().collect::<Vec<_>>().join(" ");
    let (_, rest) = words.split_once("eeds the right `")?;
    let (resource, action) = rest.split_once('`')?.0.split_once(':').expect("a right has two parts");
    Some((resource.to_owned(), action.to_owned()))
}

impl Operation {
    /// Fails unless the document knows the answer: its status, and the form of its body.
    pub(crate) fn assert_documented(&self, answer: &Answer) {
        let documented = &self.responses[answer.status.to_string()];
        assert!(documented.is_object(), "{} answers {}, which is not documented", self.id, answer.status);
        if answer.status == 204 {
            assert!(documented["content"].is_null() && answer.text.is_empty(), "{} answers something", self.id);
        } else if let Some(kind) = answer.header("content-type") {
            let kind = kind.split(';').next().unwrap();
            assert!(documented["content"][kind].is_object(), "{} answers {} as {kind}", self.id, answer.status);
        } else {
            assert!(documented["content"].is_null() && answer.text.is_empty(), "{} does not say its kind", self.id);
        }
        if answer.status >= 400 && self.id != "get_readiness" {
            answer.any_problem();
        }
        for name in documented["headers"].as_object().into_iter().flat_map(|headers| headers.keys()) {
            let required = documented["headers"][name]["required"] == true;
            assert!(!required || answer.header(name).is_some(), "{} answers without {name}", self.id);
        }
    }
}
