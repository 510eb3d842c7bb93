//! A run as the API shows it.

#![expect(clippy::missing_panics_doc, reason = "a test fails by panicking; that is what these are for")]

use serde_json::Value;

/// The body of `GET /api/v1/runs/{id}`.
#[derive(Debug, Clone)]
pub struct RunAnswer(pub Value);

impl RunAnswer {
    /// Its id.
    pub fn id(&self) -> &str {
        self.0["id"].as_str().expect("a run has an id")
    }

    /// Where it stands.
    pub fn status(&self) -> &str {
        self.0["status"].as_str().expect("a run has a status")
    }

    /// One of its steps.
    pub fn step(&self, name: &str) -> &Value {
        let steps = self.0["steps"].as_array().expect("a run has steps");
        steps.iter().find(|step| step["name"] == name).expect("a known step")
    }

    /// Where a step stands.
    pub fn step_status(&self, name: &str) -> &str {
        self.step(name)["status"].as_str().expect("a step has a status")
    }

    /// How many attempts at a step have begun.
    pub fn attempts(&self, name: &str) -> u64 {
        self.step(name)["attempts"].as_u64().expect("a step counts its attempts")
    }

    /// What a step counted.
    pub fn count(&self, step: &str, what: &str) -> u64 {
        self.step(step)["counts"][what].as_u64().expect("a completed step counts")
    }

    /// Message and advice of a step that failed.
    pub fn error(&self, step: &str) -> (&str, &str) {
        let error = &self.step(step)["error"];
        let text = |name: &str| error[name].as_str().expect("a failed step says why");
        (text("message"), text("advice"))
    }

    /// Fails unless the run and all its steps are completed.
    #[track_caller]
    pub fn assert_completed(&self) {
        assert_eq!(self.status(), "completed", "{:#}", self.0);
        let steps = self.0["steps"].as_array().expect("a run has steps");
        assert_eq!(steps.len(), 8);
        assert!(steps.iter().all(|step| step["status"] == "completed"), "{:#}", self.0);
    }

    /// Fails unless the run failed at this step: those before it completed, those after it never begun.
    #[track_caller]
    pub fn assert_failed_at(&self, name: &str) {
        assert_eq!((self.status(), self.step_status(name)), ("failed", "failed"), "{:#}", self.0);
        let number = self.step(name)["number"].as_u64();
        for step in self.0["steps"].as_array().expect("a run has steps") {
            let before = step["number"].as_u64() < number;
            let begun = step["attempts"].as_u64() > Some(0);
            assert_eq!(begun, before || step["name"] == name, "{:#}", self.0);
            assert_eq!(step["status"] == "completed", before, "{:#}", self.0);
        }
    }
}
