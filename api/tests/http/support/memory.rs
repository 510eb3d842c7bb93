//! What the test system remembers: two companies, three users, their runs and one report.

use std::collections::{BTreeMap, HashMap};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use application::ports::limits::{LimitClass, LimitSubject};
use application::ports::read_models::{ReportView, RunStatus, RunView, StepStatus, StepView, UserView};
use chrono::{DateTime, TimeDelta, Utc};
use domain::access::RoleName;
use domain::ids::{ReportId, RunId, TenantId, UserId};
use domain::job_run::{JobRun, JobRunEvent, Step};
use domain::metrics::{Metrics, compute};
use domain::narrative::Narrative;
use domain::period::{DayBorder, Period};
use domain::report::ReportKind;
use domain::user::Membership;
use domain::values::Personal;
use uuid::Uuid;

pub(crate) const OWNER: &str = "owner@acme.example";
pub(crate) const READER: &str = "reader@acme.example";
pub(crate) const STRANGER: &str = "owner@other.example";
pub(crate) const PASSWORD: &str = "correct horse battery";

pub(crate) struct Memory {
    pub(super) users: Vec<UserView>,
    pub(super) runs: Mutex<HashMap<Uuid, JobRun>>,
    pub(super) views: Mutex<Vec<(TenantId, RunView)>>,
    pub(super) log: AtomicU64,
    pub(super) ids: AtomicU64,
    /// The read models do not catch up.
    pub(crate) lagging: AtomicBool,
    /// The read model of runs could not apply the events of any run.
    pub(crate) parking: AtomicBool,
    /// Reading a list of runs fails in the database.
    pub(crate) broken: AtomicBool,
    /// Reading a list of reports panics.
    pub(crate) panicking: AtomicBool,
    /// The company's Supabase project has lost the report.
    pub(crate) text_lost: AtomicBool,
    /// No integration is set up.
    pub(crate) not_set_up: AtomicBool,
    /// The database does not answer.
    pub(crate) down: AtomicBool,
    /// The process has lost sight of the log.
    pub(crate) blind: AtomicBool,
    /// Attempts to sign in are refused.
    pub(crate) locked: AtomicBool,
    /// Events that the read models could not apply.
    pub(crate) parked: AtomicU64,
    /// The process works without its Redis.
    pub(crate) alone: AtomicBool,
    /// Budgets are used up for so long.
    pub(crate) exhausted: Mutex<Option<Duration>>,
    /// What was counted.
    pub(crate) counted: Mutex<Vec<(LimitClass, Vec<LimitSubject>)>>,
    /// The metadata of the last recorded command.
    pub(crate) recorded: Mutex<BTreeMap<&'static str, String>>,
}

pub(super) fn tenant(number: u128) -> TenantId {
    TenantId::from(Uuid::from_u128(number))
}

pub(super) fn day() -> DayBorder {
    DayBorder { time_zone: "Asia/Tashkent".parse().unwrap(), starts_at: "00:00:00".parse().unwrap() }
}

impl Memory {
    pub(super) fn new() -> Self {
        let user = |number: u128, tenant_id: TenantId, email: &str, role| UserView {
            id: UserId::from(Uuid::from_u128(number)),
            membership: Membership::Tenant { tenant_id, role },
            email: Personal::new(email.to_owned()),
            name: Personal::new("Ann".to_owned()),
            active: true,
            registered_at: now(),
        };
        Self {
            users: vec![
                user(11, tenant(1), OWNER, RoleName::owner()),
                user(12, tenant(1), READER, RoleName::user()),
                user(21, tenant(2), STRANGER, RoleName::owner()),
            ],
            runs: Mutex::default(),
            views: Mutex::default(),
            log: AtomicU64::new(0),
            ids: AtomicU64::new(1000),
            lagging: AtomicBool::new(false),
            parking: AtomicBool::new(false),
            broken: AtomicBool::new(false),
            panicking: AtomicBool::new(false),
            text_lost: AtomicBool::new(false),
            not_set_up: AtomicBool::new(false),
            down: AtomicBool::new(false),
            blind: AtomicBool::new(false),
            locked: AtomicBool::new(false),
            parked: AtomicU64::new(0),
            alone: AtomicBool::new(false),
            exhausted: Mutex::default(),
            counted: Mutex::default(),
            recorded: Mutex::default(),
        }
    }

    pub(super) fn is(flag: &AtomicBool) -> bool {
        flag.load(Ordering::SeqCst)
    }

    pub(crate) fn set(flag: &AtomicBool) {
        flag.store(true, Ordering::SeqCst);
    }

    pub(crate) fn report_id() -> ReportId {
        ReportId::of(RunId::from(Uuid::from_u128(31)))
    }

    /// The version of the run's row; 0 where there is none.
    pub(super) fn version(&self, run: Uuid) -> u64 {
        let views = self.views.lock().unwrap();
        views.iter().find(|(_, view)| view.id.uuid() == run).map_or(0, |(_, view)| view.version)
    }

    /// What the run's row says after the event; like the real read model, as far as these tests go.
    pub(super) fn project(&self, tenant_id: TenantId, event: &JobRunEvent) {
        let mut views = self.views.lock().unwrap();
        match event {
            JobRunEvent::RunStarted { run_id, kind, period, at, .. } => {
                let started_at = *at + TimeDelta::seconds(i64::try_from(views.len()).unwrap());
                views.push((tenant_id, started(*run_id, *kind, *period, started_at)));
            }
            JobRunEvent::RunCancelled { run_id, at, .. } => {
                let (_, view) = views.iter_mut().find(|(_, view)| view.id == *run_id).unwrap();
                (view.status, view.finished_at, view.version) = (RunStatus::Cancelled, Some(*at), view.version + 1);
            }
            other => panic!("no test causes {other:?}"),
        }
    }
}

fn started(id: RunId, kind: ReportKind, period: Period, started_at: DateTime<Utc>) -> RunView {
    let step = |step| StepView {
        step,
        status: StepStatus::Waiting,
        attempts: 0,
        elapsed_ms: None,
        counts: BTreeMap::new(),
        failure: None,
        retry_at: None,
    };
    let steps = Step::ALL.map(step).into();
    RunView { id, kind, period, status: RunStatus::Running, started_at, finished_at: None, version: 1, ai: None, steps }
}

pub(super) fn now() -> DateTime<Utc> {
    "2026-06-02T08:00:00Z".parse().unwrap()
}

pub(super) fn period() -> Period {
    day().days("2026-06-01".parse().unwrap(), "2026-06-01".parse().unwrap()).unwrap()
}

pub(super) fn metrics() -> Metrics {
    compute(&[], day().time_zone)
}

pub(super) fn report() -> ReportView {
    ReportView {
        id: Memory::report_id(),
        run_id: RunId::from(Uuid::from_u128(31)),
        kind: ReportKind::Daily,
        period: period(),
        headline: "A quiet day".into(),
        summary: "Nobody wrote.".into(),
        metrics: metrics(),
        model: "a-model".into(),
        prompt_version: Some(3),
        published_at: now(),
    }
}

pub(super) fn narrative() -> Narrative {
    Narrative {
        headline: "A quiet day".into(),
        summary: "Nobody wrote.".into(),
        topics: Vec::new(),
        findings: Vec::new(),
        recommendations: vec!["Write first.".into()],
    }
}
