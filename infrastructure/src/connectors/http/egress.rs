//! Which addresses may be called: a tenant's settings must not reach into the operator's network (SSRF).
//!
//! A name is judged by the addresses that it resolves to, at the moment of the connection, so a name that changes its
//! address after a check gains nothing. Redirects are not followed, so no answer can lead elsewhere.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

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
}

impl fmt::Display for EgressRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Inner => "it is not a public address",
            Self::Outside => "only this machine may be called",
            Self::ClearText => "the connection would not be encrypted",
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
            Self::PublicOnly { .. } | Self::LoopbackOnly => Ok(Passage::Guarded),
        }
    }

    fn opens(&self, url: &Url) -> bool {
        let Self::PublicOnly { allow_hosts } = self else { return false };
        let Some(host) = url.host_str() else { return false };
        let with_port = url.port_or_known_default().map(|port| format!("{host}:{port}"));
        allow_hosts.iter().any(|allowed| {
            allowed.eq_ignore_ascii_case(host)
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

fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) => is_public_v6(ip),
    }
}

/// Not among the special-purpose IPv4 blocks of the IANA registry (RFC 6890).
fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    let this_network = a == 0;
    let carrier_grade_nat = a == 100 && (b & 0xC0) == 64;
    let protocol_assignments = a == 192 && b == 0 && c == 0;
    let relay_anycast = a == 192 && b == 88 && c == 99;
    let benchmarking = a == 198 && (b & 0xFE) == 18;
    let reserved = a >= 240;
    !(this_network
        || carrier_grade_nat
        || protocol_assignments
        || relay_anycast
        || benchmarking
        || reserved
        || ip.is_private()
        || ip.is_loopback()
        || ip.is_link_local()
        || ip.is_documentation()
        || ip.is_multicast())
}

/// Within the global unicast block `2000::/3`, outside its special parts (RFC 6890); an embedded IPv4 address counts as
/// that address.
fn is_public_v6(ip: Ipv6Addr) -> bool {
    if let Some(embedded) = embedded_v4(ip) {
        return is_public_v4(embedded);
    }
    let [first, second, ..] = ip.segments();
    let global_unicast = (first & 0xE000) == 0x2000;
    let documentation = (first == 0x2001 && second == 0x0DB8) || (first == 0x3FFF && second < 0x1000);
    let protocol_assignments = first == 0x2001 && second < 0x0200;
    global_unicast && !documentation && !protocol_assignments
}

/// IPv4 addresses in disguise: mapped and compatible (RFC 4291), NAT64 (RFC 6052), 6to4 (RFC 3056).
fn embedded_v4(ip: Ipv6Addr) -> Option<Ipv4Addr> {
    let segments = ip.segments();
    let join = |high: u16, low: u16| Ipv4Addr::from((u32::from(high) << 16) | u32::from(low));
    match segments {
        [0, 0, 0, 0, 0, 0 | 0xFFFF, high, low] | [0x0064, 0xFF9B, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => {
            Some(join(high, low))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    fn public(allow: &[&str]) -> EgressPolicy {
        EgressPolicy::PublicOnly { allow_hosts: allow.iter().map(|&host| host.to_owned()).collect() }
    }

    #[test]
    fn inner_addresses_are_refused_however_they_are_written() {
        let inner = [
            "127.0.0.1",
            "127.1",
            "0x7f000001",
            "2130706433",
            "10.0.0.5",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "224.0.0.1",
            "255.255.255.255",
            "192.0.2.1",
            "198.18.0.1",
            "240.0.0.1",
            "[::1]",
            "[::]",
            "[::ffff:127.0.0.1]",
            "[::ffff:10.0.0.1]",
            "[::10.0.0.1]",
            "[64:ff9b::a00:1]",
            "[2002:a00:1::]",
            "[fe80::1]",
            "[fd00::1]",
            "[ff02::1]",
            "[2001:db8::1]",
        ];
        for host in inner {
            let verdict = public(&[]).passage(&url(&format!("https://{host}/")));
            assert_eq!(verdict, Err(EgressRefused::Inner), "{host}");
        }
    }

    #[test]
    fn public_addresses_pass() {
        for host in ["1.1.1.1", "100.63.255.255", "172.32.0.1", "[2606:4700::1111]", "[::ffff:1.1.1.1]", "api.example"]
        {
            assert_eq!(public(&[]).passage(&url(&format!("https://{host}/"))), Ok(Passage::Guarded), "{host}");
        }
    }

    #[test]
    fn secrets_do_not_travel_in_clear_text() {
        assert_eq!(public(&[]).passage(&url("http://api.example/")), Err(EgressRefused::ClearText));
    }

    #[test]
    fn the_operator_opens_a_host_or_one_port_of_it() {
        let policy = public(&["crm.local", "127.0.0.1:8080", "plain.local:80"]);
        for open in ["http://crm.local:9/", "http://CRM.local/", "http://127.0.0.1:8080/v2", "http://plain.local/"] {
            assert_eq!(policy.passage(&url(open)), Ok(Passage::Opened), "{open}");
        }
        assert_eq!(policy.passage(&url("https://127.0.0.1:8081/")), Err(EgressRefused::Inner));
        assert_eq!(policy.passage(&url("https://plain.local/")), Ok(Passage::Guarded));
        assert_eq!(policy.passage(&url("https://not-crm.local/")), Ok(Passage::Guarded));
    }

    #[test]
    fn the_demo_calls_this_machine_only() {
        let policy = EgressPolicy::LoopbackOnly;
        assert_eq!(policy.passage(&url("http://127.0.0.1:9/")), Ok(Passage::Guarded));
        assert_eq!(policy.passage(&url("https://1.1.1.1/")), Err(EgressRefused::Outside));
        assert!(loopback_addresses("localhost").unwrap().iter().all(|address| address.ip().is_loopback()));
        assert_eq!(loopback_addresses("api.example"), Err(EgressRefused::Outside));
    }

    #[test]
    fn a_name_is_judged_by_its_addresses() {
        let address = |text: &str| SocketAddr::new(text.parse().unwrap(), 0);
        let mixed = vec![address("10.0.0.1"), address("1.1.1.1")];
        assert_eq!(allowed_addresses(&public(&[]), mixed), Ok(vec![address("1.1.1.1")]));
        assert_eq!(allowed_addresses(&public(&[]), vec![address("::1")]), Err(EgressRefused::Inner));
    }

    #[tokio::test]
    async fn a_name_of_this_machine_is_refused_when_it_is_resolved() {
        let resolver = GuardedResolver::new(public(&[]));
        let Err(refused) = resolver.resolve("localhost".parse().unwrap()).await else { panic!("resolved") };
        assert_eq!(refused.downcast_ref(), Some(&EgressRefused::Inner));
    }
}
