//! Phone numbers as people type them into a CRM.

/// The number in one of five ways of writing, by its place in the file. All of them mean the same E.164 number when
/// they are read with the United States as the home region. Numbers of other countries stay as they are: grouping them
/// needs their numbering plans.
pub(crate) fn as_typed(e164: &str, place: usize) -> String {
    match e164.strip_prefix("+1") {
        Some(national) if national.len() == 10 => american(e164, national, place),
        _ => e164.to_owned(),
    }
}

fn american(e164: &str, national: &str, place: usize) -> String {
    let (area, local) = national.split_at(3);
    let (exchange, line) = local.split_at(3);
    let (high, low) = line.split_at(2);
    match place % 5 {
        0 => format!("+1 {area} {exchange}-{line}"),
        1 => format!("1 ({area}) {exchange}-{high}-{low}"),
        2 => e164.to_owned(),
        3 => format!("({area}) {exchange}-{line}"),
        _ => format!("{area}.{exchange}.{line}"),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use phonenumber::{Mode, country};

    use super::*;
    use crate::{DEMO_DIALOGUES, DialogueSet};

    fn e164(typed: &str) -> String {
        phonenumber::parse(Some(country::US), typed).unwrap().format().mode(Mode::E164).to_string()
    }

    #[test]
    fn every_way_of_writing_leads_back_to_the_number() {
        let set = DialogueSet::parse(DEMO_DIALOGUES.as_bytes()).unwrap();
        let mut shapes = HashSet::new();
        for (place, dialogue) in set.dialogues().iter().enumerate() {
            let typed = as_typed(&dialogue.phone, place);
            assert_eq!(e164(&typed), dialogue.phone, "{typed}");
            shapes.insert(typed.replace(|letter: char| letter.is_ascii_digit(), "0"));
        }
        assert_eq!(shapes.len(), 5);
    }

    #[test]
    fn foreign_numbers_keep_their_country() {
        for place in 0..3 {
            for number in ["+77011234567", "+998901234567", "+380441234567"] {
                assert_eq!(e164(&as_typed(number, place)), number);
            }
        }
    }
}
