//! The way back through the rounds of a fix: to the text that came in, and to where things were in it.

use std::borrow::Cow;
use std::cell::OnceCell;

use crate::diagnostic::Diagnostic;
use crate::edit::{Edit, Edits};
use crate::origins::Origins;
use crate::source::Source;

/// The rounds that edited a text, in order.
#[derive(Default)]
pub(crate) struct History {
    rounds: Vec<Round>,
}

struct Round {
    edits: Edits,
    /// The edits that take them back.
    back: Edits,
    /// Where what they mended began, in the text before.
    mended: Vec<usize>,
    /// Made where a later round mends something: nearly every document needs one round and no way back.
    origins: OnceCell<Origins>,
}

impl History {
    /// How many rounds there were.
    pub(crate) fn len(&self) -> usize {
        self.rounds.len()
    }

    /// Adds a round that made these edits of `text`, and gives the new text.
    pub(crate) fn edit(&mut self, edits: Edits, mended: Vec<usize>, text: &str) -> String {
        let (mut shift, mut back) = (0isize, Vec::new());
        for Edit { range, text: new } in edits.iter() {
            let start = range.start.saturating_add_signed(shift);
            back.push(Edit { range: start..start + new.len(), text: text[range.clone()].to_owned() });
            shift += new.len() as isize - range.len() as isize;
        }
        let edited = edits.apply(text);
        // The inverse of disjoint edits is disjoint; touching ones stay in order.
        let back = Edits::new(back).unwrap_or_default();
        self.rounds.push(Round { edits, back, mended, origins: OnceCell::new() });
        edited
    }

    /// The text that came in, of which `text` was made.
    pub(crate) fn undone<'t>(&self, text: &'t str) -> Cow<'t, str> {
        self.rounds.iter().rev().fold(Cow::Borrowed(text), |text, round| Cow::Owned(round.back.apply(&text)))
    }

    /// Gives what was found in `text`, the last round's, its bytes in the text that came in; lines and columns are as before.
    pub(crate) fn move_back(&self, text: &str, diagnostics: &mut [Diagnostic<'_>]) {
        if self.rounds.is_empty() || diagnostics.is_empty() {
            return;
        }
        self.know_origins(text);
        let ways = self.rounds.iter().rev().filter_map(|round| round.origins.get());
        let original = |offset: usize| ways.clone().fold(offset, |offset, origins| origins.original(offset));
        diagnostics.iter_mut().for_each(|diagnostic| diagnostic.move_to(&original));
    }

    /// Gives what was moved back its lines and columns; `text` is what has become of the text that came in.
    pub(crate) fn locate(&self, text: &str, diagnostics: &mut [Diagnostic<'_>]) {
        if !diagnostics.is_empty() {
            let before = self.undone(text);
            let source = Source::new("", &before);
            diagnostics.iter_mut().for_each(|diagnostic| diagnostic.locate(&source));
        }
    }

    fn know_origins(&self, text: &str) {
        let mut after = Cow::Borrowed(text);
        for round in self.rounds.iter().rev().take_while(|round| round.origins.get().is_none()) {
            let before = round.back.apply(&after);
            round.origins.get_or_init(|| Origins::new(&round.edits, &before, &round.mended));
            after = Cow::Owned(before);
        }
    }
}
