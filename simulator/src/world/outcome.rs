//! How a dialogue's outcome becomes a deal's status.
//!
//! | outcome | status |
//! | --- | --- |
//! | holds `failed`, `unavailable`, `not_available`, `no_venue_available`, `nothing_found`, `cannot_authenticate` or `disconnect` | lost (143) |
//! | is `complete`, or ends with `successful`, `succeeded`, `confirmed`, `submitted`, `balance` or `instructions`, or holds `_confirm_` | won (142) |
//! | anything else, or none | open |
//!
//! The first row that fits decides, so a word of failure outranks one of success. `balance` and `instructions` are the
//! answers that the customer came for.

/// amoCRM's fixed statuses of every pipeline (amoCRM sheet §3.1), and one open status of our own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DealStatus {
    Open,
    Won,
    Lost,
}

const LOST: [&str; 7] = [
    "failed",
    "unavailable",
    "not_available",
    "no_venue_available",
    "nothing_found",
    "cannot_authenticate",
    "disconnect",
];
const WON_ENDS: [&str; 6] = ["successful", "succeeded", "confirmed", "submitted", "balance", "instructions"];

impl DealStatus {
    pub(crate) fn of_outcome(outcome: Option<&str>) -> Self {
        let Some(outcome) = outcome else { return Self::Open };
        if LOST.iter().any(|part| outcome.contains(part)) {
            Self::Lost
        } else if outcome == "complete"
            || outcome.contains("_confirm_")
            || WON_ENDS.iter().any(|end| outcome.ends_with(end))
        {
            Self::Won
        } else {
            Self::Open
        }
    }

    pub(crate) fn id(self) -> i64 {
        match self {
            Self::Open => 50_000_001,
            Self::Won => 142,
            Self::Lost => 143,
        }
    }

    pub(crate) fn is_closed(self) -> bool {
        self != Self::Open
    }
}

#[cfg(test)]
mod tests {
    use super::DealStatus::{self, Lost, Open, Won};

    #[test]
    fn outcomes_of_all_sources_are_classified() {
        let cases = [
            (Won, "complete"),
            (Won, "party_booking_successful"),
            (Won, "plane_reservation_succeeded"),
            (Won, "ride_confirm_booking"),
            (Won, "party_confirm_rsvp"),
            (Won, "meeting_inform_confirmed"),
            (Won, "bank_inform_fraud_report_submitted"),
            (Won, "bank_inform_balance"),
            (Won, "doctor_inform_doctors_instructions"),
            (Lost, "hotel_reservation_failed"),
            (Lost, "plane_flight_unavailable"),
            (Lost, "party_venue_not_available"),
            (Lost, "party_no_venue_available"),
            (Lost, "weather_inform_nothing_found"),
            (Lost, "bank_inform_cannot_authenticate"),
            (Lost, "early_disconnect_during_dialogue"),
            (Lost, "disconnect_during_questionnaire"),
            (Open, "something_else"),
        ];
        for (status, outcome) in cases {
            assert_eq!(DealStatus::of_outcome(Some(outcome)), status, "{outcome}");
        }
        assert_eq!(DealStatus::of_outcome(None), Open);
    }
}
