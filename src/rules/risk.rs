//! What a fix may lose in a domain, so that it is made only where somebody asks for it.

/// Why a fix that a rule calls safe is not safe here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Risk {
    /// Such an element is there as the rule says makes it unsafe, or somebody may watch the guest
    /// through something else.
    Watched,
    /// What shows the guest now has no GL, and is somebody's choice.
    Screen,
    /// The GPU itself is in the guest.
    LastGpu,
    /// All VMs of a template get the same vGPU.
    SharedVgpu,
    /// A PCI card is shown by libvirt's own display.
    Card,
    /// Another device has ramfb, and loses it.
    FirmwareScreen,
    /// What is taken away holds for cards that are passed through, too.
    OtherCards,
    /// Nothing says that the mediated device is Intel's.
    NotIntels,
    /// A note that something is to be ignored can't be read, or has no reason.
    UnclearIgnore,
    /// The domain says that a `<graphics>` is to stay.
    KeptGraphics,
    /// It is a guess which sound plays where.
    Sound,
    /// The domain says that a part of what belongs together is to stay.
    KeptPart,
    /// The fix overwrites or removes a value that a template fills in later, or part of what
    /// belongs together with it.
    Template,
    /// A `<graphics>` with values that a template fills in stays.
    TemplateGraphics,
}

impl Risk {
    /// What may be lost, as the end of "this may lose …".
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
            Risk::UnclearIgnore => {
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
