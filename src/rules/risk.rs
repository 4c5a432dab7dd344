//! What a fix may lose in a domain, so that it is made only where somebody asks for it.

/// Why a fix that a rule calls safe is not safe here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Risk {
    /// Such an element is there as the rule says makes it unsafe, or somebody may watch the guest through something else.
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
    /// The fix overwrites or removes a value that a template fills in later, or part of what belongs together with it.
    Template,
    /// A `<graphics>` with values that a template fills in stays.
    TemplateGraphics,
}

impl Risk {
    /// What may be lost, as the end of "this may lose …".
    pub fn words(self) -> &'static str {
        match self {
            Risk::Watched => "the screen that somebody may watch the guest through",
            Risk::Screen => "the screen that shows the guest now",
            Risk::LastGpu => "the picture on the host: the guest has the GPU that vGPUs are made of",
            Risk::SharedVgpu => "the vGPU of one VM to another: all VMs of this template get the same one",
            Risk::Card => "the picture of this card",
            Risk::FirmwareScreen => "the picture of the firmware and the boot loader on that device",
            Risk::OtherCards => "what a graphics card that is passed through gets of it",
            Risk::NotIntels => "another maker's vGPU: nothing says that this one is Intel's",
            Risk::UnclearIgnore => "what somebody wants to keep: an ignore here has no reason, or can't be read",
            Risk::KeptGraphics => "what the <graphics> shows that the domain says is to stay",
            Risk::Sound => "the sound of a card: it is a guess which <audio> it should play through",
            Risk::KeptPart => "what the domain says is to stay: it works only together with this",
            Risk::Template => "a value that a template fills in later",
            Risk::TemplateGraphics => "what the <graphics> shows once a template has filled it in",
        }
    }
}
