//! What PostgREST's and PostgreSQL's error codes mean for a run (sheet §4).

use domain::job_run::FailureClass;

use crate::connectors::http::{Refusal, Verdict};

const RUN_THE_SCHEMA: &str =
    "Run the SQL from Settings → Supabase in the project's SQL editor, then start the run again";

pub(super) fn refine(refusal: &Refusal) -> Option<Verdict> {
    if refusal.status.as_u16() == 540 {
        return Some(Verdict::permanent(
            "The Supabase project is paused",
            "Restore it in the Supabase dashboard, then start the run again",
        ));
    }
    let code = refusal.body.get("code")?.as_str()?;
    let said = if refusal.words.is_empty() { code } else { &refusal.words };
    let verdict = match code {
        "PGRST205" | "42P01" => Verdict::permanent(format!("A table is missing in Supabase: {said}"), RUN_THE_SCHEMA),
        "PGRST204" | "42703" => Verdict::permanent(format!("A column is missing in Supabase: {said}"), RUN_THE_SCHEMA),
        "42P10" => Verdict::permanent(format!("A table in Supabase has lost its key: {said}"), RUN_THE_SCHEMA),
        "42501" => Verdict::new(
            FailureClass::Auth,
            format!("The service key may not do this in Supabase: {said}"),
            "Save the project's service_role or secret key in Settings → Supabase, or grant it the rights on the tables",
        ),
        "PGRST303" => Verdict::new(
            FailureClass::Auth,
            "The service key of Supabase has expired",
            "Copy a new service_role or secret key from the project's API settings and save it in Settings → Supabase",
        ),
        _ if refusal.status.is_server_error() && is_lasting(code) => Verdict::permanent(
            format!("Supabase cannot store this ({code}): {said}"),
            "Check the project's database in the Supabase dashboard; if it is fine, tell Synkro's support",
        ),
        _ => return None,
    };
    Some(verdict)
}

/// Codes that come with a 5xx although a repetition fails in the same way.
fn is_lasting(code: &str) -> bool {
    matches!(code, "PGRST300" | "21000" | "53400")
}

#[cfg(test)]
mod tests {
    use reqwest::StatusCode;
    use serde_json::json;

    use super::*;

    fn refusal(status: u16, code: &str) -> Refusal {
        Refusal {
            status: StatusCode::from_u16(status).unwrap(),
            retry_after: None,
            body: json!({"code": code, "details": null, "hint": null, "message": "words"}),
            words: "words".into(),
        }
    }

    #[test]
    fn a_missing_table_says_what_to_run() {
        let verdict = refine(&refusal(404, "PGRST205")).unwrap();
        assert_eq!(verdict.class, FailureClass::Permanent);
        assert!(verdict.message.contains("table") && verdict.advice.contains("SQL"), "{verdict:?}");
        assert!(refine(&refusal(400, "PGRST204")).unwrap().message.contains("column"));
    }

    #[test]
    fn rights_are_a_matter_of_the_key() {
        assert_eq!(refine(&refusal(403, "42501")).unwrap().class, FailureClass::Auth);
        assert_eq!(refine(&refusal(401, "PGRST303")).unwrap().class, FailureClass::Auth);
    }

    #[test]
    fn server_errors_are_told_apart() {
        assert_eq!(refine(&refusal(500, "21000")).unwrap().class, FailureClass::Permanent);
        for passing in ["40P01", "PGRST002", "57014"] {
            assert_eq!(refine(&refusal(503, passing)), None, "{passing}");
        }
    }

    #[test]
    fn a_paused_project_is_named_even_without_json() {
        let page = Refusal {
            status: StatusCode::from_u16(540).unwrap(),
            retry_after: None,
            body: serde_json::Value::Null,
            words: String::new(),
        };
        assert!(refine(&page).unwrap().message.contains("paused"));
    }
}
