"""Inputs for the benchmarks: domains of all sizes, and inputs that once took more than linear time.
"""

QEMU = "xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'"
UUID = "ab54baba-ea9a-4ce5-b7b4-51b376b65849"
MIB = 1 << 20


def domain(devices, root="", qemu="", line="\n"):
    parts = [f"<domain type='kvm'{root}>", "  <name>big</name>", "  <uuid>c1b2e3d4-0000-4000-8000-000000000001</uuid>",
             "  <memory unit='KiB'>8388608</memory>", "  <os><type arch='x86_64' machine='q35'>hvm</type></os>", "  <devices>"]
    return line.join(parts + devices + ["  </devices>"] + ([qemu] if qemu else []) + ["</domain>"]) + line


def disk(number):
    return (f"    <!-- disk {number} of the archive -->\n    <disk type='file' device='disk'>\n"
            f"      <driver name='qemu' type='qcow2' cache='none' discard='unmap'/>\n"
            f"      <source file='/var/lib/libvirt/images/archive-{number}.qcow2'/>\n      <target dev='sd{number}' bus='scsi'/>\n"
            f"      <address type='drive' controller='0' bus='0' target='0' unit='{number}'/>\n    </disk>")


def disks(size, more=()):
    devices, length, number = list(more), 0, 0
    while length < size:
        devices.append(disk(number))
        length += len(devices[-1]) + 1
        number += 1
    return devices


SPICE = ["    <graphics type='spice' autoport='yes'/>", "    <video><model type='qxl'/></video>"]
VGPU = (f"<hostdev mode='subsystem' type='mdev' model='vfio-pci' display='off' ramfb='on'><source><address uuid='{UUID}'/></source>"
        "<alias name='ua-gvtg'/></hostdev>")


def args(values):
    return "<qemu:commandline>" + "".join(f"<qemu:arg value='{value}'/>" for value in values) + "</qemu:commandline>"


