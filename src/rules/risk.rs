//! The possible losses by an unsafe fix in a domain.

/// The reason why a fix that its rule declares safe is unsafe in this domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Risk {
    /// The domain has an element that the fix names in `unsafe-if`, or another display that may be
    /// in use.
    Watched,
    /// The current display has no OpenGL, but the user chose it.
    Screen,
    /// The GPU itself is passed through to the guest.
    LastGpu,
    /// All VMs made from a template would get the same vGPU.
    SharedVgpu,
    /// libvirt's own display shows a PCI card.
    Card,
    /// Another device would lose ramfb.
    FirmwareScreen,
    /// The removed argument also applies to passed-through graphics cards.
    OtherCards,
    /// Nothing shows that the mediated device is Intel's.
    NotIntels,
    /// A suppression is malformed or has no reason.
    UnclearSuppression,
    /// A suppression keeps a `<graphics>`.
    KeptGraphics,
    /// It is a guess which `<audio>` a sound device should use.
    Sound,
    /// A suppression keeps a part of settings that only work together.
    KeptPart,
    /// The fix overwrites or removes a value that a template fills in later, or a setting that only
    /// works together with such a value.
    Template,
    /// A `<graphics>` stays because a template fills in its values later.
    TemplateGraphics,
}

impl Risk {
    /// Returns what may be lost, as the end of "this may lose …".
    pub fn words(self) -> &'static str {
        match self {
            Risk::Watched => "a screen that you use to view the guest",
            Risk::Screen => "the screen that currently shows the guest",
            Risk::LastGpu => {
                "the picture from the passed-through GPU, on which the host cannot create vGPUs at the same time"
            }
            Risk::SharedVgpu => {
                "one VM's vGPU to another: all VMs made from this template get the same one"
            }
            Risk::Card => "this card's picture",
            Risk::FirmwareScreen => "the firmware and boot loader screen on this device",
            Risk::OtherCards => "the setting for graphics cards that are passed through",
            Risk::NotIntels => "another vendor's vGPU: nothing shows that this one is Intel's",
            Risk::UnclearSuppression => {
                "something you want to keep: a suppression here has no reason or is malformed"
            }
            Risk::KeptGraphics => "the picture in a <graphics> that a suppression keeps",
            Risk::Sound => "a card's sound: which <audio> it should play through is a guess",
            Risk::KeptPart => {
                "a setting that a suppression keeps: it only works together with this one"
            }
            Risk::Template => "a value that a template fills in later",
            Risk::TemplateGraphics => "the picture in a <graphics> that a template fills in later",
        }
    }
}
