//! Random domains: well-formed, and full of what the rules are about.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

/// Elements for `<devices>`. `#` becomes a number that no other device has.
const DEVICES: &[&str] = &[
    "<graphics type='spice' autoport='yes'>\n  <listen type='address'/>\n</graphics>",
    "<graphics type='spice'><gl enable='yes'/></graphics>",
    "<graphics type='vnc' port='-1'/>",
    "<graphics type='egl-headless'/>",
    "<graphics type='sdl'><gl enable='yes'/></graphics>",
    "<video>\n  <model type='qxl' ram='65536'/>\n</video>",
    "<video><model type='none'/></video>",
    "<video><model type='ramfb'/></video>",
    "<video/>",
    "<channel type='spicevmc'>\n  <target type='virtio' name='com.redhat.spice.0'/>\n</channel>",
    "<channel type='unix'><target type='virtio' name='keep#d'/></channel>",
    "<redirdev bus='usb' type='spicevmc'/>",
    "<smartcard mode='passthrough' type='spicevmc'/>",
    "<serial type='spiceport'><source channel='x'/></serial>",
    "<rng model='virtio'><backend model='egd' type='spicevmc'/></rng>",
    "<sound model='ich9'/>",
    "<audio id='1' type='spice'/>",
    "<audio id='2' type='none'/>",
    "<disk type='file'><serial>keep#d &amp; more</serial></disk>",
    "<memballoon model='virtio'/>",
    "<!-- keep#d: a - is not here -->",
    "<interface type='hostdev'><mac address='52:54:00:00:00:01'/></interface>",
    "<interface type='network'><source network='keep#d'/></interface>",
    "<hostdev mode='subsystem' type='pci' managed='yes'>\n  <source>\n    <address domain='0x0000' bus='0x01' slot='0x00' function='0x0'/>\n  \
     </source>\n</hostdev>",
    "<hostdev mode='subsystem' type='pci'><source><address domain='0' bus='0' slot='2' function='0'/></source><alias name='ua-x'/></hostdev>",
    "<hostdev mode='subsystem' type='usb'><source><vendor id='0xkeep#d'/></source></hostdev>",
    "<hostdev mode='subsystem' type='mdev' managed='no' model='vfio-pci' display='off' ramfb='on'>\n  <source>\n    \
     <address uuid='ab54baba-ea9a-4ce5-b7b4-51b376b65849'/>\n  </source>\n  <alias name='ua-gvtg'/>\n</hostdev>",
    "<hostdev mode='subsystem' type='mdev' model='vfio-pci'><source><address uuid='11111111-2222-4333-8444-55555555555#'/></source></hostdev>",
    "<hostdev type='mdev' model='vfio-pci' display='on'><source><address uuid='AB54BABAEA9A4CE5B7B451B376B65849'/></source>\
     <alias name='hostdev0'/><address type='pci' domain='0' bus='0' slot='2' function='0'/></hostdev>",
    "<hostdev mode='capabilities' type='mdev' managed='yes' model='vfio'><boot order='1'/><rom file='/x.rom'/></hostdev>",
    "<hostdev type='mdev'/>",
    "<hostdev type='mdev' model='vfio-pci'><!-- in --><source uuid='ab54baba-ea9a-4ce5-b7b4-51b376b65849'/><alias name='ua-a.b'/></hostdev>",
];

/// Arguments for QEMU, option and operand together.
const ARGUMENTS: &[&[&str]] = &[
    &["-fw_cfg", "name=opt/arg#d"],
    &["-fw_cfg", "name=opt/arg#d,string=a b=c"],
    &["-display", "gtk,gl=on"],
    &["-display", "gtk"],
    &["-display", "none"],
    &["-display", "sdl,gl=off,arg=#"],
    &["-display gtk,gl=on"],
    &["-display=gtk"],
    &["--display", "egl-headless"],
    &["-display"],
    &["-set", "device.hostdev0.x-igd-opregion=on"],
    &["-set", "device.hostdev0.ramfb=on"],
    &["-set", "device.hostdev0.driver=vfio-pci-nohotplug"],
    &["-set", "device.hostdev0.display=off"],
    &["-set", "device.hostdev1.display=on"],
    &["-set", "device.hostdev7.x-igd-opregion=on"],
    &["-set", "device.ua-gvtg.display=on"],
    &["-set", "device.ua-gvtg.xres=0x780"],
    &["-set", "device.ua-x.driver=vfio-pci-nohotplug"],
    &["-set", "device.virtio-disk0.driver=x"],
    &["-set", "device.hostdev0.x-pci-device-id=0x1"],
    &["-set", "device.hostdev1.x-pci-device-id=0x2"],
    &["-set", "device.hostdev2.bootindex=3"],
    &["-set", "device.ua-x.rombar=0"],
    &["-set", "device.hostdev0.x-vga=on"],
    &["-set"],
    &["-set device.hostdev0.ramfb=on"],
    &["device.hostdev0.ramfb=on"],
    &["-global", "vfio-pci.x-igd-opregion=on"],
    &["-global", "vfio-pci.x-vga=on"],
    &["-device", "vfio-pci-nohotplug,sysfsdev=/sys/x,id=ua-raw"],
    &["-device", "{\"driver\":\"vfio-pci\",\"sysfsdev\":\"/sys/x\"}"],
    &["-s"],
];

