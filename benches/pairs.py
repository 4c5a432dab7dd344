#!/usr/bin/env python3
"""Measures the release binary against the bars that benches/README.md names. Needs python3 and xmllint.

Whole processes are timed, the two of a pair in turns, so that a busy machine slows both alike; a row's figure is the median of the
rounds' ratios. Peak memory is what the kernel says about the finished process (wait4); for a process smaller than this script, whose
memory the kernel counts in, it is read while the process waits for a full pipe to take its last words.
"""

import argparse
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TARGET = "x86_64-unknown-linux-musl"
QEMU = "xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'"
UUID = "ab54baba-ea9a-4ce5-b7b4-51b376b65849"
MIB = 1 << 20


# Inputs ---------------------------------------------------------------------------------------------------------------------------

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
    """Inputs of about 1 MB (the name says what of), each of which some reader handles in more than linear time."""
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
    """Inputs with so many of something that was once looked for again for each of it: four times as many must not take much longer
    than four times as long."""
    q = " " + QEMU
    plain = lambda items, **more: domain(["".join(items)], line="", **more)
    block = "<qemu:commandline><qemu:arg value='-s'/></qemu:commandline>"
    joined = "<qemu:commandline><qemu:arg value='-m 1'/></qemu:commandline>"
    prop = "<qemu:property name='xres' type='unsigned' value='1'/>"
    override = lambda i: f"<qemu:override><qemu:device alias='ua-{i}'><qemu:frontend>{prop}</qemu:frontend></qemu:device></qemu:override>"
    capability = lambda i: f"<qemu:capabilities><qemu:del capability='c{i}'/></qemu:capabilities>"
    deletions = "<qemu:capabilities>" + "".join(f"<qemu:del capability='c{i}'/>" for i in range(count)) + "</qemu:capabilities>"
    sets = lambda device: args([w for i in range(count) for w in ("-set", f"device.{device(i)}.{('x-igd-opregion', 'ramfb', 'xres')[i % 3]}=on")])
    each = lambda one: "".join(one(i) for i in range(count))
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
    small = folder / "corpus"
    small.mkdir()
    for number in range(580):
        devices = [disk(i) for i in range(number % 5)] + (SPICE if number % 2 else []) + ([f"    {VGPU}"] if number % 20 == 0 else [])
        (small / f"{number}.xml").write_text(domain(devices))
    odd = folder / "hostile"
    odd.mkdir()
    for name, text in hostile().items():
        (odd / f"{name}.xml").write_text(text)
    for times in (1, 4):
        size = folder / f"growing-{times}"
        size.mkdir()
        for name, text in growing(4_000 * times).items():
            (size / f"{name}.xml").write_text(text)
    (folder / "levels.xml").write_text("<a>" * 1_000_000 + "</a>" * 1_000_000)


# Measuring ------------------------------------------------------------------------------------------------------------------------

def run(command, stdin=None, pipe=False, processor=False):
    """Seconds (of the clock, or of the processor), peak bytes and exit code of one process, its output thrown away."""
    source = None
    if stdin and pipe:
        source = subprocess.Popen(["cat", str(stdin)], stdout=subprocess.PIPE)
        read = source.stdout.fileno()
    else:
        read = os.open(str(stdin) if stdin else os.devnull, os.O_RDONLY)
    null = os.open(os.devnull, os.O_WRONLY)
    actions = [(os.POSIX_SPAWN_DUP2, read, 0), (os.POSIX_SPAWN_DUP2, null, 1), (os.POSIX_SPAWN_DUP2, null, 2)]
    begin = time.perf_counter()
    child = os.posix_spawn(command[0], command, os.environ, file_actions=actions)
    _, status, usage = os.wait4(child, 0)
    seconds = usage.ru_utime + usage.ru_stime if processor else time.perf_counter() - begin
    os.close(null)
    if source:
        source.stdout.close()
        source.wait()
    else:
        os.close(read)
    return seconds, usage.ru_maxrss * 1024, os.waitstatus_to_exitcode(status)


