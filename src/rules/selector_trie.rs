//! What the built-in selectors begin with: names from the root on. The build script makes one tree
//! of all of them, so that one walk of a document finds where each selector begins, and that most
//! begin nowhere.

use super::path::{Axis, List, Name, Path, Step};

/// A node of that tree: the way to it is a stem.
#[derive(Clone, Debug)]
pub struct TrieNode {
    /// The element's name; the first node is the document itself and has none that counts.
    pub name: Name,
    /// How many steps of a path lead here.
    pub depth: usize,
    /// The nodes below it.
    pub next: List<usize>,
}

/// The tree that nothing begins in.
pub fn new_trie() -> Vec<TrieNode> {
    vec![TrieNode { name: Name::Any, depth: 0, next: List::default() }]
}

/// Adds a path's stem to the tree: its steps to named children, up to the first that asks for more
/// than a name.
pub fn insert(path: &mut Path, tree: &mut Vec<TrieNode>) {
    if !path.absolute {
        return;
    }
    let mut at = 0;
    for Step { axis, name, conditions } in path.steps.iter() {
        if *axis != Axis::Child || !matches!(name, Name::Plain(_) | Name::Qemu(_)) {
            break;
        }
        at = match tree[at].next.iter().find(|next| tree[**next].name == *name) {
            Some(next) => *next,
            None => {
                tree.push(TrieNode {
                    name: name.clone(),
                    depth: tree[at].depth + 1,
                    next: List::default(),
                });
                let new = tree.len() - 1;
                tree[at].next.to_mut().push(new);
                new
            }
        };
        if !conditions.is_empty() {
            break;
        }
    }
    path.stem = (at > 0).then_some(at);
}
