//! Limits on the input. ARCHITECTURE.md lists them too.

/// Maximum size of an input in MiB, unless the user sets another one. virsh stops at 10 MiB.
pub const MAX_INPUT_MIB: u64 = 16;

/// Maximum number of attributes of an element: roxmltree compares each with each other. Real
/// elements have at most a dozen.
pub(super) const MAX_ATTRIBUTES: usize = 128;

/// Attributes that do not count for [`MAX_ATTRIBUTES`]: `fix` may write them, and must never make a
/// document unreadable.
pub(super) const ATTRIBUTES_WRITTEN_BY_FIX: &[&str] = &[
    QEMU_DECLARATION,
    "mode",
    "type",
    "managed",
    "model",
    "display",
    "ramfb",
    "uuid",
    "name",
    "value",
    "id",
];

/// Maximum number of namespace declarations: roxmltree's work grows with the cube of their number,
/// and it searches all of them for each prefix. Real domains have at most a dozen. The declaration
/// of QEMU's namespace on the root, which `fix` may write, does not count.
pub(super) const MAX_DECLARATIONS: usize = 128;

/// The declaration that `fix` may write.
pub(super) const QEMU_DECLARATION: &str = "xmlns:qemu";

/// Maximum depth of elements: libxml2's limit without XML_PARSE_HUGE, which libvirt does not set
/// (`xmlParserMaxDepth`).
pub(super) const MAX_DEPTH: usize = 256;

/// Maximum length of a name: libxml2's `XML_MAX_NAME_LENGTH`.
pub(super) const MAX_NAME_BYTES: usize = 50_000;

/// Maximum number of bytes around an `=`: with more than 255, roxmltree reports a wrong position
/// for the attribute.
pub(super) const MAX_EQUALS_BYTES: usize = 200;
