use chrono::{DateTime, Utc};

use super::changes::changed as differences;
use super::{
    Access, Authorize, CheckOutcome, Configure, Configured, IntegrationCommand, IntegrationConfig, IntegrationError,
    IntegrationEvent, IntegrationSettings, MovedGroup, Renew, SecretName, SecretRef, TokenPairRef, TrialRecord,
    WriteRecord,
};
use crate::error::FieldError;
use crate::ids::SecretId;

impl IntegrationConfig {
    /// The events that a command causes in this situation.
    pub fn decide(&self, command: IntegrationCommand) -> Result<Vec<IntegrationEvent>, IntegrationError> {
        match command {
            IntegrationCommand::Configure(config) => self.configure(config),
            IntegrationCommand::Authorize(new) => self.authorize(new),
            IntegrationCommand::Renew(new) => self.renew(new),
            IntegrationCommand::LoseAccess { refresh_token, reason, at } => self.lose_access(refresh_token, reason, at),
            IntegrationCommand::FollowGroup(moved) => self.follow_group(moved),
            IntegrationCommand::RecordCheck { version, outcome, attention, at } => {
                self.record_check(version, outcome, attention, at)
            }
            IntegrationCommand::RecordTrial(record) => self.record_trial(record),
            IntegrationCommand::RecordWrite(record) => self.record_write(record),
        }
    }

    fn configure(&self, new: Configure) -> Result<Vec<IntegrationEvent>, IntegrationError> {
        let Configure { tenant_id, settings, secrets: changed, expected, at } = new;
        let current = self.configured().map_or(0, |current| current.version);
        if expected.is_some_and(|expected| expected != current) {
            return Err(IntegrationError::Changed { current });
        }
        if self.configured().is_some_and(|current| current.settings.kind() != settings.kind()) {
            return Err(IntegrationError::KindIsFixed);
        }
        let given: Vec<SecretName> = changed.iter().map(|secret| secret.name).collect();
        let mut problems = settings.problems();
        problems.extend(self.secret_problems(&settings, &given));
        if !problems.is_empty() {
            return Err(IntegrationError::Invalid(problems));
        }
        let mut secrets = self.kept(&settings, &given);
        secrets.extend(&changed);
        let version = match self.configured() {
            Some(current) if current.settings == settings && current.secrets == secrets => return Ok(Vec::new()),
            Some(current) => current.version + 1,
            None => 1,
        };
        let changed = differences(self.configured(), &settings, &secrets);
        Ok(vec![IntegrationEvent::IntegrationConfigured { tenant_id, version, settings, secrets, changed, at }])
    }

    /// Every bad secret of these settings, where people give these secrets and leave the others as they are.
    pub fn secret_problems(&self, settings: &IntegrationSettings, given: &[SecretName]) -> Vec<FieldError> {
        let kept = self.kept(settings, given);
        let is_there = |name| given.contains(&name) || kept.iter().any(|secret| secret.name == name);
        let mut problems = Vec::new();
        for &needed in settings.needed_secrets().iter().filter(|needed| !is_there(**needed)) {
            let was_there = self
                .configured()
                .is_some_and(|it| !it.settings.is_at_the_place_of(settings) && it.secret(needed).is_some());
            let message =
                if was_there { "must be given again: the address or the provider is another" } else { "must be given" };
            problems.push(FieldError::new(format!("secrets.{}", needed.name()), message));
        }
        for &name in given.iter().filter(|name| !settings.given_secrets().contains(name)) {
            problems.push(FieldError::new(format!("secrets.{}", name.name()), refusal(settings, name)));
        }
        problems
    }