const ENVIRONMENT: &[&str] = &[
    "<qemu:env name='DISPLAY' value=':0'/>",
    "<qemu:env name='DISPLAY' value='$DISPLAY'/>",
    "<qemu:env name='GDK_SCALE' value='big'/>",
    "<qemu:env name='A-B' value='x'/>",
    "<qemu:env name='OWN' value='keep#d'/>",
    "<!-- keep#d -->",
];

const PROPERTIES: &[&str] = &[
    "<qemu:property name='x-igd-opregion' type='bool' value='true'/>",
    "<qemu:property name='x-igd-opregion' type='bool' value='on'/>",
    "<qemu:property name='display' type='string' value='off'/>",
    "<qemu:property name='display' value='on'/>",
    "<qemu:property name='driver' type='string' value='vfio-pci-nohotplug'/>",
    "<qemu:property name='ramfb' type='string' value='on'/>",
    "<qemu:property name='x-vga' type='bool' value='true'/>",
    "<qemu:property name='xres' type='unsigned' value='0x780'/>",
    "<qemu:property name='x-pci-device-id' type='remove' value='1'/>",
    "<qemu:property name='x-pci-vendor-id' type='unsigned' value='32902'/>",
    "<!-- keep#d -->",
];

const ALIASES: &[&str] =
    &["ua-gvtg", "hostdev0", "hostdev1", "hostdev9", "ua-x", "ua-gone", "video0"];
const CAPABILITIES: &[&str] = &["device.json", "device.json+hotplug", "keep#d"];

/// Where QEMU's namespace is declared, and how its elements are written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Namespace {
    Root,
    OtherPrefix,
    Block,
    Default,
    Undeclared,
    Wrong,
    None,
}

/// A domain, and what must survive in it.
#[derive(Clone, Debug)]
pub struct RandomDomain {
    pub text: String,
    /// Whether a block is where libvirt does not read it, so that a fix changes the order of
    /// arguments.
    pub misplaced: bool,
}

fn blocks() -> impl Strategy<Value = Vec<String>> {
    let line = (vec(select(ARGUMENTS), 0..7), vec(select(ENVIRONMENT), 0..3), any::<bool>())
        .prop_map(|(arguments, environment, first)| {
            let arguments: String = arguments
                .concat()
                .iter()
                .map(|value| format!("\n  <qemu:arg value='{}'/>", value.replace('"', "&quot;")))
                .collect();
            let environment: String =
                environment.iter().map(|line| format!("\n  {line}")).collect();
            let inside = if first { environment + &arguments } else { arguments + &environment };
            format!("<qemu:commandline>{inside}\n</qemu:commandline>")
        });
    let device = (select(ALIASES), vec(select(PROPERTIES), 1..4)).prop_map(|(alias, properties)| {
        let properties: String = properties.iter().map(|line| format!("\n      {line}")).collect();
        format!("\n  <qemu:device alias='{alias}'>\n    <qemu:frontend>{properties}\n    </qemu:frontend>\n  </qemu:device>")
    });
    let overrides = vec(device, 0..3)
        .prop_map(|devices| format!("<qemu:override>{}\n</qemu:override>", devices.concat()));
    let capabilities = subsequence(CAPABILITIES, 0..3).prop_map(|names| {
        let deletions: String =
            names.iter().map(|name| format!("<qemu:del capability='{name}'/>")).collect();
        format!("<qemu:capabilities>{deletions}</qemu:capabilities>")
    });
    vec(
        prop_oneof![4 => line, 2 => overrides, 1 => capabilities, 1 => Just("<!-- keep#d -->".to_owned())],
        0..4,
    )
}

