//! Step 6: the AI's narrative over the package.

use domain::integration::{IntegrationKind, IntegrationSettings};
use domain::job_run::{AiCalls, Step, StepOutput};

use crate::error::PortError;
use crate::pipeline::analysis::{Analysis, Brief, Terms};
use crate::pipeline::attempt::StepResult;
use crate::pipeline::package::Package;
use crate::pipeline::work::Work;
use crate::ports::staging::put_value;

pub(super) async fn run(work: &Work<'_>) -> StepResult {
    let (staging, tenant) = (work.pipeline.staging.as_ref(), work.tenant_id());
    let package = Package::load(staging, tenant, work.staged(Step::BuildPackage)?).await?;
    let account = work.account(IntegrationKind::Ai).await?;
    let IntegrationSettings::Ai { prompt, model, prices, .. } = account.settings.clone() else {
        return Err(PortError::internal("the AI integration holds other settings").into());
    };
    let terms = Terms { prompt_version: account.version, model: model.clone(), price: prices.price() };
    work.meter.asks(terms);
    let analyst = work.pipeline.connectors.analyst(account)?;
    let brief = Brief { language: work.tenant.language, period: work.run.period, wishes: prompt };
    let analysis = Analysis::new(analyst.as_ref(), staging, tenant, brief, model, &work.meter);
    let analysed = analysis.of(&package).await?;
    let AiCalls { calls, input_tokens, output_tokens } = work.meter.total();
    let count = |count| usize::try_from(count).unwrap_or(usize::MAX);
    let counts = StepOutput::counts([
        ("calls", count(calls)),
        ("input_tokens", count(input_tokens)),
        ("output_tokens", count(output_tokens)),
    ]);
    Ok(counts.staged(put_value(staging, tenant, &analysed).await?))
}
