//! From which address a request comes, also through proxies.

use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use ipnet::IpNet;
use poem::Request;
use poem::http::HeaderMap;

/// Addresses of proxies, as one address or as a range such as `10.0.0.0/8`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProxyRange(IpNet);

/// A range of addresses that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is neither an address such as 10.1.2.3 nor a range such as 10.0.0.0/8")]
pub struct ProxyRangeError(String);

impl FromStr for ProxyRange {
    type Err = ProxyRangeError;

    fn from_str(text: &str) -> Result<Self, ProxyRangeError> {
        let text = text.trim();
        let range = text.parse().or_else(|_| text.parse().map(|address: IpAddr| IpNet::from(address.to_canonical())));
        range.map(Self).map_err(|_| ProxyRangeError(text.to_owned()))
    }
}

/// The header in which a proxy says for whom it asks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ProxyHeader {
    /// `X-Forwarded-For`: addresses, the last one written by the nearest proxy.
    #[default]
    XForwardedFor,
    /// `Forwarded` with `for=` (RFC 7239).
    Forwarded,
}

/// The proxies that are believed.
///
/// One header only: a proxy that maintains one of the two passes the other on as the client wrote it.
#[derive(Debug, Clone, Default)]
pub struct TrustedProxies {
    /// Where they are.
    pub ranges: Vec<ProxyRange>,
    /// What they write.
    pub header: ProxyHeader,
}

impl TrustedProxies {
    /// The client's address: the nearest one that is not a trusted proxy. An entry that is no address ends the chain at
    /// the proxy that passed it on.
    fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut client = peer.to_canonical();
        let mut entries = self.entries(headers).into_iter().rev();
        while self.trusts(client) {
            let Some(Some(next)) = entries.next().map(address) else { break };
            client = next;
        }
        client
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.ranges.iter().any(|ProxyRange(range)| range.contains(&address))
    }

    /// What the header says, nearest proxy last. Several lines are one list (RFC 9110 §5.3).
    fn entries<'a>(&self, headers: &'a HeaderMap) -> Vec<&'a str> {
        let name = match self.header {
            ProxyHeader::XForwardedFor => "x-forwarded-for",
            ProxyHeader::Forwarded => "forwarded",
        };
        let lines = headers.get_all(name).into_iter().map(|line| line.to_str().unwrap_or_default());
        let entries = lines.flat_map(|line| line.split(','));
        match self.header {
            ProxyHeader::XForwardedFor => entries.collect(),
            ProxyHeader::Forwarded => entries.map(forwarded_for).collect(),
        }
    }
}

/// The value of `for` in one element of `Forwarded`; nothing where it says none.
fn forwarded_for(element: &str) -> &str {
    let parameters = element.split(';').filter_map(|parameter| parameter.trim().split_once('='));
    let mut named = parameters.filter(|(name, _)| name.eq_ignore_ascii_case("for"));
    named.next().map_or("", |(_, value)| value.trim_matches('"'))
}

/// An address with or without a port, one of version 6 in brackets or not.
fn address(entry: &str) -> Option<IpAddr> {
    let entry = entry.trim();
    let bare = entry.strip_prefix('[').and_then(|entry| entry.strip_suffix(']')).unwrap_or(entry);
    let parsed = bare.parse().or_else(|_| entry.parse().map(|address: SocketAddr| address.ip()));
    parsed.ok().map(|address| address.to_canonical())
}

/// The client's address, attached to every request that came over TCP.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ClientAddress(pub(crate) IpAddr);

impl ClientAddress {
    pub(crate) fn of(request: &Request, proxies: &TrustedProxies) -> Option<Self> {
        let peer = request.remote_addr().as_socket_addr()?.ip();
        Some(Self(proxies.client(peer, request.headers())))
    }
}

#[cfg(test)]
mod tests {
    use poem::http::HeaderValue;

    use super::*;

    fn client(header: ProxyHeader, peer: &str, lines: &[&str]) -> String {
        let ranges = ["10.0.0.0/8", "2001:db8::/32", "192.0.2.7"].map(|range| range.parse().unwrap()).to_vec();
        let name = if header == ProxyHeader::Forwarded { "forwarded" } else { "x-forwarded-for" };
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(name, HeaderValue::from_str(line).unwrap());
        }
        TrustedProxies { ranges, header }.client(peer.parse().unwrap(), &headers).to_string()
    }

    /// Seen to fail with the first entry taken for the client.
    #[test]
    fn only_trusted_proxies_are_believed_and_only_as_far_as_they_reach() {
        let client = |peer, lines: &[&str]| client(ProxyHeader::XForwardedFor, peer, lines);
        assert_eq!(client("203.0.113.9", &["198.51.100.1"]), "203.0.113.9", "a stranger may not choose");
        assert_eq!(client("10.1.1.1", &["198.51.100.1"]), "198.51.100.1");
        assert_eq!(client("10.1.1.1", &["6.6.6.6, 198.51.100.1, 10.2.2.2"]), "198.51.100.1", "what a client invents");
        assert_eq!(client("10.1.1.1", &["6.6.6.6", "198.51.100.1, 192.0.2.7"]), "198.51.100.1", "over several lines");
        assert_eq!(client("10.1.1.1", &[]), "10.1.1.1");
        assert_eq!(client("10.1.1.1", &["10.3.3.3"]), "10.3.3.3", "proxies only");
        assert_eq!(client("10.1.1.1", &["198.51.100.1, unknown"]), "10.1.1.1", "no address");
    }

    #[test]
    fn every_form_of_an_address_is_read() {
        let client = |line| client(ProxyHeader::XForwardedFor, "::ffff:10.1.1.1", &[line]);
        assert_eq!(client("198.51.100.1:4711"), "198.51.100.1");
        assert_eq!(client("::ffff:198.51.100.1"), "198.51.100.1");
        assert_eq!(client("2a00::1"), "2a00::1");
        assert_eq!(client("[2a00::1]"), "2a00::1");
        assert_eq!(client("[2a00::1]:4711"), "2a00::1");
    }

    #[test]
    fn forwarded_is_read_where_it_is_named() {
        let client = |line| client(ProxyHeader::Forwarded, "2001:db8::1", &[line]);
        assert_eq!(client("for=6.6.6.6, For=\"[2a00::1]:4711\";proto=https;by=10.1.1.1, for=10.1.1.1"), "2a00::1");
        assert_eq!(client("for=_hidden"), "2001:db8::1");
        assert_eq!(client("proto=https"), "2001:db8::1");
    }

    #[test]
    fn a_range_that_cannot_be_read_is_refused() {
        for bad in ["", "10.0.0.0/33", "proxy.example", "10.0.0"] {
            assert!(bad.parse::<ProxyRange>().is_err(), "{bad}");
        }
    }
}
