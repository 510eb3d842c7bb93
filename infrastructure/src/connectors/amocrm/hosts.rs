//! Which hosts are amoCRM's, and where people let Synkro in. Hosts come through a browser, so they are hostile (sheet §2.2).

use domain::values::BaseUrl;
use url::Url;

use crate::connectors::http::EgressPolicy;

/// What the hosts of accounts end with.
const OWN: [&str; 3] = [".amocrm.ru", ".amocrm.com", ".kommo.com"];

/// The account's address, where the host is one of amoCRM's own or one that the operator means to be called.
pub(super) fn account_address(egress: &EgressPolicy, saved: &BaseUrl, host: &str) -> Option<BaseUrl> {
    if is_own(host) {
        return format!("https://{host}").parse().ok();
    }
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '.' | ':');
    let scheme = Url::parse(saved.as_str()).ok()?.scheme().to_owned();
    let url = Url::parse(&format!("{scheme}://{host}")).ok().filter(|_| host.chars().all(plain))?;
    egress.names(&url).then(|| format!("{scheme}://{host}").parse().ok())?
}

/// One name below one of amoCRM's domains, and nothing else.
fn is_own(host: &str) -> bool {
    let name = OWN.iter().find_map(|domain| host.strip_suffix(domain));
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    name.is_some_and(|name| !name.is_empty() && name.bytes().all(plain))
}

/// The page at which somebody lets Synkro in: of the shared host of the account's domain, or, where the operator means
/// another host to be called, of that.
pub(super) fn authorize_page(account: &BaseUrl) -> String {
    let url = Url::parse(account.as_str()).ok();
    let host = url.as_ref().and_then(Url::host_str).unwrap_or_default();
    match OWN.iter().find(|domain| host.ends_with(**domain)) {
        Some(domain) => format!("https://www{domain}/oauth"),
        None => format!("{account}/oauth"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn saved(text: &str) -> BaseUrl {
        text.parse().unwrap()
    }

    /// The sheet's hosts (§7). Seen to fail with domains that may stand anywhere in the host.
    #[test]
    fn only_amocrms_own_hosts_are_called() {
        let public = EgressPolicy::PublicOnly { allow_hosts: Vec::new() };
        let of = |host: &str| account_address(&public, &saved("https://acme.amocrm.ru"), host);
        for good in ["demo.amocrm.ru", "demo.amocrm.com", "demo.kommo.com", "my-company2.amocrm.ru"] {
            assert_eq!(of(good).unwrap().as_str(), format!("https://{good}"));
        }
        let bad = [
            "demo.amocrm.ru.evil.test",
            "demo.amocrm.ru:8080",
            "evil@demo.amocrm.ru",
            "127.0.0.1",
            "a.b.amocrm.ru",
            ".amocrm.ru",
            "amocrm.ru",
            "Demo.amocrm.ru",
            "demo.amocrm.ru/x",
            "evilamocrm.ru",
            "",
        ];
        for bad in bad {
            assert_eq!(of(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_operator_and_the_demo_name_hosts_of_their_own() {
        let opened = EgressPolicy::PublicOnly { allow_hosts: vec!["crm.local:8080".into()] };
        let http = saved("http://crm.local:8080");
        assert_eq!(account_address(&opened, &http, "crm.local:8080"), Some(http.clone()));
        for other in ["crm.local", "crm.local:8081", "other.local:8080", "x@crm.local:8080", "crm.local:8080/x"] {
            assert_eq!(account_address(&opened, &http, other), None, "{other}");
        }
        let demo = EgressPolicy::LoopbackOnly;
        let moved = account_address(&demo, &saved("http://127.0.0.1:9"), "localhost:9");
        assert_eq!(moved.unwrap().as_str(), "http://localhost:9");
        assert_eq!(account_address(&demo, &http, "10.0.0.1:9"), None);
    }

    #[test]
    fn people_go_to_the_shared_host_of_the_accounts_domain() {
        assert_eq!(authorize_page(&saved("https://acme.amocrm.ru")), "https://www.amocrm.ru/oauth");
        assert_eq!(authorize_page(&saved("https://acme.kommo.com")), "https://www.kommo.com/oauth");
        assert_eq!(authorize_page(&saved("http://127.0.0.1:9")), "http://127.0.0.1:9/oauth");
    }
}
