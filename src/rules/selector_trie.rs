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
pub fn insert(path: &mut Path, trie: &mut Vec<TrieNode>) {
    if !path.absolute {
        return;
    }
    let mut node = 0;
    for Step { axis, name, conditions } in path.steps.iter() {
        if *axis != Axis::Child || !matches!(name, Name::Plain(_) | Name::Qemu(_)) {
            break;
        }
        node = match trie[node].next.iter().find(|next| trie[**next].name == *name) {
            Some(next) => *next,
            None => {
                trie.push(TrieNode {
                    name: name.clone(),
                    depth: trie[node].depth + 1,
                    next: List::default(),
                });
                let new_node = trie.len() - 1;
                trie[node].next.to_mut().push(new_node);
                new_node
            }
        };
        if !conditions.is_empty() {
            break;
        }
    }
    path.stem = (node > 0).then_some(node);
}