def small_peak(command, stdin):
    """Peak bytes of a process that says something on stderr last."""
    read, write = os.pipe()
    os.set_blocking(write, False)
    try:
        while True:
            os.write(write, bytes(4096))
    except BlockingIOError:
        os.set_blocking(write, True)
    with open(stdin, "rb") as file:
        child = subprocess.Popen(command, stdin=file, stdout=subprocess.DEVNULL, stderr=write)
    os.close(write)
    time.sleep(0.3)
    status = Path(f"/proc/{child.pid}/status").read_text()
    with os.fdopen(read, "rb") as rest:
        rest.read()
    child.wait()
    return int(status.split("VmHWM:")[1].split()[0]) * 1024


class Table:
    def __init__(self, only):
        self.only, self.over = only, 0
        print(f"{'':3}{'case':46}{'figure':>12}{'bar':>12}   {'time':>10}{'peak':>10}")

    def wants(self, name):
        return self.only is None or self.only in name

    def row(self, name, figure, bar, unit, seconds, peak):
        over = figure > bar
        self.over += over
        scale = f"{seconds * 1e3:.2f} ms"
        print(f"{'!! ' if over else '   '}{name:46}{figure:>9.3g}{unit:>3}{bar:>9.3g}{unit:>3}   {scale:>10}{peak / MIB:>7.1f} MB", flush=True)

    def pair(self, name, own, other, bar, rounds, stdin=None, other_stdin=None, times_input=None, most=None, pipe=False):
        """Time against another program's, and peak memory against the input or a number of bytes."""
        if not self.wants(name):
            return
        ratios, times, peaks = [], [], []
        for _ in range(rounds):
            mine = run(own, stdin, pipe)
            theirs = run(other, other_stdin)
            if mine[2] not in (0, 1):
                sys.exit(f"{name}: exit code {mine[2]}")
            ratios.append(mine[0] / theirs[0])
            times.append(mine[0])
            peaks.append(mine[1])
        peak, seconds = max(peaks), statistics.median(times)
        if bar:
            self.row(name, statistics.median(ratios), bar, "x", seconds, peak)
        if times_input:
            self.row(f"{name}: memory / input", peak / os.path.getsize(stdin), times_input, "x", seconds, peak)
        if most:
            peak = small_peak(own, stdin)
            self.row(f"{name}: memory", peak / MIB, most / MIB, "MB", seconds, peak)

    def each(self, name, command, with_findings, without, bar, count, rounds):
        """Microseconds a diagnostic: what a file with findings costs more than the same without."""
        if not self.wants(name):
            return
        costs, times, peaks = [], [], []
        for _ in range(rounds):
            mine, base = run(command, with_findings, processor=True), run(command, without, processor=True)
            costs.append((mine[0] - base[0]) / count * 1e6)
            times.append(mine[0])
            peaks.append(mine[1])
        self.row(name, statistics.median(costs), bar, "µs", statistics.median(times), max(peaks))

    def within(self, name, command, bar, rounds, stdin):
        """Milliseconds of the processor, the shortest of a few: what the machine does meanwhile is not the program's."""
        if not self.wants(name):
            return
        runs = [run(command, stdin, processor=True) for _ in range(rounds)]
        if any(code not in (0, 1, 2) for _, _, code in runs):
            sys.exit(f"{name}: exit code {runs[0][2]}")
        best = min(seconds for seconds, _, _ in runs)
        self.row(name, best * 1e3, bar, "ms", best, max(peak for _, peak, _ in runs))

    def growth(self, name, command, rounds, few, many):
        """How many times as long four times as much takes, each the shortest of a few."""
        if not self.wants(name):
            return
        best = lambda file: min(run(command, file, processor=True) for _ in range(rounds))
        small, large = best(few), best(many)
        self.row(name, large[0] / small[0], 8, "x", large[0], large[1])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", help="measure this one instead of building")
    parser.add_argument("--corpus", help="a folder of domain XML files instead of the generated ones")
    parser.add_argument("--only", help="only rows with this in their name")
    parser.add_argument("--rounds", type=int, default=20, help="rounds of the quick rows; the slow ones take a fourth")
    options = parser.parse_args()
    binary = options.binary
    if not binary:
        subprocess.run(["cargo", "build", "--release", "--target", TARGET], cwd=ROOT, check=True)
        target = os.environ.get("CARGO_TARGET_DIR", ROOT / "target")
        binary = str(Path(target) / TARGET / "release" / "gvtg-xml")
    xmllint = shutil.which("xmllint") or sys.exit("xmllint is missing (Debian: libxml2-utils)")
    true = shutil.which("true")
    quick, slow = options.rounds * 10, max(3, options.rounds // 4)
    os.environ.pop("DISPLAY", None)
    with tempfile.TemporaryDirectory(prefix="gvtg-xml-bench-") as name:
        # In a process of its own: a big parent's memory would be counted as each child's.
        if (child := os.fork()) == 0:
            write_inputs(Path(name))
            os._exit(0)
        os.waitpid(child, 0)
        files = {path.stem: path for path in Path(name).glob("*.xml")}
        corpus, levels = Path(name) / "corpus", files["levels"]
        odd = {path.stem: path for path in sorted((Path(name) / "hostile").glob("*.xml"))}
        few = sorted((Path(name) / "growing-1").glob("*.xml"))
        table = Table(options.only)
        small = ROOT / "fixtures" / "win10-virt-manager.xml"
        table.pair("small fix / true", [binary, "fix"], [true], 0.6, quick, stdin=small, most=1.5 * MIB)
        table.pair("small fix / xmllint", [binary, "fix"], [xmllint, "--noout", "-"], 0.25, quick, stdin=small, other_stdin=small)
        many = sorted(str(path) for path in Path(options.corpus or corpus).glob("*.xml"))
        for form in ("concise", "full"):
            lint = [binary, "lint", "--format", form, *many]
            table.pair(f"lint of {len(many)} files, {form} / xmllint", lint, [xmllint, "--noout", *many], 0.6, options.rounds)
        for kind, bar in (("lint", 0.6), ("fix", 1.1)):
            for file in ("big", "big-declared") if kind == "lint" else ("big-fixable", "big-fixable-declared"):
                lint = [xmllint, "--huge", "--noout", str(files[file])]
                table.pair(f"{kind} {file} / xmllint", [binary, kind], lint, bar, slow, stdin=files[file], times_input=7)
                table.pair(f"{kind} {file}, piped", [binary, kind], [true], None, 3, stdin=files[file], times_input=7, pipe=True)
        for kind in ("lint", "fix"):
            table.pair(f"{kind} big-undeclared", [binary, kind], [true], None, 3, stdin=files["big-undeclared"], times_input=7, pipe=True)
        for layout in ("many", "line"):
            for form, bar in (("full", 20), ("concise", 10), ("json", 20)):
                command = [binary, "lint", "--format", form, "--only", "spice-leftover"]
                table.each(f"a diagnostic, {layout}, {form}", command, files[f"{layout}-True"], files[f"{layout}-False"], bar, 10_000, slow)
        for name, file in odd.items():
            for kind in (["lint", "--format", "concise"], ["fix"]):
                table.within(f"{kind[0]}: {name}", [binary, *kind], 100, 3, file)
        for form in ("set", "override"):
            for name in (name for name in odd if "-set" in name or "overr" in name or "propert" in name):
                version = "7.0.0" if form == "set" else "8.0.0"
                for kind in (["lint", "--format", "concise"], ["fix"]):
                    table.within(f"{kind[0]} for libvirt {version}: {name}", [binary, *kind, "--libvirt", version], 100, 3, odd[name])
        for file in few:
            for kind in (["lint", "--format", "json"], ["fix"], ["fix", "--libvirt", "7.0.0"], ["fix", "--libvirt", "8.2.0"]):
                title = " ".join(kind).replace("--", "").replace("format ", "")
                table.growth(f"{title}: {file.stem}, 4 times as many", [binary, *kind], 3, file, file.parent.parent / "growing-4" / file.name)
        table.within("lint: a million levels", [binary, "lint"], 1000, 3, levels)
        table.within("fix: a million levels", [binary, "fix"], 1000, 3, levels)
    print(f"{table.over} over their bar" if table.over else "all within their bars")
    sys.exit(1 if table.over else 0)


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    main()
