use super::*;

fn url(text: &str) -> Url {
    Url::parse(text).unwrap()
}

fn public(allow: &[&str]) -> EgressPolicy {
    EgressPolicy::PublicOnly { allow_hosts: allow.iter().map(|&host| host.to_owned()).collect() }
}

/// Hosts of a tenant's choice, and whether they may be called. Rows that are refused for the network behind them are the
/// special-purpose blocks of IANA's two registries, their edges, and all ways to write or wrap one.
///
/// Seen to fail without each of the patterns of `embedded_v4`, and without `tunnelled_v4`.
const HOSTS: [(&str, Result<Passage, EgressRefused>); 75] = [
    // This machine, as it may be written.
    ("127.0.0.1", INNER),
    ("127.0.0.1.", INNER),
    ("127.1", INNER),
    ("127.255.255.254", INNER),
    ("2130706433", INNER),
    ("0x7f000001", INNER),
    ("0x7f.1", INNER),
    ("0177.0.0.1", INNER),
    ("017700000001", INNER),
    ("%31%32%37.0.0.1", INNER),
    ("１２７.0.0.1", INNER),
    ("0", INNER),
    ("0.0.0.0", INNER),
    ("0.1.2.3", INNER),
    ("[::1]", INNER),
    ("[::]", INNER),
    ("[0:0:0:0:0:0:0:1]", INNER),
    // Private networks.
    ("10.0.0.5", INNER),
    ("10.255.255.255", INNER),
    ("172.16.0.1", INNER),
    ("172.31.255.255", INNER),
    ("192.168.1.1", INNER),
    ("100.64.0.1", INNER),
    ("100.127.255.255", INNER),
    ("[fc00::1]", INNER),
    ("[fd00::1]", INNER),
    ("[fec0::1]", INNER),
    // Link-local, and the metadata of clouds: AWS, GCP and Azure; AWS over IPv6; Alibaba; Oracle; Azure's wire server.
    ("169.254.0.1", INNER),
    ("169.254.169.254", INNER),
    ("0xA9FEA9FE", INNER),
    ("[fe80::1]", INNER),
    ("[febf::1]", INNER),
    ("[fd00:ec2::254]", INNER),
    ("100.100.100.200", INNER),
    ("192.0.0.192", INNER),
    ("168.63.129.16", INNER),
    // Multicast, broadcast, documentation, benchmarks, relays, what is reserved.
    ("224.0.0.1", INNER),
    ("239.255.255.255", INNER),
    ("240.0.0.1", INNER),
    ("255.255.255.255", INNER),
    ("192.0.2.1", INNER),
    ("198.51.100.1", INNER),
    ("203.0.113.1", INNER),
    ("198.18.0.1", INNER),
    ("198.19.255.255", INNER),
    ("192.88.99.1", INNER),
    ("[ff02::1]", INNER),
    ("[2001:db8::1]", INNER),
    ("[3fff::1]", INNER),
    ("[100::1]", INNER),
    ("[5f00::1]", INNER),
    // IPv4 within IPv6: mapped, translated, compatible, NAT64, NAT64 of the site, 6to4, Teredo, ISATAP.
    ("[::ffff:127.0.0.1]", INNER),
    ("[::ffff:a9fe:a9fe]", INNER),
    ("[::ffff:0:10.0.0.1]", INNER),
    ("[::10.0.0.1]", INNER),
    ("[64:ff9b::10.0.0.1]", INNER),
    ("[64:ff9b:1::1.1.1.1]", INNER),
    ("[2002:a00:1::]", INNER),
    ("[2002:7f00:1::]", INNER),
    ("[2001:0:4136:e378:8000:63bf:3fff:fdd2]", INNER),
    ("[2606:4700::5efe:10.0.0.1]", INNER),
    ("[2606:4700::200:5efe:192.168.0.1]", INNER),
    ("[fe80::5efe:1.1.1.1]", INNER),
    ("[fd00::5efe:1.1.1.1]", INNER),
    // The public internet, up to the edges of the blocks above.
    ("1.1.1.1", GUARDED),
    ("100.63.255.255", GUARDED),
    ("100.128.0.0", GUARDED),
    ("172.32.0.1", GUARDED),
    ("169.255.0.1", GUARDED),
    ("223.255.255.255", GUARDED),
    ("[2606:4700::1111]", GUARDED),
    ("[::ffff:1.1.1.1]", GUARDED),
    ("[64:ff9b::1.1.1.1]", GUARDED),
    ("[2606:4700::5efe:1.1.1.1]", GUARDED),
    ("api.example", GUARDED),
];
const INNER: Result<Passage, EgressRefused> = Err(EgressRefused::Inner);
const GUARDED: Result<Passage, EgressRefused> = Ok(Passage::Guarded);

#[test]
fn hosts_are_judged_however_they_are_written() {
    for (host, expected) in HOSTS {
        assert_eq!(public(&[]).passage(&url(&format!("https://{host}/"))), expected, "{host}");
    }
}

#[test]
fn an_address_is_judged_the_same_when_a_name_leads_to_it() {
    for (host, expected) in HOSTS {
        let Ok(ip) = host.trim_matches(['[', ']']).parse() else { continue };
        let found = allowed_addresses(&public(&[]), vec![SocketAddr::new(ip, 0)]);
        assert_eq!(found.map(|_| Passage::Guarded), expected, "{host}");
    }
}

/// Seen to fail without the rule on ports.
#[test]
fn ports_of_other_protocols_are_not_spoken_to() {
    for (port, expected) in [
        (443, GUARDED),
        (8443, GUARDED),
        (1024, GUARDED),
        (22, Err(EgressRefused::Port)),
        (25, Err(EgressRefused::Port)),
        (389, Err(EgressRefused::Port)),
        (1023, Err(EgressRefused::Port)),
    ] {
        assert_eq!(public(&[]).passage(&url(&format!("https://api.example:{port}/"))), expected, "{port}");
    }
    assert_eq!(public(&["api.example:25"]).passage(&url("https://api.example:25/")), Ok(Passage::Opened));
}

#[test]
fn secrets_do_not_travel_in_clear_text() {
    assert_eq!(public(&[]).passage(&url("http://api.example/")), Err(EgressRefused::ClearText));
}

#[test]
fn the_operator_opens_a_host_or_one_port_of_it() {
    let policy = public(&["crm.local", "127.0.0.1:8080", "plain.local:80"]);
    for open in [
        "http://crm.local:9/",
        "http://CRM.local/",
        "http://127.0.0.1:8080/v2",
        "http://plain.local/",
        "http://crm.local./",
    ] {
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
