//! Cross-file checks: vGPUs and names used by more than one domain of a run.
//!
//! A claim is small and owns its data, so that a run over thousands of files keeps little of each.
//! Two claims to the same resource conflict only if they certainly belong to two domains: copies of
//! one domain, such as a backup or the output of `fix`, claim the same.

use std::ops::Range;
use std::sync::Arc;

use foldhash::HashMap;
use uuid::Uuid;

use crate::domain::PciAddress;
use crate::text::Position;

mod domain_claims;

pub use domain_claims::claims;

/// A resource that only one domain may use.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Resource {
    /// A vGPU.
    Vgpu(Uuid),
    /// A domain name on the host with this GPU.
    Name(String, PciAddress),
}

/// A document's claim to a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The id of the rule that checks it.
    pub rule: String,
    /// The claimed resource.
    pub thing: Resource,
    /// The claimant: the domain's name for a vGPU, the domain's uuid for a name. Claims with the
    /// same owner do not conflict.
    pub owner: String,
    /// The byte range in the document.
    pub span: Range<usize>,
    /// The start as line and column.
    pub start: Position,
    /// The reason given in the document for suppressing conflicts; `None` if it does not.
    pub suppression_reason: Option<String>,
}

/// All claims of a document; empty if no rule checks them.
pub type Summary = Vec<Claim>;

/// A claim of an earlier document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConflictingClaim {
    /// The document's name.
    pub file: Arc<str>,
    /// The claimant, see [`Claim::owner`].
    pub owner: String,
    /// The byte range in that document.
    pub span: Range<usize>,
    /// The start as line and column.
    pub start: Position,
    /// The reason given in that document for suppressing conflicts.
    pub consent: Option<String>,
}

/// The claims of all documents of a run so far.
#[derive(Clone, Debug, Default)]
pub struct Claims {
    by_thing: HashMap<(String, Resource), ClaimsByConsent>,
}

/// Claims to one resource, split by whether the document suppresses conflicts. Two different owners
/// of each kind suffice to find one that differs from a third.
#[derive(Clone, Debug, Default)]
struct ClaimsByConsent {
    exclusive: Vec<ConflictingClaim>,
    shared_ok: Vec<ConflictingClaim>,
}

/// Number of owners that suffice to find one that differs from a given owner.
const MAX_OWNERS_KEPT: usize = 2;

impl Claims {
    /// Adds the claims of the document with this name.
    pub fn add(&mut self, file: &str, summary: Summary) {
        if summary.is_empty() {
            return;
        }
        let file: Arc<str> = file.into();
        for Claim { rule, thing, owner, span, start, suppression_reason: consent } in summary {
            let rivals = self.by_thing.entry((rule, thing)).or_default();
            let kind =
                if consent.is_some() { &mut rivals.shared_ok } else { &mut rivals.exclusive };
            if kind.len() < MAX_OWNERS_KEPT && kind.iter().all(|other| other.owner != owner) {
                kind.push(ConflictingClaim { file: file.clone(), owner, span, start, consent });
            }
        }
    }

    /// Returns the first claim to the same resource with another owner; claims without a
    /// suppression come first.
    pub fn rival(&self, claim: &Claim) -> Option<&ConflictingClaim> {
        let ClaimsByConsent { exclusive, shared_ok } =
            self.by_thing.get(&(claim.rule.clone(), claim.thing.clone()))?;
        exclusive.iter().chain(shared_ok).find(|rival| rival.owner != claim.owner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim(vgpu: u128, owner: &str, consent: Option<&str>) -> Claim {
        Claim {
            rule: "r".into(),
            thing: Resource::Vgpu(Uuid::from_u128(vgpu)),
            owner: owner.into(),
            span: 1..2,
            start: Position { line: 1, column: 2 },
            suppression_reason: consent.map(str::to_owned),
        }
    }

    /// Returns the rival of the last claim; each claim is (file, vGPU, owner, suppression reason).
    fn rival(all: &[(&str, u128, &str, Option<&str>)]) -> Option<String> {
        let mut claims = Claims::default();
        let ((_, vgpu, owner, consent), others) = all.split_last().unwrap();
        for (file, vgpu, owner, consent) in others {
            claims.add(file, vec![claim(*vgpu, owner, *consent)]);
        }
        claims
            .rival(&claim(*vgpu, owner, *consent))
            .map(|rival| format!("{} {}", rival.file, rival.owner))
    }

    #[test]
    fn finds_the_first_claim_with_another_owner() {
        for (all, expected) in [
            (&[("a", 1, "x", None)][..], None),
            (&[("a", 1, "x", None), ("b", 2, "y", None)], None),
            (&[("a", 1, "x", None), ("b", 1, "x", None)], None),
            (&[("a", 1, "x", None), ("b", 1, "y", None)], Some("a x")),
            (&[("a", 1, "y", None), ("b", 1, "x", None), ("c", 1, "y", None)], Some("b x")),
            (&[("a", 1, "x", None), ("b", 1, "x", None), ("c", 1, "y", None)], Some("a x")),
            (
                &[
                    ("a", 1, "x", None),
                    ("b", 1, "y", None),
                    ("c", 1, "z", None),
                    ("d", 1, "w", None),
                ],
                Some("a x"),
            ),
            (&[("a", 1, "x", Some("?")), ("b", 1, "y", None)], Some("a x")),
            (&[("a", 1, "x", Some("?")), ("b", 1, "y", None), ("c", 1, "z", None)], Some("b y")),
            (&[("a", 1, "x", Some("?")), ("b", 1, "y", None), ("c", 1, "y", None)], Some("a x")),
            (
                &[("a", 1, "x", Some("?")), ("b", 1, "y", Some("?")), ("c", 1, "x", None)],
                Some("b y"),
            ),
            (&[("a", 1, "x", None), ("a", 1, "X", None)], Some("a x")),
            (&[("a", 1, "", None), ("b", 1, " ", None)], Some("a ")),
        ] {
            assert_eq!(rival(all).as_deref(), expected, "{all:?}");
        }
    }

    #[test]
    fn ignores_claims_of_other_rules_and_kinds() {
        let mut claims = Claims::default();
        claims.add("a", vec![claim(1, "x", None)]);
        let name = Resource::Name("n".into(), [0, 0, 2, 0]);
        claims.add("b", vec![Claim { thing: name.clone(), ..claim(1, "x", None) }]);
        assert!(claims.rival(&Claim { rule: "s".into(), ..claim(1, "y", None) }).is_none());
        assert_eq!(
            &*claims.rival(&Claim { thing: name, ..claim(1, "y", None) }).unwrap().file,
            "b"
        );
        assert!(
            claims
                .rival(&Claim {
                    thing: Resource::Name("n".into(), [0, 0, 3, 0]),
                    ..claim(1, "y", None)
                })
                .is_none()
        );
    }

    #[test]
    fn keeps_few_claims_of_one_resource() {
        let mut claims = Claims::default();
        for index in 0..100_000 {
            let owner = if index < 50_000 { "same".to_owned() } else { index.to_string() };
            claims.add("a", vec![claim(1, &owner, (index % 2 == 0).then_some("why"))]);
            assert_eq!(claims.rival(&claim(1, "same", None)).is_some(), index >= 50_000);
        }
        assert_eq!(claims.by_thing.len(), 1);
        assert!(
            claims
                .by_thing
                .values()
                .all(|rivals| rivals.exclusive.len() == 2 && rivals.shared_ok.len() == 2)
        );
    }
}
