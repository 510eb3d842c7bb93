//! Listing, showing, following and exporting.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use infrastructure::files::Digested;
use serde_json::Value;

use crate::log::{Log, NAME};

/// What stands behind a word, up to the next blank or comma.
fn behind<'a>(text: &'a str, word: &str) -> &'a str {
    let rest = text.split_once(word).unwrap_or_else(|| panic!("no {word:?} in {text:?}")).1;
    rest.split([' ', ',', '\n']).find(|part| !part.is_empty()).unwrap()
}

fn positions(lines: &[String]) -> Vec<String> {
    let position =
        |line: &String| serde_json::from_str::<Value>(line).unwrap()["position"].as_str().unwrap().to_owned();
    lines.iter().map(position).collect()
}

#[tokio::test]
async fn a_list_goes_on_where_it_says_and_shows_nothing_personal() {
    let log = Log::new().await;
    log.tenant("acme", 4).await;
    log.tenant("other", 2).await;
    let all = positions(&log.lines(&["list", "--json"]));
    assert_eq!(all.len(), 8);

    let first = log.run(&["list", "--limit", "3"]);
    assert_eq!(first.output.lines().count(), 1 + 3, "a heading and the events");
    let after = behind(&first.errors, "--after ");
    assert_eq!(after, all[2]);
    assert_eq!(positions(&log.lines(&["list", "--json", "--after", after])), all[3..]);

    let last = log.run(&["list", "--json", "--reverse", "--limit", "3"]);
    let newest: Vec<String> = all[5..].iter().rev().cloned().collect();
    assert_eq!(positions(&last.output.lines().map(str::to_owned).collect::<Vec<_>>()), newest);
    let before = behind(&last.errors, "--before ");
    let rest = positions(&log.lines(&["list", "--json", "--reverse", "--before", before]));
    assert_eq!(rest, all[..5].iter().rev().cloned().collect::<Vec<_>>());

    let acme = log.run(&["list", "--tenant", "acme", "--type", "UserRegistered", "--since", "1h"]);
    assert_eq!((acme.code, acme.errors.as_str()), (Some(0), ""));
    assert_eq!(acme.output.matches(" acme ").count(), 4, "{}", acme.output);
    let shown = [first.output, last.output, acme.output].concat();
    assert!(!shown.contains(NAME) && !shown.contains("@acme.example"), "{shown}");
}

#[tokio::test]
async fn an_event_and_a_history_are_shown_whole_with_personal_values_marked() {
    let log = Log::new().await;
    let (tenant, users) = log.tenant("acme", 1).await;
    let position = positions(&log.lines(&["list", "--json", "--type", "UserRegistered"])).remove(0);
    let text = log.lines(&["show", &position]).join("\n");
    let marked = |line: &&str| line.ends_with("  (personal)");
    let personal: Vec<&str> = text.lines().filter(marked).map(|line| line.split_whitespace().next().unwrap()).collect();
    assert_eq!(personal, ["email", "name"]);
    assert!(
        text.contains(NAME) && text.contains(&position) && text.contains("actor             system tests"),
        "{text}"
    );

    let user = format!("user:{}", users[0]);
    let shown = log.lines(&["show", &user, "--json"]);
    let event: Value = serde_json::from_str(&shown[0]).unwrap();
    assert_eq!((shown.len(), &event["payload"]["name"], &event["sequence"]), (1, &NAME.into(), &1.into()));
    assert_eq!(event["personal"], serde_json::json!(["payload.email", "payload.name"]));
    assert_eq!(log.lines(&["show", &user, "--sequence", "1", "--json"]), shown);

    let missing = log.run(&["show", &format!("tenant:{tenant}"), "--sequence", "2"]);
    assert_eq!(missing.code, Some(1));
    assert!(missing.errors.contains("no such event"), "{}", missing.errors);
}

