//! `synkro keys rotate-kek`: every tenant's data key is wrapped by the current key-encryption key.

use std::process::ExitCode;

use application::RequestContext;
use application::ports::clock::Ids;
use application::use_cases::KekProgress;
use clap::Args;
use domain::values::DisplayName;
use indicatif::{ProgressBar, ProgressStyle};
use infrastructure::system::SystemIds;
use serde_json::json;

use super::{CliError, open, print};
use crate::config::StorageArgs;
use crate::wire;

#[derive(Args)]
pub(super) struct RotateKekArgs {
    /// Who does it, for the audit. Needed where the variable USER is not set, as in a container.
    #[arg(long = "as", env = "USER", value_name = "NAME")]
    operator: DisplayName,
}

pub(super) async fn rotate(storage: &StorageArgs, args: RotateKekArgs, as_json: bool) -> Result<ExitCode, CliError> {
    let keks = open::existing_keks(storage)?;
    let (database, _folder) = open::readable_log(storage).await?;
    let done = async {
        let exchange = wire::kek_exchange(&database, keks);
        let context = RequestContext::for_support(args.operator, SystemIds.next());
        let bar = progress_bar()?;
        let show = |KekProgress { done, all }: KekProgress| {
            bar.set_length(all.max(done));
            bar.set_position(done);
        };
        let rewrapped = exchange.exchange(&context, &show).await?;
        bar.finish_and_clear();
        let kek_id = exchange.data_keys.wrapping().await.map_err(application::AppError::from)?.current;
        print(&if as_json {
            json!({"kek": kek_id, "rewrapped": rewrapped}).to_string()
        } else {
            told(&kek_id, rewrapped)
        });
        Ok(ExitCode::SUCCESS)
    };
    let done = done.await;
    database.close().await;
    done
}

/// Processes that were not restarted may have wrapped new ones with another key.
const REPEAT: &str = "Once all processes have it as their first, repeat this until there is nothing to do.";

fn progress_bar() -> Result<ProgressBar, CliError> {
    let style = ProgressStyle::with_template("{wide_bar} {pos}/{len} data keys, {eta} left")?;
    Ok(ProgressBar::new(0).with_style(style))
}

fn told(kek_id: &str, rewrapped: u64) -> String {
    match rewrapped {
        0 => format!("There was nothing to do: every data key is wrapped by {kek_id}, the first of the keys."),
        1 => format!("Wrapped 1 data key anew, with {kek_id}, the first of the keys. {REPEAT}"),
        many => format!("Wrapped {many} data keys anew, with {kek_id}, the first of the keys. {REPEAT}"),
    }
}
