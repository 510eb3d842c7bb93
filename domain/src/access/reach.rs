use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::values::ValueError;

/// How much of the data a right shows.
///
/// | reach | rows | numbers | details | names | contacts | money |
/// |---|---|---|---|---|---|---|
/// | `own` | the caller's own | yes | yes | yes | | |
/// | `stats` | all, as sums | yes | | | | |
/// | `anonymized` | all | yes | yes | | | yes |
/// | `limited` | all | yes | yes | yes | | |
/// | `all` | all | yes | yes | yes | yes | yes |
///
/// It is no scale: of `anonymized` and `limited` neither shows all that the other does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reach {
    /// What belongs to the caller, without contacts and money.
    Own,
    /// Numbers only.
    Stats,
    /// Everything without names and contacts.
    Anonymized,
    /// Everything without contacts and money.
    Limited,
    /// Everything.
    All,
}

/// What kind of thing a field tells; a reach shows some of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Facet {
    /// Counts, times and shares.
    Number,
    /// What a single thing is and when, without saying who.
    Detail,
    /// Who a person is, and free text, in which names may stand.
    Name,
    /// How a person can be reached.
    Contact,
    /// Amounts of money.
    Money,
}

impl Facet {
    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

impl Reach {
    /// Every reach.
    pub const EVERY: [Self; 5] = [Self::Own, Self::Stats, Self::Anonymized, Self::Limited, Self::All];

    /// The frozen name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Own => "own",
            Self::Stats => "stats",
            Self::Anonymized => "anonymized",
            Self::Limited => "limited",
            Self::All => "all",
        }
    }

    /// True where it shows things that belong to others too.
    pub fn reaches_others(self) -> bool {
        self != Self::Own
    }

    /// True where it shows fields of this kind.
    pub fn shows(self, facet: Facet) -> bool {
        self.facets() & facet.bit() != 0
    }

    /// True where it shows all that the other does.
    pub fn covers(self, other: Self) -> bool {
        (self.reaches_others() || !other.reaches_others()) && other.facets() & !self.facets() == 0
    }

    const fn facets(self) -> u8 {
        let (number, detail, name) = (Facet::Number.bit(), Facet::Detail.bit(), Facet::Name.bit());
        let (contact, money) = (Facet::Contact.bit(), Facet::Money.bit());
        match self {
            Self::Stats => number,
            Self::Anonymized => number | detail | money,
            Self::Own | Self::Limited => number | detail | name,
            Self::All => number | detail | name | contact | money,
        }
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

impl fmt::Display for Reach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Reach {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let named = Self::EVERY.into_iter().find(|reach| reach.name() == text);
        named.ok_or_else(|| ValueError("must be own, stats, anonymized, limited or all".into()))
    }
}

/// The reaches that a role has for one permission. Without any, the permission is denied.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct ReachSet(u8);

impl ReachSet {
    /// Denied.
    pub const NONE: Self = Self(0);

    /// Everything is shown.
    pub const ALL: Self = Self(Reach::All.bit());

    /// The set of these.
    pub const fn of(reaches: &[Reach]) -> Self {
        let (mut bits, mut n) = (0, 0);
        while n < reaches.len() {
            bits |= reaches[n].bit();
            n += 1;
        }
        Self(bits)
    }

    /// True where there is none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// True where this one is in it.
    pub fn contains(self, reach: Reach) -> bool {
        self.0 & reach.bit() != 0
    }

    /// With one more.
    #[must_use]
    pub fn with(self, reach: Reach) -> Self {
        Self(self.0 | reach.bit())
    }

    /// With those of another set.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The reaches that are in it.
    pub fn iter(self) -> impl Iterator<Item = Reach> {
        Reach::EVERY.into_iter().filter(move |reach| self.contains(*reach))
    }

    /// True where one of them shows all that the wanted one does.
    pub fn covers(self, wanted: Reach) -> bool {
        self.iter().any(|reach| reach.covers(wanted))
    }

    /// True where only what belongs to the caller is shown.
    pub fn only_own(self) -> bool {
        self == Self::of(&[Reach::Own])
    }

    /// True where fields of this kind are shown of a thing, which the caller owns or not.
    pub fn shows(self, facet: Facet, owned: bool) -> bool {
        self.iter().any(|reach| (owned || reach.reaches_others()) && reach.shows(facet))
    }

    /// Without those whose every sight another one in it shows too.
    #[must_use]
    pub fn widest(self) -> Self {
        let wider = |reach: Reach| self.iter().any(|other| other != reach && other.covers(reach));
        self.iter().filter(|reach| !wider(*reach)).fold(Self::NONE, Self::with)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_reach_covers_another_where_it_shows_all_of_it() {
        let covered = |reach: Reach| -> Vec<&str> {
            Reach::EVERY.into_iter().filter(|other| reach.covers(*other)).map(Reach::name).collect()
        };
        assert_eq!(covered(Reach::Own), ["own"]);
        assert_eq!(covered(Reach::Stats), ["stats"]);
        assert_eq!(covered(Reach::Anonymized), ["stats", "anonymized"]);
        assert_eq!(covered(Reach::Limited), ["own", "stats", "limited"]);
        assert_eq!(covered(Reach::All), ["own", "stats", "anonymized", "limited", "all"]);
    }

    #[test]
    fn what_only_the_own_reach_shows_is_not_shown_of_others() {
        let reaches = ReachSet::of(&[Reach::Own, Reach::Stats]);
        assert!(reaches.shows(Facet::Name, true) && reaches.shows(Facet::Number, false));
        assert!(!reaches.shows(Facet::Name, false) && !reaches.shows(Facet::Contact, true));
        assert!(!reaches.only_own() && ReachSet::of(&[Reach::Own]).only_own());
    }

    #[test]
    fn the_widest_reaches_say_all() {
        let every = ReachSet::of(&Reach::EVERY);
        assert_eq!(every.widest(), ReachSet::ALL);
        let two = ReachSet::of(&[Reach::Anonymized, Reach::Limited]);
        assert_eq!(two.with(Reach::Own).with(Reach::Stats).widest(), two);
        assert!(ReachSet::NONE.widest().is_empty());
    }

    #[test]
    fn a_reach_is_read_by_its_name() {
        for reach in Reach::EVERY {
            assert_eq!(reach.name().parse(), Ok(reach));
        }
        assert!("revenue".parse::<Reach>().is_err());
    }
}
