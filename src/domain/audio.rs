//! Sound: the backends and ids of `<audio>`, and the devices that refer to them.
//!
//! Sources: libvirt's docs/formatdomain.rst and schema (domaincommon.rng); ids are read by
//! src/conf/domain_conf.c `virDomainAudioDefParseXML`.

use super::Domain;
use crate::version::Version;
use crate::xml::{Element, ElementSet};
use foldhash::{HashMap, HashSet};

/// A type of `<audio>`, and thus a QEMU audio backend.
#[derive(Debug)]
pub struct AudioBackend {
    /// The value of the `type` attribute.
    pub name: &'static str,
    /// The first libvirt release that supports it.
    pub since: Version,
    /// The attributes that its `<audio>` can have.
    pub attributes: &'static [AudioAttribute],
}

/// An attribute of `<audio>`.
#[derive(Debug)]
pub struct AudioAttribute {
    /// The attribute's name.
    pub name: &'static str,
    /// The values that it accepts.
    pub value: AudioValue,
}

/// The values that an attribute of `<audio>` can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AudioValue {
    /// Any text.
    Text,
    /// The path of a file or folder on the host.
    Path,
    /// A non-negative number.
    Count,
    /// A number, possibly negative.
    Number,
    /// `yes` or `no`.
    Switch,
    /// One of these words.
    OneOf(&'static [&'static str]),
}

const fn attribute(name: &'static str, value: AudioValue) -> AudioAttribute {
    AudioAttribute { name, value }
}

const TIMER_PERIOD: AudioAttribute = attribute("timerPeriod", AudioValue::Count);

const fn backend(
    name: &'static str,
    since: Version,
    attributes: &'static [AudioAttribute],
) -> AudioBackend {
    AudioBackend { name, since, attributes }
}

/// The first libvirt release that lets a domain choose QEMU's audio backend.
const FIRST_RELEASE: Version = Version::new(7, 2, 0);

/// The backends that `--audio` can choose. `spice` is missing because it belongs to a `<graphics>`.
pub const AUDIO_BACKENDS: &[AudioBackend] = &[
    backend("none", FIRST_RELEASE, &[TIMER_PERIOD]),
    backend("alsa", FIRST_RELEASE, &[TIMER_PERIOD]),
    backend("coreaudio", FIRST_RELEASE, &[TIMER_PERIOD]),
    backend("dbus", Version::new(8, 4, 0), &[TIMER_PERIOD]),
    backend("file", FIRST_RELEASE, &[attribute("path", AudioValue::Path), TIMER_PERIOD]),
    backend("jack", FIRST_RELEASE, &[TIMER_PERIOD]),
    backend(
        "oss",
        FIRST_RELEASE,
        &[
            attribute("tryMMap", AudioValue::Switch),
            attribute("exclusive", AudioValue::Switch),
            attribute("dspPolicy", AudioValue::Number),
            TIMER_PERIOD,
        ],
    ),
    backend(
        "pipewire",
        Version::new(9, 10, 0),
        &[attribute("runtimeDir", AudioValue::Path), TIMER_PERIOD],
    ),
    backend(
        "pulseaudio",
        FIRST_RELEASE,
        &[attribute("serverName", AudioValue::Text), TIMER_PERIOD],
    ),
    backend(
        "sdl",
        FIRST_RELEASE,
        &[
            attribute("driver", AudioValue::OneOf(&["esd", "alsa", "arts", "pulseaudio"])),
            TIMER_PERIOD,
        ],
    ),
];

/// The attributes of the `<input>` and `<output>` in an `<audio>` of any type.
pub const AUDIO_STREAM_ATTRIBUTES: &[&str] = &[
    "bufferCount",
    "bufferLength",
    "clientName",
    "connectPorts",
    "dev",
    "exactName",
    "fixedSettings",
    "latency",
    "mixingEngine",
    "name",
    "serverName",
    "streamName",
    "tryPoll",
    "voices",
];

/// Finds the backend with this name.
pub fn audio_backend(name: &str) -> Option<&'static AudioBackend> {
    AUDIO_BACKENDS.iter().find(|backend| backend.name == name)
}