fn qualified(block: String, namespace: Namespace, text: &mut Vec<String>) {
    const URI: &str = "http://libvirt.org/schemas/domain/qemu/1.0";
    let on_block = |block: &str, declaration: &str| match block
        .find(['>', '/'])
        .filter(|_| block.starts_with("<qemu:"))
    {
        Some(at) => format!("{} {declaration}{}", &block[..at], &block[at..]),
        None => block.to_owned(),
    };
    text.push(match namespace {
        Namespace::Root | Namespace::Undeclared | Namespace::Wrong => block,
        Namespace::OtherPrefix => block.replace("qemu:", "q:"),
        Namespace::Block => on_block(&block, &format!("xmlns:qemu='{URI}'")),
        Namespace::Default => on_block(&block, &format!("xmlns='{URI}'"))
            .replace("<qemu:", "<")
            .replace("</qemu:", "</"),
        Namespace::None => block.replace("<qemu:", "<").replace("</qemu:", "</"),
    });
}

/// Well-formed domains (except for an undeclared `qemu:`) in every style of writing.
pub fn domain() -> impl Strategy<Value = RandomDomain> {
    use Namespace::*;
    let namespaces =
        select(&[Root, Root, Root, OtherPrefix, Block, Default, Undeclared, Wrong, None][..]);
    let parts = (vec(select(DEVICES), 0..9), blocks(), namespaces, proptest::bool::weighted(0.1));
    (
        parts,
        (0..4usize, any::<bool>(), 0..3usize, any::<bool>(), any::<bool>()),
        select(&["kvm", "kvm", "kvm", "qemu", "xen"][..]),
    )
        .prop_map(
            |(
                (devices, blocks, namespace, misplaced),
                (newline, double, indent, mark, last_newline),
                kind,
            )| {
                const URI: &str = "http://libvirt.org/schemas/domain/qemu/1.0";
                let mut lines = vec![
                    "<name>a</name>".to_owned(),
                    "<os><type arch='x86_64' machine='q35'>hvm</type></os>".into(),
                ];
                let mut inside: Vec<String> =
                    devices.iter().map(|device| (*device).to_owned()).collect();
                let mut own = Vec::new();
                blocks.into_iter().for_each(|block| qualified(block, namespace, &mut own));
                let misplaced = misplaced && !own.is_empty();
                if misplaced {
                    inside.push(own.remove(0));
                }
                let indented = |lines: &[String]| lines.concat_lines("  ");
                lines.push(format!("<devices>{}\n</devices>", indented(&inside)));
                lines.extend(own);
                let declaration = match namespace {
                    Root => format!(" xmlns:qemu='{URI}'"),
                    OtherPrefix => format!(" xmlns:q='{URI}'"),
                    Wrong => format!(" xmlns:qemu='{URI}/'"),
                    _ => String::new(),
                };
                let text =
                    format!("<domain type='{kind}'{declaration}>{}\n</domain>\n", indented(&lines));
                let mut text = numbered(&text);
                if double {
                    text = text.replace('\'', "\"");
                }
                text = text.replace("  ", ["  ", "\t", "    "][indent]);
                text = match newline {
                    0 => text.replace('\n', "\r\n"),
                    1 => text.lines().map(str::trim_start).collect(),
                    _ => text,
                };
                if !last_newline {
                    text.truncate(text.trim_end().len());
                }
                if mark {
                    text.insert(0, '\u{feff}');
                }
                RandomDomain { text, misplaced }
            },
        )
}

/// Replaces each `#d` and `#` with a unique number.
fn numbered(text: &str) -> String {
    let mut parts = text.split('#');
    let first = parts.next().unwrap_or("").to_owned();
    parts.enumerate().fold(first, |text, (number, part)| match part.strip_prefix('d') {
        Some(rest) => format!("{text}{:03}{rest}", number),
        None => format!("{text}{}{part}", number % 10),
    })
}

trait Lines {
    fn concat_lines(&self, indent: &str) -> String;
}

impl Lines for [String] {
    fn concat_lines(&self, indent: &str) -> String {
        self.iter()
            .map(|element| format!("\n{indent}{}", element.replace('\n', &format!("\n{indent}"))))
            .collect()
    }
}
