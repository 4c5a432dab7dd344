//! Sound: the backends of `<audio>`, the ids of `<audio>`, and the devices that refer to them.
//!
//! Sources: libvirt's docs/formatdomain.rst and schema (domaincommon.rng); ids are read by
//! src/conf/domain_conf.c `virDomainAudioDefParseXML`.

use super::Domain;
use crate::version::Version;
use crate::xml::{Element, ElementSet};
use foldhash::{HashMap, HashSet};

/// A type of `<audio>` that QEMU can have.
#[derive(Debug)]
pub struct AudioBackend {
    /// Its name.
    pub name: &'static str,
    /// The first libvirt that has it.
    pub since: Version,
    /// The attributes of its `<audio>`.
    pub attributes: &'static [AudioAttribute],
}

/// An attribute of `<audio>`.
#[derive(Debug)]
pub struct AudioAttribute {
    /// Its name.
    pub name: &'static str,
    /// The values that it can have.
    pub value: AudioValue,
}

/// The values that an attribute of `<audio>` can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AudioValue {
    /// Any text.
    Text,
    /// The path of a file or folder on the host.
    Path,
    /// A number that is not negative.
    Count,
    /// A number, which may be negative.
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

/// The first libvirt that lets a domain choose QEMU's audio backend.
const FIRST: Version = Version::new(7, 2, 0);

/// The types that `--audio` can choose; `spice` belongs to its `<graphics>`.
pub const AUDIO_BACKENDS: &[AudioBackend] = &[
    backend("none", FIRST, &[TIMER_PERIOD]),
    backend("alsa", FIRST, &[TIMER_PERIOD]),
    backend("coreaudio", FIRST, &[TIMER_PERIOD]),
    backend("dbus", Version::new(8, 4, 0), &[TIMER_PERIOD]),
    backend("file", FIRST, &[attribute("path", AudioValue::Path), TIMER_PERIOD]),
    backend("jack", FIRST, &[TIMER_PERIOD]),
    backend(
        "oss",
        FIRST,
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
    backend("pulseaudio", FIRST, &[attribute("serverName", AudioValue::Text), TIMER_PERIOD]),
    backend(
        "sdl",
        FIRST,
        &[
            attribute("driver", AudioValue::OneOf(&["esd", "alsa", "arts", "pulseaudio"])),
            TIMER_PERIOD,
        ],
    ),
];

/// Attributes of the `<input>` and `<output>` in an `<audio>` of any type.
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

/// The backend of this name.
pub fn audio_backend(name: &str) -> Option<&'static AudioBackend> {
    AUDIO_BACKENDS.iter().find(|backend| backend.name == name)
}

/// Parses the id of an `<audio>` as libvirt does: a positive decimal number, with optional blanks
/// and a plus before it.
pub fn audio_id(text: &str) -> Option<u32> {
    let digits = text.trim_start_matches([' ', '\t', '\n', '\r']);
    let digits = digits.strip_prefix('+').unwrap_or(digits);
    if digits.bytes().all(|byte| byte.is_ascii_digit()) {
        digits.parse().ok().filter(|id| *id > 0)
    } else {
        None
    }
}

/// The id of an `<audio>`, or the one that an element refers to.
fn id_of(element: Element<'_>) -> Option<u32> {
    element.attribute("id").and_then(audio_id)
}

/// The `<audio>` of a domain by id, and what refers to them.
#[derive(Default)]
pub struct AudioIds<'d> {
    /// The ids of `<audio>`, in order, each with the `<audio>` that have it.
    pub owners: Vec<(u32, Vec<Element<'d>>)>,
    /// The `<audio id='…'/>` in devices, by the id that they name.
    users: HashMap<u32, Vec<Element<'d>>>,
    /// The `<audio>` without an id that libvirt can read.
    pub without: Vec<Element<'d>>,
    /// The ids that devices name and no `<audio>` has, in order.
    pub missing: Vec<u32>,
    /// Indices in `owners`.
    by_id: HashMap<u32, usize>,
}

impl<'d> AudioIds<'d> {
    pub(super) fn of(domain: &Domain<'d>) -> Self {
        let mut ids = AudioIds::default();
        for audio in domain.devices_named("audio") {
            let Some(id) = id_of(audio) else {
                ids.without.push(audio);
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

    /// The references to an `<audio>` that mean nothing once these elements are removed; none as
    /// long as another `<audio>` has its id.
    pub fn users_lost_with(&self, audio: Element<'d>, removed: &ElementSet) -> &[Element<'d>] {
        let users = id_of(audio)
            .filter(|_| audio.is("audio"))
            .and_then(|id| Some((self.users.get(&id)?, *self.by_id.get(&id)?)));
        let Some((users, index)) = users else { return &[] };
        let (_, owners) = &self.owners[index];
        // Computed for the first one only, so that many with the same id take linear time.
        let is_lost = owners.first() == Some(&audio)
            && owners.iter().all(|owner| removed.contains(&owner.id()));
        if is_lost { users } else { &[] }
    }

    /// The `<audio id='…'/>` in devices that name an id.
    pub fn users(&self, id: u32) -> &[Element<'d>] {
        self.users.get(&id).map_or(&[], Vec::as_slice)
    }

    /// Ids that no `<audio>` has and nothing names, in ascending order.
    pub fn free(&self) -> impl Iterator<Item = u32> {
        let taken: HashSet<u32> = self.by_id.keys().chain(self.users.keys()).copied().collect();
        (1..).filter(move |id| !taken.contains(id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_read_as_libvirt_does() {
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
