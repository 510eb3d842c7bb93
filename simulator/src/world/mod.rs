//! The little company that a set of dialogues describes, as its CRM and its messenger see it.
//!
//! Every dialogue is one contact with a phone, one deal, one chat and its messages. All ids follow from the order in the
//! file, so the same file is the same world.

mod outcome;
mod phone;

use std::{collections::HashMap, sync::Arc};

use uuid::Uuid;

use crate::dialogues::{Dialogue, DialogueSet};

pub(crate) use outcome::DealStatus;

/// First ids of each kind; a thing's id is its kind's first id plus its place in the file.
const FIRST_CONTACT: i64 = 10_000_001;
const FIRST_DEAL: i64 = 20_000_001;
const FIRST_MESSENGER_CONTACT: i64 = 550_001;
const FIRST_CHAT: i64 = 770_001;
/// The amoCRM user of dialogues whose source names no agent: it would be untrue to spread them over invented ones.
pub(crate) const UNASSIGNED_USER: i64 = 500_000;
pub(crate) const PIPELINE: i64 = 3_100_001;
pub(crate) const CONNECTION: i64 = 67_890;

/// Namespace of message ids (UUID v5 of dialogue id and place).
const MESSAGES: Uuid = Uuid::from_u128(0x5f0e_74c2_9a57_4c63_9d0a_2f6b_1f3f_8c11);

/// An amoCRM user.
pub(crate) struct User {
    pub(crate) id: i64,
    pub(crate) name: String,
}

/// One dialogue with what the services made of it.
pub(crate) struct Case {
    index: usize,
    pub(crate) contact_name: String,
    /// As somebody typed it into the CRM.
    pub(crate) typed_phone: String,
    pub(crate) responsible_user: i64,
    pub(crate) status: DealStatus,
}

/// All cases in the order of the file.
pub(crate) struct World {
    dialogues: Arc<DialogueSet>,
    pub(crate) users: Vec<User>,
    pub(crate) cases: Vec<Case>,
}

impl World {
    pub(crate) fn of(dialogues: &Arc<DialogueSet>) -> Self {
        let mut users = vec![User { id: UNASSIGNED_USER, name: "Unassigned".into() }];
        let mut by_reference = HashMap::new();
        let mut responsible = |dialogue: &Dialogue| match &dialogue.agent_ref {
            None => UNASSIGNED_USER,
            Some(reference) => *by_reference.entry(reference.clone()).or_insert_with(|| {
                let id = numbered(UNASSIGNED_USER, users.len());
                let name = dialogue.agent_name.clone().unwrap_or_else(|| format!("Agent {reference}"));
                users.push(User { id, name });
                id
            }),
        };
        let cases = dialogues
            .dialogues()
            .iter()
            .enumerate()
            .map(|(index, dialogue)| Case {
                index,
                contact_name: dialogue.customer_name.clone().unwrap_or_else(|| format!("Customer {:04}", index + 1)),
                typed_phone: phone::as_typed(&dialogue.phone, index),
                responsible_user: responsible(dialogue),
                status: DealStatus::of_outcome(dialogue.outcome.as_deref()),
            })
            .collect();
        Self { dialogues: Arc::clone(dialogues), users, cases }
    }

    pub(crate) fn dialogue(&self, case: &Case) -> &Dialogue {
        &self.dialogues.dialogues()[case.index]
    }

    pub(crate) fn case_of_deal(&self, id: i64) -> Option<&Case> {
        self.case(id, FIRST_DEAL)
    }

    pub(crate) fn case_of_contact(&self, id: i64) -> Option<&Case> {
        self.case(id, FIRST_CONTACT)
    }

    pub(crate) fn case_of_chat(&self, id: i64) -> Option<&Case> {
        self.case(id, FIRST_CHAT)
    }

    fn case(&self, id: i64, first: i64) -> Option<&Case> {
        let index = usize::try_from(id.checked_sub(first)?).ok()?;
        self.cases.get(index)
    }
}

impl Case {
    pub(crate) fn contact_id(&self) -> i64 {
        numbered(FIRST_CONTACT, self.index)
    }

    pub(crate) fn deal_id(&self) -> i64 {
        numbered(FIRST_DEAL, self.index)
    }

    pub(crate) fn messenger_contact_id(&self) -> i64 {
        numbered(FIRST_MESSENGER_CONTACT, self.index)
    }

    pub(crate) fn chat_id(&self) -> i64 {
        numbered(FIRST_CHAT, self.index)
    }
}

/// The opaque id of a dialogue's message.
pub(crate) fn message_id(dialogue: &Dialogue, place: usize) -> String {
    Uuid::new_v5(&MESSAGES, format!("{}/{place}", dialogue.id).as_bytes()).to_string()
}

fn numbered(first: i64, index: usize) -> i64 {
    first.saturating_add(i64::try_from(index).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::DEMO_DIALOGUES;

    fn demo() -> World {
        World::of(&Arc::new(DialogueSet::parse(DEMO_DIALOGUES.as_bytes()).unwrap()))
    }

    #[test]
    fn every_agent_of_the_source_is_one_user() {
        let world = demo();
        assert_eq!(world.users.len(), 59);
        let ids: HashSet<_> = world.users.iter().map(|user| user.id).collect();
        assert_eq!(ids.len(), 59);
        let unassigned = world.cases.iter().filter(|case| case.responsible_user == UNASSIGNED_USER).count();
        assert_eq!(unassigned, 152);
        for case in &world.cases {
            let name = &world.users.iter().find(|user| user.id == case.responsible_user).unwrap().name;
            let expected = world.dialogue(case).agent_ref.as_ref().map(|reference| format!("Agent {reference}"));
            assert_eq!(name, expected.as_deref().unwrap_or("Unassigned"));
        }
    }

    #[test]
    fn ids_lead_back_to_their_case() {
        let world = demo();
        for case in &world.cases {
            assert_eq!(world.case_of_deal(case.deal_id()).unwrap().index, case.index);
            assert_eq!(world.case_of_contact(case.contact_id()).unwrap().index, case.index);
            assert_eq!(world.case_of_chat(case.chat_id()).unwrap().index, case.index);
        }
        assert!(world.case_of_deal(FIRST_DEAL + 300).is_none());
        assert!(world.case_of_deal(i64::MIN).is_none());
    }

    #[test]
    fn message_ids_are_stable_and_differ() {
        let world = demo();
        let ids = || -> Vec<String> {
            world
                .cases
                .iter()
                .map(|case| world.dialogue(case))
                .flat_map(|dialogue| (0..dialogue.messages.len()).map(|place| message_id(dialogue, place)))
                .collect()
        };
        assert_eq!(ids(), ids());
        assert_eq!(ids().into_iter().collect::<HashSet<_>>().len(), 4_363);
    }
}
