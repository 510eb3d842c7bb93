//! What each role of each preset may: tables in `presets/` that people read before they accept a change.

use std::fmt::Write as _;

use domain::access::{Catalogue, Permission, Preset, Reach, Rights};

fn catalogue(preset: Preset) -> Catalogue {
    let mut catalogue = Catalogue::default();
    for (entry, title) in preset.catalogue() {
        catalogue.put(entry, title);
    }
    catalogue
}

/// What each role of a preset may and how far, one line per permission that any of them has.
fn table(preset: Preset) -> String {
    let (roles, catalogue) = (preset.roles(), catalogue(preset));
    let built_in = Permission::ALL.map(|right| (right.resource().to_owned(), right.action().to_owned()));
    let added = catalogue.permissions().map(|(service, action)| (service.to_string(), action.to_string()));
    let mut permissions: Vec<(String, String)> = built_in.into_iter().chain(added).collect();
    permissions.sort();
    let rights: Vec<Rights> = roles.iter().map(|role| Rights::compile(&role.permissions, &catalogue)).collect();
    let mut text = String::new();
    for role in &roles {
        let managed: Vec<String> = role.may_manage.clone().into();
        writeln!(text, "{} {} manages {}", role.name, role.level, managed.join(" ")).expect("a text takes every line");
    }
    write!(text, "\n{:28}", "").expect("a text takes every line");
    for role in &roles {
        write!(text, "{:15}", role.name.as_str()).expect("a text takes every line");
    }
    for (service, action) in permissions {
        write!(text, "\n{:28}", format!("{service}:{action}")).expect("a text takes every line");
        for rights in &rights {
            let reaches: Vec<&str> = rights.reach_by_name(&service, &action).iter().map(Reach::name).collect();
            let shown = if reaches.is_empty() { "-".to_owned() } else { reaches.join("+") };
            write!(text, "{shown:15}").expect("a text takes every line");
        }
    }
    text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n") + "\n"
}

/// The tables are read by people before they are accepted: `UPDATE_PRESETS=1` writes them, review shows what changed.
#[test]
fn every_role_of_a_preset_may_what_was_reviewed() {
    for preset in Preset::ALL {
        let path = format!("{}/tests/presets/{}.txt", env!("CARGO_MANIFEST_DIR"), preset.name());
        if asked_to_write() {
            std::fs::write(&path, table(preset)).expect("a table can be written");
        }
        let reviewed = std::fs::read_to_string(&path).expect("run with UPDATE_PRESETS=1 and read what was written");
        assert_eq!(table(preset), reviewed, "{} differs; read the change, then UPDATE_PRESETS=1", preset.name());
    }
}

#[expect(clippy::disallowed_methods, reason = "a test has no configuration; the wish to write files comes by variable")]
fn asked_to_write() -> bool {
    std::env::var_os("UPDATE_PRESETS").is_some_and(|value| value == "1")
}
