//! A trie of the prefixes of all built-in selectors, keyed by element name. The build script
//! generates it, so that a single walk of a document finds the elements that each prefix leads to.

use super::path::{Axis, List, Name, Path, Step};

/// A trie node. A path's stem is the index of the node that its prefix leads to.
#[derive(Clone, Debug)]
pub struct TrieNode {
    /// The element's name. The first node is the document itself; its name is unused.
    pub name: Name,
    /// The number of path steps to this node.
    pub depth: usize,
    /// The indices of the child nodes.
    pub next: List<usize>,
}

/// Returns an empty trie.
pub fn new_trie() -> Vec<TrieNode> {
    vec![TrieNode { name: Name::Any, depth: 0, next: List::default() }]
}

/// Adds a path's prefix to the trie and sets the path's stem. The prefix consists of the steps to
/// named children, up to and including the first step with a condition.
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
