use super::*;
use crate::DEMO_DIALOGUES;

const GOOD: &str = r#"{"dialog_id":"d-1","source":"s","started_at":"2026-06-01T09:00:00Z","customer":{"name":null,"phone":"+12015550100"},"agent":{"name":null},"outcome":null,"messages":[{"at":"2026-06-01T09:00:00Z","from":"customer","text":"hi"},{"at":"2026-06-01T09:00:05Z","from":"agent","text":"hello"}],"meta":{"lang":"en","time_basis":"derived"}}"#;

fn problem_of(line: &str) -> LineProblem {
    match DialogueSet::parse(line.as_bytes()) {
        Err(DialogueFileError::BadLines { mut lines, .. }) => {
            assert_eq!(lines.first.len(), 1);
            lines.first.remove(0).problem
        }
        other => panic!("expected one bad line, got {other:?}"),
    }
}

#[test]
fn the_committed_data_is_complete() {
    let set = DialogueSet::parse(DEMO_DIALOGUES.as_bytes()).unwrap();
    assert_eq!(set.len(), 300);
    assert_eq!(set.message_count(), 4_363);
    assert_eq!(set.derived_time_count(), 152);
    assert_eq!(set.first_message_at().to_rfc3339(), "2026-06-01T05:28:38+00:00");
    assert_eq!(set.last_message_at().to_rfc3339(), "2026-06-16T23:05:33+00:00");
    let star = set.dialogues().iter().filter(|dialogue| dialogue.id.starts_with("star-"));
    assert_eq!(star.clone().count(), 148);
    assert!(star.clone().all(|dialogue| dialogue.agent_ref.is_some() && dialogue.time_basis == TimeBasis::Source));
    assert!(set.dialogues().iter().all(|dialogue| dialogue.lang.is_some()));
}

#[test]
fn only_star_times_move_and_by_exactly_2212_days() {
    let set = DialogueSet::parse(GOOD.as_bytes()).unwrap();
    assert_eq!(set.dialogues()[0].first_at().to_rfc3339(), "2026-06-01T09:00:00+00:00");
    let star = GOOD.replace("d-1", "star-1").replace("2026-06-01", "2020-05-12");
    let set = DialogueSet::parse(star.as_bytes()).unwrap();
    assert_eq!(set.dialogues()[0].started_at.to_rfc3339(), "2026-06-02T09:00:00+00:00");
    assert_eq!(set.dialogues()[0].last_at().to_rfc3339(), "2026-06-02T09:00:05+00:00");
}

#[test]
fn each_kind_of_bad_line_has_its_reason() {
    let cases = [
        ("{\"dialog_id\":", "not JSON"),
        ("[1]", "`the line` is a list; expected an object"),
        (&GOOD.replace("\"source\":\"s\",", ""), "`source` is missing; expected a text"),
        (&GOOD.replace("\"d-1\"", "7"), "`dialog_id` is the number 7; expected a text"),
        (&GOOD.replace("\"d-1\"", "\"\""), "`dialog_id` is \"\""),
        (&GOOD.replace("\"agent\",", "\"bot\","), "`messages[1].from` is \"bot\""),
        (&GOOD.replace("T09:00:05Z", " nine"), "`messages[1].at` is \"2026-06-01 nine\""),
        (&GOOD.replace("+12015550100", "2015550100"), "`customer.phone` is \"2015550100\""),
        (&GOOD.replace("+12015550100", "+1201"), "`customer.phone` is \"+1201\""),
        (&GOOD.replace("+12015550100", "+1201555010055555"), "`customer.phone`"),
        (&GOOD.replace("\"text\":\"hello\"", "\"text\":5"), "`messages[1].text` is the number 5"),
        (&GOOD.replace("T09:00:05Z", "T08:00:05Z"), "`messages[1].at` is earlier"),
        (&GOOD.replace("\"derived\"", "\"guess\""), "`meta.time_basis` is \"guess\""),
        (&GOOD.replace("{\"name\":null},\"outcome\"", "\"x\",\"outcome\""), "`agent` is \"x\""),
    ];
    for (line, reason) in cases {
        let problem = problem_of(line).to_string();
        assert!(problem.starts_with(reason), "{problem} should start with {reason}");
    }
}

#[test]
fn messages_must_be_there() {
    let start = GOOD.find("\"messages\":[").unwrap() + "\"messages\":[".len();
    let end = GOOD.find("],\"meta\"").unwrap();
    let empty = format!("{}{}", &GOOD[..start], &GOOD[end..]);
    assert_eq!(problem_of(&empty), LineProblem::NoMessages);
}

#[test]
fn a_second_use_of_an_id_or_a_phone_names_the_first() {
    let same_id = format!("{GOOD}\n{}\n", GOOD.replace("+12015550100", "+12015550101"));
    assert_eq!(problem_of(&same_id), LineProblem::DuplicateId { id: "d-1".into(), first_line: 1 });
    let same_phone = format!("{GOOD}\n{}\n", GOOD.replace("d-1", "d-2"));
    assert_eq!(problem_of(&same_phone), LineProblem::DuplicatePhone { first_line: 1 });
}

#[test]
fn blank_lines_and_broken_encoding_are_bad_lines() {
    assert_eq!(problem_of(&format!("{GOOD}\n\n")), LineProblem::Blank);
    let mut bytes = GOOD.as_bytes().to_vec();
    bytes.extend(b"\n\xff\xfe\n");
    let error = DialogueSet::parse(bytes.as_slice()).unwrap_err();
    assert!(error.to_string().contains("line 2: the line is not UTF-8"), "{error}");
}

#[test]
fn files_without_dialogues_do_not_load() {
    assert!(matches!(DialogueSet::parse(&b""[..]), Err(DialogueFileError::Empty)));
    assert!(matches!(DialogueSet::parse(&b"\x1f\x8b\x08"[..]), Err(DialogueFileError::Compressed)));
    let missing = DialogueSet::load("/nowhere/dialogs.jsonl").unwrap_err();
    assert!(missing.to_string().contains("/nowhere/dialogs.jsonl"));
}

#[test]
fn every_bad_line_counts_and_the_first_twenty_are_listed() {
    let lines = (0..33).map(|_| "x").chain([GOOD]).collect::<Vec<_>>().join("\n");
    let Err(DialogueFileError::BadLines { lines, .. }) = DialogueSet::parse(lines.as_bytes()) else {
        panic!("33 lines are bad");
    };
    assert_eq!((lines.first.len(), lines.more), (20, 13));
    let text = lines.to_string();
    assert!(text.starts_with("33 lines are not in the documented format, so nothing was loaded."));
    assert!(text.ends_with("… and 13 more"));
}

#[test]
fn windows_line_ends_and_a_byte_order_mark_are_accepted() {
    let text = format!("\u{feff}{GOOD}\r\n");
    assert_eq!(DialogueSet::parse(text.as_bytes()).unwrap().message_count(), 2);
}

#[test]
fn a_file_of_the_large_size_loads_in_linear_time() {
    let lines: Vec<String> = (0..7_578)
        .map(|n| GOOD.replace("d-1", &format!("d-{n}")).replace("+12015550100", &format!("+1201{n:07}")))
        .collect();
    let started = std::time::Instant::now();
    let set = DialogueSet::parse(lines.join("\n").as_bytes()).unwrap();
    assert_eq!(set.message_count(), 2 * 7_578);
    assert!(started.elapsed() < std::time::Duration::from_secs(10));
}
