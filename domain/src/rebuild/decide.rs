use super::{
    FinishRebuild, Rebuild, RebuildCommand, RebuildError, RebuildEvent, RebuildGoal, RebuildOutcome, StartRebuild,
};

impl Rebuild {
    /// The events that a command causes in this situation.
    pub fn decide(&self, command: RebuildCommand) -> Result<Vec<RebuildEvent>, RebuildError> {
        match command {
            RebuildCommand::Start(new) => self.start(new),
            RebuildCommand::Finish(end) => self.finish(end),
        }
    }

    fn start(&self, new: StartRebuild) -> Result<Vec<RebuildEvent>, RebuildError> {
        let StartRebuild { rebuild_id, projection, scope, goal, reason, at } = new;
        if *self != Self::Absent {
            return Err(RebuildError::AlreadyStarted);
        }
        if goal == RebuildGoal::Exchange && reason.is_none() {
            return Err(RebuildError::ReasonMissing);
        }
        Ok(vec![RebuildEvent::RebuildStarted { rebuild_id, projection, scope, goal, reason, at }])
    }

    fn finish(&self, end: FinishRebuild) -> Result<Vec<RebuildEvent>, RebuildError> {
        let FinishRebuild { outcome, tenants_differing, rows_differing, at } = end;
        match self {
            Self::Absent => Err(RebuildError::NotFound),
            Self::Finished(_, earlier) if *earlier == outcome => Ok(Vec::new()),
            Self::Finished(..) => Err(RebuildError::AlreadyFinished),
            Self::Started(details) if details.goal == RebuildGoal::Verify && outcome == RebuildOutcome::Exchanged => {
                Err(RebuildError::OnlyVerifies)
            }
            Self::Started(details) => {
                let rebuild_id = details.rebuild_id;
                let end = RebuildEvent::RebuildFinished { rebuild_id, outcome, tenants_differing, rows_differing, at };
                Ok(vec![end])
            }
        }
    }
}
