//! Which addresses are public.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// An address of Azure's own, which answers its machines with their secrets, within a public block.
const AZURE_WIRE_SERVER: Ipv4Addr = Ipv4Addr::new(168, 63, 129, 16);

/// Whether the address is one of the public internet, however it is written.
pub(super) fn is_public(ip: IpAddr) -> bool {
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
        || ip == AZURE_WIRE_SERVER
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
    global_unicast && !documentation && !protocol_assignments && tunnelled_v4(ip).is_none_or(is_public_v4)
}

/// IPv4 addresses in disguise: mapped and compatible (RFC 4291), NAT64 (RFC 6052), 6to4 (RFC 3056). Others, such as
/// Teredo and NAT64 under a prefix of the site's own (RFC 8215), lie in blocks that are not public.
fn embedded_v4(ip: Ipv6Addr) -> Option<Ipv4Addr> {
    match ip.segments() {
        [0, 0, 0, 0, 0, 0 | 0xFFFF, high, low] | [0x0064, 0xFF9B, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => {
            Some(join(high, low))
        }
        _ => None,
    }
}

/// The IPv4 address that ISATAP (RFC 5214) would send to, under a prefix that has to be public as well.
fn tunnelled_v4(ip: Ipv6Addr) -> Option<Ipv4Addr> {
    match ip.segments() {
        [_, _, _, _, 0 | 0x0200, 0x5EFE, high, low] => Some(join(high, low)),
        _ => None,
    }
}

fn join(high: u16, low: u16) -> Ipv4Addr {
    Ipv4Addr::from((u32::from(high) << 16) | u32::from(low))
}