    /// The stored secrets that these settings go on with. They go where they were given for and nowhere else: with another
    /// address or provider each has to be given again, or whoever may change settings could have them sent to a server of
    /// their own. Tokens belong to the integration that was authorized: another
    /// one, another secret of it, or a long-lived token instead, and they are of no use any more.
    fn kept(&self, settings: &IntegrationSettings, changed: &[SecretName]) -> Vec<SecretRef> {
        let Some(current) = self.configured().filter(|current| current.settings.is_at_the_place_of(settings)) else {
            return Vec::new();
        };
        let is_changed = |name| changed.contains(&name);
        let same_app = settings.client_id() == current.settings.client_id() && !is_changed(SecretName::ClientSecret);
        let same_way = settings.is_authorized_there() == current.settings.is_authorized_there();
        let goes_on = |name| match name {
            SecretName::RefreshToken => same_app,
            SecretName::AccessToken => same_way && (same_app || !settings.is_authorized_there()),
            SecretName::ClientSecret => settings.is_authorized_there(),
            SecretName::ServiceKey | SecretName::PublicKey | SecretName::ApiKey | SecretName::BotToken => true,
        };
        let kept = current.secrets.iter().filter(|secret| !is_changed(secret.name) && goes_on(secret.name));
        kept.copied().collect()
    }

    fn authorize(&self, new: Authorize) -> Result<Vec<IntegrationEvent>, IntegrationError> {
        let Authorize { client_id, base_url, tokens, authorized_by, at } = new;
        let current = self.configured().ok_or(IntegrationError::NotConfigured)?;
        if current.settings.client_id() != Some(client_id.as_str()) {
            return Err(IntegrationError::AppChanged);
        }
        if current.secret(SecretName::RefreshToken) == Some(tokens.refresh_token) {
            return Ok(Vec::new());
        }
        Ok(vec![IntegrationEvent::IntegrationAuthorized {
            tenant_id: current.tenant_id,
            version: current.version + 1,
            settings: current.settings.clone().at(base_url),
            secrets: with_tokens(current, tokens),
            expires_at: tokens.expires_at,
            authorized_by,
            at,
        }])
    }

    /// Whoever comes late with tokens for a refresh token that is no longer the one of now changes nothing.
    fn renew(&self, new: Renew) -> Result<Vec<IntegrationEvent>, IntegrationError> {
        let Renew { replaces, base_url, tokens, at } = new;
        let current = self.configured().ok_or(IntegrationError::NotConfigured)?;
        if current.secret(SecretName::RefreshToken) != Some(replaces) {
            return Ok(Vec::new());
        }
        let settings = current.settings.clone().at(base_url);
        let version = if settings == current.settings { current.version } else { current.version + 1 };
        let secrets = with_tokens(current, tokens);
        let (tenant_id, expires_at) = (current.tenant_id, tokens.expires_at);
        Ok(vec![IntegrationEvent::IntegrationTokensRenewed { tenant_id, version, settings, secrets, expires_at, at }])
    }

    fn lose_access(
        &self,
        refresh_token: SecretId,
        reason: String,
        at: DateTime<Utc>,
    ) -> Result<Vec<IntegrationEvent>, IntegrationError> {
        let current = self.configured().ok_or(IntegrationError::NotConfigured)?;
        let is_lost = matches!(current.access, Access::Lost { .. });
        if is_lost || current.secret(SecretName::RefreshToken) != Some(refresh_token) {
            return Ok(Vec::new());
        }
        let (tenant_id, kind, version) = (current.tenant_id, current.settings.kind(), current.version);
        Ok(vec![IntegrationEvent::IntegrationAccessLost { tenant_id, kind, version, reason, at }])
    }

    /// Settings that somebody has changed meanwhile stay as they are.
    fn follow_group(&self, moved: MovedGroup) -> Result<Vec<IntegrationEvent>, IntegrationError> {
        let current = self.configured().ok_or(IntegrationError::NotConfigured)?;
        match &current.settings {
            IntegrationSettings::Telegram { base_url, chat_id } if *chat_id == moved.from => {
                let settings = IntegrationSettings::Telegram { base_url: base_url.clone(), chat_id: moved.to };
                let (tenant_id, secrets, expected) = (current.tenant_id, Vec::new(), Some(current.version));
                self.configure(Configure { tenant_id, settings, secrets, expected, at: moved.at })
            }
            _ => Ok(Vec::new()),
        }
    }

