//! `synkro keys rotate-tenant`: all that a company has sealed is sealed anew under another data key.

use std::process::ExitCode;

use application::RequestContext;
use application::ports::clock::Ids;
use application::use_cases::{DataKeyExchanged, DataKeyProgress};
use clap::Args;
use domain::values::DisplayName;
use indicatif::{ProgressBar, ProgressStyle};
use infrastructure::event_store::LogQuery;
use infrastructure::system::SystemIds;
use serde_json::json;

use super::input::{Input, TenantRef};
use super::{CliError, open, print};
use crate::config::StorageArgs;
use crate::wire;

#[derive(Args)]
pub(super) struct RotateTenantArgs {
    /// The company, by its id or its slug.
    #[arg(value_name = "ID|SLUG")]
    tenant: String,

    /// Who does it, for the audit. Needed where the variable USER is not set, as in a container.
    #[arg(long = "as", env = "USER", value_name = "NAME")]
    operator: DisplayName,
}

pub(super) async fn rotate(storage: &StorageArgs, args: RotateTenantArgs, as_json: bool) -> Result<ExitCode, CliError> {
    let mut input = Input::default();
    let tenant = input.read("ID|SLUG", Some(&args.tenant), str::parse::<TenantRef>);
    let tenant = input.finish(tenant)?;
    let keks = open::existing_keks(storage)?;
    let (database, _folder) = open::readable_log(storage).await?;
    let done = async {
        let query = LogQuery::new(database.clone());
        let tenant_id = TenantRef::resolve(tenant, &query).await?.ok_or("there is no such company")?;
        let exchange = wire::data_key_exchange(&database, keks);
        let context = RequestContext::for_support(args.operator, SystemIds.next());
        let style = ProgressStyle::with_template("{wide_bar} {pos}/{len} values, {eta} left")?;
        let bar = ProgressBar::new(0).with_style(style);
        let show = |DataKeyProgress { done, all }: DataKeyProgress| {
            bar.set_length(all.max(done));
            bar.set_position(done);
        };
        let exchanged = exchange.exchange(&context, tenant_id, &show).await?;
        bar.finish_and_clear();
        print(&if as_json {
            let (key, sealed_anew) = exchanged.map(|done| (done.generation, done.sealed_anew)).unzip();
            json!({"tenant_id": tenant_id.uuid(), "key": key, "sealed_anew": sealed_anew}).to_string()
        } else {
            told(exchanged)
        });
        Ok(ExitCode::SUCCESS)
    };
    let done = done.await;
    database.close().await;
    done
}

fn told(exchanged: Option<DataKeyExchanged>) -> String {
    match exchanged {
        None => "There was nothing to do: the company has sealed nothing yet.".into(),
        Some(DataKeyExchanged { generation, sealed_anew }) => format!(
            "Sealed {sealed_anew} values of the company anew, under its data key number {generation}; the former key is gone."
        ),
    }
}
