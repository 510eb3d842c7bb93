//! Which addresses may be called: a tenant's settings must not reach into the operator's network (SSRF).
//!
//! A name is judged by the addresses that it resolves to, at the moment of the connection, so a name that changes its
//! address after a check gains nothing. Redirects are not followed, so no answer can lead elsewhere.

mod public;

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

use public::is_public;

/// Which addresses the connectors may call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EgressPolicy {
    /// The public internet over TLS, and the hosts that the operator opened.
    PublicOnly {
        /// Opened hosts, each `host` (any port) or `host:port`; any address of theirs, with or without TLS.
        allow_hosts: Vec<String>,
    },
    /// This machine only; nothing else is even resolved.
    LoopbackOnly,
}

/// Why an address is not called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EgressRefused {
    /// It is not a public address.
    Inner,
    /// It is not this machine.
    Outside,
    /// It is public, but secrets would travel in clear text.
    ClearText,
    /// It is public, but the port is one of another service's than the web.
    Port,
}

impl fmt::Display for EgressRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Inner => "it is not a public address",
            Self::Outside => "only this machine may be called",
            Self::ClearText => "the connection would not be encrypted",
            Self::Port => "the port is not one that web services use",
        })
    }
}

impl std::error::Error for EgressRefused {}

/// How a call to a host is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Passage {
    /// Its addresses are judged when they are known.
    Guarded,
    /// The operator opened the host.
    Opened,
}

impl EgressPolicy {
    /// Judges an address as far as it can be without resolving it.
    ///
    /// # Errors
    /// When it must not be called.
    pub(super) fn passage(&self, url: &Url) -> Result<Passage, EgressRefused> {
        if self.opens(url) {
            return Ok(Passage::Opened);
        }
        match url.host() {
            Some(Host::Ipv4(ip)) => self.judge(IpAddr::V4(ip))?,
            Some(Host::Ipv6(ip)) => self.judge(IpAddr::V6(ip))?,
            Some(Host::Domain(_)) | None => {}
        }
        match self {
            Self::PublicOnly { .. } if url.scheme() != "https" => Err(EgressRefused::ClearText),
            Self::PublicOnly { .. } if !is_web_port(url) => Err(EgressRefused::Port),
            Self::PublicOnly { .. } | Self::LoopbackOnly => Ok(Passage::Guarded),
        }
    }

    /// Whether the operator, or the demo, means this very host to be called, whatever it is.
    pub(crate) fn names(&self, url: &Url) -> bool {
        match self {
            Self::PublicOnly { .. } => self.opens(url),
            Self::LoopbackOnly => match url.host() {
                Some(Host::Ipv4(ip)) => ip.is_loopback(),
                Some(Host::Ipv6(ip)) => ip.is_loopback(),
                Some(Host::Domain(name)) => name == "localhost",
                None => false,
            },
        }
    }

    fn opens(&self, url: &Url) -> bool {
        let Self::PublicOnly { allow_hosts } = self else { return false };
        let Some(host) = url.host_str().map(without_root) else { return false };
        let with_port = url.port_or_known_default().map(|port| format!("{host}:{port}"));
        allow_hosts.iter().any(|allowed| {
            without_root(allowed).eq_ignore_ascii_case(host)
                || with_port.as_deref().is_some_and(|it| allowed.eq_ignore_ascii_case(it))
        })
    }

    fn judge(&self, ip: IpAddr) -> Result<(), EgressRefused> {
        match self {
            Self::PublicOnly { .. } if is_public(ip) => Ok(()),
            Self::PublicOnly { .. } => Err(EgressRefused::Inner),
            Self::LoopbackOnly if ip.is_loopback() => Ok(()),
            Self::LoopbackOnly => Err(EgressRefused::Outside),
        }
    }
}

/// A name may end with the dot of the root, and is the same name (RFC 1034 §3.1).
fn without_root(host: &str) -> &str {
    host.strip_suffix('.').unwrap_or(host)
}

/// Below 1024 only that of HTTPS: the rest belongs to mail, shells and directories, which must not be spoken to with words
/// of a tenant's choice.
fn is_web_port(url: &Url) -> bool {
    url.port_or_known_default().is_some_and(|port| port == 443 || port >= 1024)
}

/// Resolves names and hands out only the addresses that the policy lets through.
pub(super) struct GuardedResolver {
    policy: EgressPolicy,
}

impl GuardedResolver {
    pub(super) fn new(policy: EgressPolicy) -> Self {
        Self { policy }
    }
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let policy = self.policy.clone();
        Box::pin(async move {
            let found = match policy {
                EgressPolicy::LoopbackOnly => loopback_addresses(name.as_str())?,
                EgressPolicy::PublicOnly { .. } => tokio::net::lookup_host((name.as_str(), 0)).await?.collect(),
            };
            let allowed = allowed_addresses(&policy, found)?;
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}

/// `localhost` is known without asking anybody (RFC 6761 §6.3); a query for another name would leave the machine.
fn loopback_addresses(name: &str) -> Result<Vec<SocketAddr>, EgressRefused> {
    if name.trim_end_matches('.').eq_ignore_ascii_case("localhost") {
        Ok(vec![(Ipv4Addr::LOCALHOST, 0).into(), (Ipv6Addr::LOCALHOST, 0).into()])
    } else {
        Err(EgressRefused::Outside)
    }
}

/// A name with one forbidden address among good ones loses that address; with none left it is refused.
fn allowed_addresses(policy: &EgressPolicy, found: Vec<SocketAddr>) -> Result<Vec<SocketAddr>, EgressRefused> {
    let mut refused = None;
    let mut allowed = Vec::new();
    for address in found {
        match policy.judge(address.ip()) {
            Ok(()) => allowed.push(address),
            Err(why) => refused = Some(why),
        }
    }
    match refused {
        Some(why) if allowed.is_empty() => Err(why),
        _ => Ok(allowed),
    }
}

#[cfg(test)]
mod tests;