def hostile():
    """Returns inputs of about 1 MB by name, each of which takes some parser more than linear time.
    """
    q = " " + QEMU
    plain = lambda items, **more: domain(["".join(items)], line="", **more)
    sets = lambda device: [word for i in range(16_000) for word in ("-set", f"device.{device(i)}.{('display', 'ramfb', 'xres')[i % 3]}=on")]
    override = lambda items: "<qemu:override>" + "".join(items) + "</qemu:override>"
    prop = lambda name, value="1": f"<qemu:property name='{name}' type='unsigned' value='{value}'/>"
    device = lambda alias, inside: f"<qemu:device alias='{alias}'><qemu:frontend>{inside}</qemu:frontend></qemu:device>"
    usb = "<hostdev type='usb'/>"
    return {
        "100,000 attributes": "<domain " + " ".join(f"a{i}=''" for i in range(100_000)) + "/>",
        "128 attributes, 1,200 times": "<domain>" + ("<a " + " ".join(f"a{i}=''" for i in range(128)) + "/>") * 1_200 + "</domain>",
        "5,000 namespaces": "<domain>" + "".join(f"<a xmlns:n{i}='u{i}'/>" for i in range(5_000)) + "</domain>",
        "5,000 nested namespaces": "<domain>" + "".join(f"<a xmlns:n{i}='u{i}'>" for i in range(5_000)),
        "120 namespaces, 100,000 uses": "<domain " + " ".join(f"xmlns:n{i}='u{i}'" for i in range(120)) + ">" + "<n119:a/>" * 100_000 + "</domain>",
        "300,000 levels": "<a>" * 300_000,
        "300,000 open tags in a comment": "<domain><!--" + "<a " * 300_000 + "--></domain>",
        "200,000 &# in text": "<domain>" + "&#65;" * 200_000 + "</domain>",
        "one attribute of 1 MB": f"<domain a='{'x' * 1_000_000}'/>",
        "one comment of 1 MB": f"<domain><!--{'x' * 1_000_000}--></domain>",
        "blanks": "<domain>" + " " * 1_000_000 + "</domain>",
        "250,000 elements": "<domain>" + "<a/>" * 250_000 + "</domain>",
        "entities": "<!DOCTYPE a [<!ENTITY a 'x'>" + "".join(f"<!ENTITY a{i} '&a;&a;&a;'>" for i in range(30_000)) + "]><domain>&a9;</domain>",
        "90,000 graphics": plain(["<graphics/>"] * 90_000),
        "40,000 spice devices": plain(["<redirdev type='spicevmc'/>"] * 40_000),
        "20,000 vGPUs without uuid": plain(["<hostdev type='mdev' model='vfio-pci'>\n</hostdev>"] * 20_000),
        "45,000 hostdevs": plain([usb] * 45_000 + [VGPU]),
        "25,000 aliases": plain([f"<a><alias name='ua-gvtg-{i}'/></a>" for i in range(25_000)] + ["<a><alias name='ua-gvtg'/></a>", VGPU.replace("ua-gvtg", "x")]),
        "45,000 arguments": plain([VGPU], root=q, qemu=args(["-s"] * 45_000)),
        "42,000 joined arguments": plain([VGPU], root=q, qemu=args(["-m 1"] * 42_000)),
        "20,000 displays": plain([VGPU], root=q, qemu=args(["-display", "gtk"] * 20_000)),
        "16,000 -set of the vGPU": plain([VGPU], root=q, qemu=args(sets(lambda i: "ua-gvtg"))),
        "16,000 -set of no device": plain([VGPU], root=q, qemu=args(sets(lambda i: f"hostdev{i + 9}"))),
        "16,000 -set of no alias": plain([VGPU], root=q, qemu=args(sets(lambda i: f"ua-{i}"))),
        "-set of 5,000 hostdevs": plain([usb] * 5_000 + [VGPU.replace("ua-", "")], root=q, qemu=args(sets(lambda i: f"hostdev{i % 5001}"))),
        "-set of 5,000 hostdevs behind": plain([VGPU.replace("ua-", "")] + [usb] * 5_000, root=q, qemu=args(sets(lambda i: f"hostdev{i % 5001}"))),
        "-set beside 8,000 -device": plain([VGPU], root=q, qemu=args(sets(lambda i: f"d{i}")[:20_000] + [w for i in range(8_000) for w in ("-device", f"x,id=d{i}")])),
        "14,000 override properties": plain([VGPU], root=q, qemu=override([device("ua-gvtg", "".join(prop("xres") for _ in range(14_000)))])),
        "13,000 unknown properties": plain([VGPU], root=q, qemu=override([device("ua-gvtg", "".join(prop(f"p{i}", "x") for i in range(13_000)))])),
        "8,000 dangling overrides": plain([VGPU], root=q, qemu=override([device(f"hostdev{i}", prop("x-igd-opregion")) for i in range(8_000)])),
        "14,000 command lines": plain([VGPU], root=q, qemu="<qemu:commandline><qemu:arg value='-s'/></qemu:commandline>" * 14_000),
        "45,000 empty command lines": plain([VGPU], root=q, qemu="<qemu:commandline/>" * 45_000),
        "unqualified command line": plain([VGPU], qemu="<commandline>" + "<arg value='-s'/>" * 50_000 + "</commandline>"),
        "undeclared command line": plain([VGPU], qemu=args(["-s"] * 40_000)),
        "misplaced command lines": plain([VGPU, "<a>"] + ["<qemu:commandline><qemu:arg value='-s'/></qemu:commandline>"] * 14_000 + ["</a>"], root=q),
        "wrong namespaces": plain([VGPU], qemu="<q:commandline xmlns:q='http://libvirt.org/schemas/domain/qemu/2'/>" * 120),
    }


