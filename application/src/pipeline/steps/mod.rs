//! The eight steps, one file each.

mod analyse;
mod build_package;
mod fetch_chats;
mod fetch_deals;
mod notify;
mod persist_report;
mod save_chats;
mod save_deals;

use domain::job_run::Step;

use super::attempt::StepResult;
use super::work::Work;

/// Does one step.
pub(super) async fn run(work: &Work<'_>, step: Step) -> StepResult {
    match step {
        Step::FetchDeals => fetch_deals::run(work).await,
        Step::SaveDeals => save_deals::run(work).await,
        Step::FetchChats => fetch_chats::run(work).await,
        Step::SaveChats => save_chats::run(work).await,
        Step::BuildPackage => build_package::run(work).await,
        Step::Analyse => analyse::run(work).await,
        Step::PersistReport => persist_report::run(work).await,
        Step::Notify => notify::run(work).await,
    }
}