/// Parses the id of an `<audio>` as libvirt does: a positive decimal number, with optional blanks
/// and a plus before it.
pub fn audio_id(text: &str) -> Option<u32> {
    let digits = text.trim_start_matches([' ', '\t', '\n', '\r']);
    let digits = digits.strip_prefix('+').unwrap_or(digits);
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    digits.parse().ok().filter(|id| *id > 0)
}

/// The id in the `id` attribute of an `<audio>`, either its own or the one that a device refers to.
fn id_of(element: Element<'_>) -> Option<u32> {
    element.attribute("id").and_then(audio_id)
}

/// The `<audio>` elements of a domain by id, and the references to them.
#[derive(Default)]
pub struct AudioIds<'d> {
    /// The ids in order of first use, each with the `<audio>` elements that have it.
    pub owners: Vec<(u32, Vec<Element<'d>>)>,
    /// The `<audio id='…'/>` references in devices, by the id that they name.
    users: HashMap<u32, Vec<Element<'d>>>,
    /// The `<audio>` elements without an id that libvirt can parse.
    pub without_id: Vec<Element<'d>>,
    /// The ids that devices refer to and that no `<audio>` has, in order.
    pub missing: Vec<u32>,
    /// Indices in `owners`, by id.
    by_id: HashMap<u32, usize>,
}

impl<'d> AudioIds<'d> {
    /// Collects the `<audio>` elements of a domain and the references to them.
    pub(super) fn new(domain: &Domain<'d>) -> Self {
        let mut ids = AudioIds::default();
        for audio in domain.devices_named("audio") {
            let Some(id) = id_of(audio) else {
                ids.without_id.push(audio);
                continue;
            };
            let index = *ids.by_id.entry(id).or_insert(ids.owners.len());
            match ids.owners.get_mut(index) {
                Some((_, owners)) => owners.push(audio),
                None => ids.owners.push((id, vec![audio])),
            }
        }
        let devices =
            domain.devices_named("sound").into_iter().chain(domain.devices_named("graphics"));
        for user in devices.filter_map(|device| device.child("audio")) {
            let Some(id) = id_of(user) else { continue };
            if !ids.by_id.contains_key(&id) && !ids.users.contains_key(&id) {
                ids.missing.push(id);
            }
            ids.users.entry(id).or_default().push(user);
        }
        ids
    }

    /// The references that become meaningless when the elements in `removed`, including `audio`,
    /// are removed; empty as long as another `<audio>` has the same id.
    pub fn users_removed_with(&self, audio: Element<'d>, removed: &ElementSet) -> &[Element<'d>] {
        if !audio.is("audio") {
            return &[];
        }
        let Some(id) = id_of(audio) else { return &[] };
        let Some(users) = self.users.get(&id) else { return &[] };
        let Some(&index) = self.by_id.get(&id) else { return &[] };
        let (_, owners) = &self.owners[index];
        // Only the first owner gets the references, so that many owners of one id take linear time.
        let is_lost = owners.first() == Some(&audio)
            && owners.iter().all(|owner| removed.contains(&owner.id()));
        if is_lost { users } else { &[] }
    }

    /// The `<audio id='…'/>` references in devices to this id.
    pub fn users(&self, id: u32) -> &[Element<'d>] {
        self.users.get(&id).map_or(&[], Vec::as_slice)
    }

    /// The ids that no `<audio>` has and no device refers to, in ascending order.
    pub fn free_ids(&self) -> impl Iterator<Item = u32> {
        let taken: HashSet<u32> = self.by_id.keys().chain(self.users.keys()).copied().collect();
        (1..).filter(move |id| !taken.contains(id))
    }
}

impl<'d> Domain<'d> {
    /// The ids of the `<audio>` elements and the references to them.
    pub fn audio_ids(&self) -> &AudioIds<'d> {
        self.cache.audio_ids.get_or_init(|| AudioIds::new(self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_ids_like_libvirt() {
        for (text, id) in
            [("1", Some(1)), ("01", Some(1)), (" 7", Some(7)), ("+3", Some(3)), ("300", Some(300))]
        {
            assert_eq!(audio_id(text), id, "{text}");
        }
        for text in ["", "0", "-1", "1 ", "0x10", "x", "+", "+ 1", "4294967296"] {
            assert_eq!(audio_id(text), None, "{text}");
        }
    }
}
