use api::{ProxyHeader, ProxyRange, TrustedProxies};
use clap::{Args, ValueEnum};
use infrastructure::limits::{Quotas, Redis, RedisOptions, RedisUrlError};
use secrecy::{ExposeSecret, SecretString};

use super::secret;

/// How often clients may ask, and who they are.
#[derive(Debug, Clone, Args)]
pub struct LimitArgs {
    /// Redis 7 or newer, as `redis://host:6379` or `rediss://` for TLS. Processes share their limits through it; without it
    /// each process counts by itself.
    #[arg(long, env = "REDIS_URL", hide_env_values = true, value_parser = secret, value_name = "URL")]
    pub redis_url: Option<SecretString>,

    /// Requests a minute to operations that take a password or a mailed link, for each address. 0 is no limit.
    #[arg(long, env = "SYNKRO_LIMIT_AUTH", default_value_t = Quotas::default().auth, value_name = "N")]
    pub limit_auth: u32,

    /// Renewals of sessions a minute, for each address and for each company. 0 is no limit.
    #[arg(long, env = "SYNKRO_LIMIT_REFRESH", default_value_t = Quotas::default().refresh, value_name = "N")]
    pub limit_refresh: u32,

    /// Other requests to the API a minute, for each address and for each company. 0 is no limit.
    #[arg(long, env = "SYNKRO_LIMIT_API", default_value_t = Quotas::default().api, value_name = "N")]
    pub limit_api: u32,

    /// Webhooks a minute, for each address and for each company. 0 is no limit.
    #[arg(long, env = "SYNKRO_LIMIT_WEBHOOK", default_value_t = Quotas::default().webhook, value_name = "N")]
    pub limit_webhook: u32,

    /// Addresses and ranges of the proxies whose word on the client's address is believed, separated by commas. Without
    /// any, the client is whoever connects.
    #[arg(long, env = "SYNKRO_TRUSTED_PROXIES", value_delimiter = ',', value_name = "ADDRESS[/BITS]")]
    pub trusted_proxies: Vec<String>,

    /// The header that those proxies write themselves.
    #[arg(long, env = "SYNKRO_PROXY_HEADER", default_value = "x-forwarded-for", value_name = "HEADER")]
    pub proxy_header: ProxyHeaderArg,
}

/// Headers of proxies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ProxyHeaderArg {
    /// `X-Forwarded-For`
    XForwardedFor,
    /// `Forwarded` (RFC 7239)
    Forwarded,
}

/// Ranges of proxies that cannot be read, all of them.
#[derive(Debug, thiserror::Error)]
#[error("SYNKRO_TRUSTED_PROXIES: {0}")]
pub struct ProxiesError(String);

impl LimitArgs {
    /// How often clients may ask.
    pub fn quotas(&self) -> Quotas {
        Quotas { auth: self.limit_auth, refresh: self.limit_refresh, api: self.limit_api, webhook: self.limit_webhook }
    }

    /// The Redis, if one is named; an empty variable names none.
    ///
    /// # Errors
    /// Where its address is none. That it does not answer is no error.
    pub async fn redis(&self) -> Result<Option<Redis>, RedisUrlError> {
        match self.redis_url.as_ref().filter(|url| !url.expose_secret().trim().is_empty()) {
            Some(url) => Redis::open(RedisOptions::new(url.clone())).await.map(Some),
            None => Ok(None),
        }
    }

    /// The proxies that are believed.
    ///
    /// # Errors
    /// Names every range that cannot be read.
    pub fn proxies(&self) -> Result<TrustedProxies, ProxiesError> {
        let named = self.trusted_proxies.iter().filter(|range| !range.trim().is_empty());
        let (ranges, bad): (Vec<_>, Vec<_>) = named.map(|range| range.parse::<ProxyRange>()).partition(Result::is_ok);
        if !bad.is_empty() {
            let bad: Vec<String> = bad.into_iter().filter_map(Result::err).map(|error| error.to_string()).collect();
            return Err(ProxiesError(bad.join("; ")));
        }
        let header = match self.proxy_header {
            ProxyHeaderArg::XForwardedFor => ProxyHeader::XForwardedFor,
            ProxyHeaderArg::Forwarded => ProxyHeader::Forwarded,
        };
        Ok(TrustedProxies { ranges: ranges.into_iter().flatten().collect(), header })
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        limits: LimitArgs,
    }

    fn limits(arguments: &[&str]) -> LimitArgs {
        Line::try_parse_from([&["serve"], arguments].concat()).unwrap().limits
    }

    #[test]
    fn the_usual_limits_can_be_changed_one_by_one() {
        assert_eq!(limits(&[]).quotas(), Quotas { auth: 5, refresh: 30, api: 100, webhook: 1_000 });
        assert_eq!(limits(&["--limit-api", "0"]).quotas(), Quotas { api: 0, ..Quotas::default() });
    }

    #[test]
    fn every_bad_range_is_named() {
        let proxies = |ranges| limits(&["--trusted-proxies", ranges]).proxies();
        assert_eq!(proxies("10.0.0.0/8, ::1,").unwrap().ranges.len(), 2);
        let error = proxies("10.0.0.0/40,127.0.0.1,proxy").unwrap_err().to_string();
        assert!(error.contains("`10.0.0.0/40`") && error.contains("`proxy`") && !error.contains("127"), "{error}");
    }

    #[tokio::test]
    async fn an_address_of_redis_that_is_none_is_not_repeated() {
        let error = limits(&["--redis-url", "http://:hunter2@localhost"]).redis().await.unwrap_err();
        assert!(!format!("{error:?} {error}").contains("hunter2"), "{error}");
        assert!(limits(&["--redis-url", ""]).redis().await.unwrap().is_none());
    }
}
