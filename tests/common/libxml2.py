"""Reads documents with libxml2, one after the other: on stdin each as its length in four bytes (little endian) and its bytes; on stdout a
line for each: "fatal: …" where it refuses it, "error: …" where it complains and reads on, as libvirt then does too, else an empty one."""

import struct
import sys

from lxml import etree

# As libvirt reads (src/util/virxml.c): without network, without XML_PARSE_HUGE.
OPTIONS = {"no_network": True, "resolve_entities": False, "huge_tree": False, "remove_blank_text": False}


def judge(document):
    parser = etree.XMLParser(recover=True, **OPTIONS)
    try:
        etree.fromstring(document, parser)
    except etree.XMLSyntaxError as error:
        return "fatal: " + str(error)
    entries = [entry for entry in parser.error_log if entry.level >= etree.ErrorLevels.ERROR]
    entries.sort(key=lambda entry: -entry.level)
    kind = {etree.ErrorLevels.FATAL: "fatal", etree.ErrorLevels.ERROR: "error"}
    return f"{kind[entries[0].level]}: {entries[0].message}" if entries else ""


while head := sys.stdin.buffer.read(4):
    print(judge(sys.stdin.buffer.read(struct.unpack("<I", head)[0])).replace("\n", " "), flush=True)