    fn record_check(
        &self,
        version: u32,
        outcome: CheckOutcome,
        attention: Option<String>,
        at: DateTime<Utc>,
    ) -> Result<Vec<IntegrationEvent>, IntegrationError> {
        let current = self.configured().ok_or(IntegrationError::NotConfigured)?;
        let version = current.speaking_for(version);
        if version != current.version {
            return Ok(Vec::new());
        }
        let (tenant_id, kind) = (current.tenant_id, current.settings.kind());
        Ok(vec![IntegrationEvent::IntegrationChecked { tenant_id, kind, version, outcome, attention, at }])
    }

    fn record_trial(&self, record: TrialRecord) -> Result<Vec<IntegrationEvent>, IntegrationError> {
        let current = self.configured().ok_or(IntegrationError::NotConfigured)?;
        let TrialRecord { version, trial, outcome, counts, staged, answer, model, at } = record;
        let version = recorded_for(current, version)?;
        let (tenant_id, kind) = (current.tenant_id, current.settings.kind());
        if trial.kind() != kind {
            return Err(IntegrationError::KindIsFixed);
        }
        let tried = IntegrationEvent::IntegrationTried {
            tenant_id,
            kind,
            version,
            trial,
            outcome,
            counts,
            staged,
            answer,
            model,
            at,
        };
        Ok(vec![tried])
    }

    fn record_write(&self, record: WriteRecord) -> Result<Vec<IntegrationEvent>, IntegrationError> {
        let current = self.configured().ok_or(IntegrationError::NotConfigured)?;
        let WriteRecord { version, outcome, written, confirmed, at } = record;
        let version = recorded_for(current, version)?;
        let (tenant_id, kind) = (current.tenant_id, current.settings.kind());
        Ok(vec![IntegrationEvent::IntegrationWritten { tenant_id, kind, version, outcome, written, confirmed, at }])
    }
}

/// The version to record what was done with this one. What was done outside was done, whatever was saved meanwhile.
fn recorded_for(current: &Configured, version: u32) -> Result<u32, IntegrationError> {
    if version > current.version {
        return Err(IntegrationError::Changed { current: current.version });
    }
    Ok(current.speaking_for(version))
}

/// The stored secrets with these tokens in place of those of before.
fn with_tokens(current: &Configured, tokens: TokenPairRef) -> Vec<SecretRef> {
    let is_token = |name| matches!(name, SecretName::AccessToken | SecretName::RefreshToken);
    let mut secrets: Vec<SecretRef> = current.secrets.iter().filter(|secret| !is_token(secret.name)).copied().collect();
    secrets.push(SecretRef { name: SecretName::AccessToken, secret_id: tokens.access_token });
    secrets.push(SecretRef { name: SecretName::RefreshToken, secret_id: tokens.refresh_token });
    secrets
}

/// Why people may not give this secret with these settings.
fn refusal(settings: &IntegrationSettings, secret: SecretName) -> String {
    match (settings, secret) {
        (IntegrationSettings::Amocrm { client_id: Some(_), .. }, SecretName::AccessToken) => {
            "comes from amoCRM when you connect; to use a long-lived token, leave the client id out".to_owned()
        }
        (IntegrationSettings::Amocrm { client_id: None, .. }, SecretName::ClientSecret) => {
            "is for connecting with a client id; give that too, or leave this out".to_owned()
        }
        (IntegrationSettings::Amocrm { .. }, SecretName::RefreshToken) => {
            "comes from amoCRM when you connect; leave it out".to_owned()
        }
        _ => format!("{} has no such secret", settings.kind().title()),
    }
}