def growing(count):
    """Returns inputs by name, each with `count` items of a kind for which a search was once
    repeated.

    Four times as many items must not take much longer than four times as long.
    
    """
    q = " " + QEMU
    plain = lambda items, **more: domain(["".join(items)], line="", **more)
    block = "<qemu:commandline><qemu:arg value='-s'/></qemu:commandline>"
    joined = "<qemu:commandline><qemu:arg value='-m 1'/></qemu:commandline>"
    prop = "<qemu:property name='xres' type='unsigned' value='1'/>"
    override = lambda i: f"<qemu:override><qemu:device alias='ua-{i}'><qemu:frontend>{prop}</qemu:frontend></qemu:device></qemu:override>"
    capability = lambda i: f"<qemu:capabilities><qemu:del capability='c{i}'/></qemu:capabilities>"
    deletions = "<qemu:capabilities>" + "".join(f"<qemu:del capability='c{i}'/>" for i in range(count)) + "</qemu:capabilities>"
    sets = lambda device: args([w for i in range(count) for w in ("-set", f"device.{device(i)}.{('x-igd-opregion', 'ramfb', 'xres')[i % 3]}=on")])
    each = lambda make_item: "".join(make_item(i) for i in range(count))
    vgpu = lambda i: VGPU.replace("ua-gvtg", f"ua-{i}").replace(UUID[:8], f"{i:08x}")
    numbered = VGPU.replace("<alias name='ua-gvtg'/>", "")
    pci = "<hostdev mode='subsystem' type='pci'><source><address domain='0' bus='1' slot='0' function='0'/></source></hostdev>"
    return {
        "command lines": plain([VGPU], root=q, qemu=block * count),
        "overrides": plain([VGPU], root=q, qemu=each(override)),
        "capabilities": plain([VGPU], root=q, qemu=each(capability)),
        "misplaced command lines": plain([VGPU, "<a>", block * count, "</a>"], root=q),
        "misplaced overrides": plain([VGPU, "<a>", each(override), "</a>"], root=q),
        "misplaced, each for itself": plain([VGPU, f"<a>{block}</a>" * count], root=q),
        "misplaced in each other": plain([VGPU, ("<qemu:commandline>" * 200 + "</qemu:commandline>" * 200) * (count // 200)], root=q),
        "unqualified command lines": plain([VGPU], root=q, qemu=(block * count).replace("qemu:", "")),
        "unqualified overrides": plain([VGPU], root=q, qemu=each(override).replace("qemu:", "")),
        "undeclared command lines": plain([VGPU], qemu=block * count),
        "joined arguments in blocks": plain([VGPU], root=q, qemu=joined * count),
        "-set beside deleted capabilities": plain([VGPU], root=q, qemu=sets(lambda i: "ua-gvtg") + deletions),
        "-set of no device, and capabilities": plain([VGPU], root=q, qemu=sets(lambda i: f"hostdev{i + 9}") + deletions),
        "-set of no device, and -global": plain([VGPU], root=q, qemu=sets(lambda i: f"hostdev{i + 9}") + args(["-global", "vfio-pci.x=1"] * count)),
        "-set of PCI devices": plain([pci * count, numbered], root=q, qemu=sets(lambda i: f"hostdev{i}")),
        "-set of PCI devices behind": plain([numbered, pci * count], root=q, qemu=sets(lambda i: f"hostdev{i + 1}")),
        "-set of vGPUs": plain([each(vgpu)], root=q, qemu=sets(lambda i: f"ua-{i}")),
        "interfaces": plain(["<interface type='hostdev'/>" * count, numbered], root=q, qemu=sets(lambda i: f"hostdev{i}")),
        "sound of graphics": plain(["<audio type='spice'/><graphics type='vnc'/>" * count, VGPU]),
    }


def write_inputs(folder):
    files = {
        "big": domain(disks(10 * MIB, [f"    {VGPU}"])),
        "big-declared": domain(disks(10 * MIB, [f"    {VGPU}"]), root=f" {QEMU}"),
        "big-fixable": domain(disks(10 * MIB, SPICE)),
        "big-fixable-declared": domain(disks(10 * MIB, SPICE), root=f" {QEMU}"),
        "big-undeclared": domain(disks(10 * MIB, SPICE), qemu=f"  {args(['-s'])}"),
    }
    for findings, kind in ((True, "spicevmc"), (False, "tcp")):
        usb = [f"    <redirdev bus='usb' type='{kind}'/>"] * 10_000
        files[f"many-{findings}"] = domain(disks(10 * MIB, usb))
        files[f"line-{findings}"] = "".join(line.strip() for line in domain(disks(10 * MIB, usb)).splitlines())
    for name, text in files.items():
        (folder / f"{name}.xml").write_text(text)
    corpus_folder = folder / "corpus"
    corpus_folder.mkdir()
    for number in range(580):
        devices = [disk(i) for i in range(number % 5)] + (SPICE if number % 2 else []) + ([f"    {VGPU}"] if number % 20 == 0 else [])
        (corpus_folder / f"{number}.xml").write_text(domain(devices))
    hostile_folder = folder / "hostile"
    hostile_folder.mkdir()
    for name, text in hostile().items():
        (hostile_folder / f"{name}.xml").write_text(text)
    for times in (1, 4):
        growing_folder = folder / f"growing-{times}"
        growing_folder.mkdir()
        for name, text in growing(4_000 * times).items():
            (growing_folder / f"{name}.xml").write_text(text)
    (folder / "levels.xml").write_text("<a>" * 1_000_000 + "</a>" * 1_000_000)