#[tokio::test]
async fn all_that_is_wrong_is_told_at_once() {
    let log = Log::new().await;
    let bad = ["--tenant", "A B", "--aggregate", "thing:1", "--type", "Nothing", "--since", "soon", "--after", "7"];
    let told = log.run(&[&["list", "--limit", "0"], &bad[..]].concat());
    assert_eq!((told.code, told.output.as_str()), (Some(1), ""));
    for option in ["--tenant: ", "--aggregate: ", "--type: ", "--since: ", "--after: ", "--limit: "] {
        assert!(told.errors.contains(option), "{option}{}", told.errors);
    }
    let unknown = log.run(&["list", "--tenant", "nobody"]);
    assert!(unknown.code == Some(1) && unknown.errors.contains("--tenant: no tenant has the slug nobody"));
}

/// Seen to fail: with `println!` the program panicked.
#[tokio::test]
async fn a_reader_who_leaves_is_no_error() {
    let log = Log::new().await;
    log.tenant("acme", 2).await;
    for arguments in [&["events", "list"][..], &["events", "tail", "--no-follow"]] {
        let mut left = log.start(arguments);
        drop(left.take_output());
        let ended = left.end();
        assert_eq!((ended.code, ended.errors.as_str()), (Some(0), ""), "{arguments:?}");
    }
}

#[tokio::test]
async fn a_tail_shows_the_newest_and_then_each_event_once_until_it_is_interrupted() {
    let log = Log::new().await;
    log.tenant("acme", 4).await;
    let mut tail = log.start(&["events", "tail", "--json", "-n", "2"]);
    let mut lines = BufReader::new(tail.take_output().unwrap()).lines();
    let mut next = |count: usize| -> Vec<String> { lines.by_ref().take(count).map(Result::unwrap).collect() };
    let mut seen = positions(&next(2));
    for n in 0..3 {
        log.tenant(&format!("later-{n}"), 3).await;
        seen.extend(positions(&next(4)));
    }
    let all = positions(&log.lines(&["list", "--json"]));
    assert_eq!(seen, all[3..]);
    assert!(Command::new("sh").args(["-c", &format!("kill -INT {}", tail.id())]).status().unwrap().success());
    assert_eq!(lines.count(), 0, "nothing more was shown");
    let ended = tail.end();
    assert_eq!((ended.code, ended.errors.as_str()), (Some(0), ""));
}

/// Seen to fail: without looking whether the file exists, the second export replaced the first.
#[tokio::test]
async fn an_export_is_whole_proves_itself_and_can_be_continued() {
    let log = Log::new().await;
    // More than a page.
    log.tenant("acme", 1_200).await;
    let exported = log.run(&["export", "--out", "log.jsonl"]);
    assert_eq!((exported.code, exported.output.as_str()), (Some(0), ""), "{}", exported.errors);
    let file = log.folder.path().join("log.jsonl");
    let text = fs::read_to_string(&file).unwrap();
    let lines: Vec<String> = text.lines().map(str::to_owned).collect();
    assert_eq!(lines.len(), 1_201);
    assert_eq!(positions(&lines), positions(&log.lines(&["list", "--json", "--limit", "5000"])));
    let user: Value = serde_json::from_str(&lines[1]).unwrap();
    assert_eq!((&user["payload"]["name"], &user["metadata"]["actor_id"]), (&NAME.into(), &"tests".into()));
    let mut digest = Digested::new(Vec::new());
    digest.write_all(text.as_bytes()).unwrap();
    assert!(exported.errors.starts_with("1201 events "), "{}", exported.errors);
    assert_eq!(behind(&exported.errors, "SHA-256 "), digest.finish().1);
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::read_dir(log.folder.path()).unwrap().count(), 1, "no unfinished file is left");

    let again = log.run(&["export", "--out", "log.jsonl"]);
    assert!(again.code == Some(1) && again.errors.contains("--out: "), "{again:?}");
    assert_eq!(fs::read_to_string(&file).unwrap(), text);

    let (_, users) = log.tenant("later", 1).await;
    let rest = log.run(&["export", "--out", "-", "--after", behind(&exported.errors, "position ")]);
    assert_eq!(rest.output.lines().count(), 2, "{}", rest.errors);
    assert!(rest.output.lines().last().unwrap().contains(&users[0].to_string()));
    let same = log.run(&["export", "--out", "-", "--up-to", behind(&exported.errors, "position ")]);
    assert!(same.output == text, "the same span gives the same file: {}", same.errors);
}
