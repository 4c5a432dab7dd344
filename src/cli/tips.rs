//! Tips for flags and commands known from other programs.

/// The tips for words of other programs, one per line.
pub(super) const TIPS: &str = include_str!("tips.txt");

/// A tip for words of other programs.
pub(super) struct Tip {
    /// The commands to which the tip applies; `*` for all.
    pub(super) commands: Vec<&'static str>,
    pub(super) words: Vec<&'static str>,
    pub(super) text: &'static str,
}

/// Returns all tips, in the order of the table.
pub(super) fn tips() -> impl Iterator<Item = Tip> {
    TIPS.lines().filter(|line| !line.starts_with('#')).filter_map(|line| {
        let mut columns = line.splitn(3, " | ");
        let commands = columns.next()?.split(' ').collect();
        let words = columns.next()?.split(' ').collect();
        Some(Tip { commands, words, text: columns.next()? })
    })
}

impl Tip {
    /// Whether the tip is about this word and applies to this command.
    pub(super) fn fits(&self, command: &str, word: &str) -> bool {
        let is_for = |name: &&str| *name == "*" || *name == command;
        self.words.contains(&word) && self.commands.iter().any(is_for)
    }
}

/// Returns the tip for a word of another program.
pub(super) fn tip_for(command: &str, word: &str) -> Option<String> {
    tips().find(|tip| tip.fits(command, word)).map(|tip| tip.text.to_owned())
}
