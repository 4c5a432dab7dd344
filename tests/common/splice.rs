//! Documents spliced together from others: elements and attributes of one are inserted into
//! another, and ambiguous text anywhere.

use gvtg_xml::internals::xml::scan::{Piece, pieces};

/// A pseudo-random number generator (splitmix64): the same seed gives the same numbers.
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % (limit.max(1) as u64)) as usize
    }

    pub fn one<'t, T: ?Sized>(&mut self, from: &[&'t T]) -> &'t T {
        from[self.below(from.len())]
    }
}

/// Whole elements that are difficult by themselves: prefixes that are bound, rebound, or not bound
/// at all; names at the limit of what is allowed.
const ELEMENTS: &[&str] = &[
    "<q:commandline xmlns:q='http://libvirt.org/schemas/domain/qemu/1.0'><q:arg value='-s'/></q:commandline>",
    "<commandline xmlns='http://libvirt.org/schemas/domain/qemu/1.0'><arg value='-s'/></commandline>",
    "<qemu:commandline xmlns:k='urn:a'><qemu:arg value='-s'/><k:keep mark='1'/></qemu:commandline>",
    "<qemu:commandline xmlns:k='urn:b'><qemu:arg value='-m 1' k:x='2'/><k:keep mark='2'/></qemu:commandline>",
    "<qemu:commandline><qemu:arg xmlns:k='urn:a' k:x='1' value='-display'/><k:keep xmlns:k='urn:b' mark='3'/></qemu:commandline>",
    "<qemu:commandline><qemu:arg value='-display gtk'/><keep xmlns='urn:a' mark='4'><inner mark='5'/></keep></qemu:commandline>",
    "<qemu:override xmlns:k='urn:a'><qemu:device alias='ua-gvtg'><qemu:frontend><qemu:property name='xres' type='int' value='1'/>\
     </qemu:frontend></qemu:device><k:keep mark='6'/></qemu:override>",
    "<qemu:capabilities><k:keep xmlns:k='urn:b' mark='7'/><qemu:del capability='x'/></qemu:capabilities>",
    "<qemu:commandline xmlns:qemu='urn:a'><qemu:keep mark='8'/></qemu:commandline>",
    "<commandline><arg value='-s'/><k:keep xmlns:k='urn:a' mark='9'/></commandline>",
    "<commandline xmlns:k='urn:b'><arg value='-s'/><k:keep mark='10'/></commandline>",
    "<commandline xmlns:qemu='urn:a'><arg value='-s'/><qemu:keep mark='11'/></commandline>",
    "<qemu:commandline xmlns=''><qemu:arg value='-s'/><keep mark='12'/></qemu:commandline>",
    "<qemu:commandline><qemu:commandline xmlns:k='urn:a'><k:keep mark='13'/></qemu:commandline></qemu:commandline>",
    "<k:keep xmlns:k='urn:a' mark='14'><qemu:commandline><k:keep mark='15'/></qemu:commandline></k:keep>",
    "<keep xmlns='urn:b' mark='16'><qemu:override><keep mark='17'/></qemu:override></keep>",
    "<hostdev type='mdev' model='vfio-pci' xmlns:k='urn:a'><k:keep mark='18'/><rom file='/x'/><rom bar='off'/></hostdev>",
    "<q:arg xmlns:q='http://libvirt.org/schemas/domain/qemu/1.0' value='-m 1'/>",
    "<qemu:override><q:device xmlns:q='http://libvirt.org/schemas/domain/qemu/1.0' xmlns:qemu='urn:a' alias='ua-gvtg'><q:frontend/></q:device>\
     </qemu:override>",
    "<hostdev mode='subsystem' type='mdev' model='vfio-pci'><source><address uuid='ab54baba-ea9a-4ce5-b7b4-51b376b65849'/></source>\
     <alias name='ua-gvtg'/><rom/><rom file='/x'/><rom/><rom/><rom/><rom/><rom/><rom/><rom/><rom/><rom/><rom/><rom/><rom/><rom/><rom/><rom/>\
     <rom/><rom/><rom/><rom/><rom/></hostdev>",
    "<metadata xmlns:k='urn:a'><k:keep mark='19'/><gvtg:domain xmlns:gvtg='urn:gvtg-xml:1' type='x'/></metadata>",
    "<a/>",
    "<a></a >",
    "<:a/>",
    "<a:/>",
    "<a:b:c/>",
    "<b:a/>",
    "<source></:source>",
    "<:source></source>",
    "<qemu:a></qemu:a>",
    "<\u{b7}a/>",
    "<a\u{b7}/>",
    "<é/>",
    "<a\u{300}/>",
    "<\u{300}a/>",
    "<1a/>",
    "<-a/>",
    "<a.-1/>",
    "<\u{37e}/>",
    "<\u{2070}/>",
    "<\u{d7}/>",
    "<\u{3001}/>",
    "<\u{10000}/>",
    "<xml/>",
    "<xmlns/>",
    "<xmlns:a/>",
    "<xml:a/>",
];

const ATTRIBUTES: &[&str] = &[
    " a='1'",
    " a=\"1\"",
    " a = '1'",
    "\n\ta='1'",
    " a='<'",
    " a='>'",
    " a='&'",
    " a='&lt;'",
    " a='&#60;'",
    " a='&quot;\"'",
    " a",
    " a=",
    " a=1",
    "a='1'",
    " :a='1'",
    " a:='1'",
    " a:b:c='1'",
    " k:a='1'",
    " \u{b7}='1'",
    " é='1'",
    " xmlns='urn:a'",
    " xmlns=''",
    " xmlns:k='urn:a'",
    " xmlns:k='urn:b'",
    " xmlns:k=''",
    " xmlns:k=' '",
    " xmlns:='urn:a'",
    " xmlns:qemu='urn:b'",
    " xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'",
    " xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0' ",
    " xmlns:q='http://libvirt.org/schemas/domain/qemu/1.0'",
    " xmlns:xml='http://www.w3.org/XML/1998/namespace'",
    " xmlns:xml='urn:a'",
    " xmlns:xmlns='urn:a'",
    " xmlns:k='http://www.w3.org/2000/xmlns/'",
    " xmlns:k='http://www.w3.org/XML/1998/namespace'",
    " xmlns='http://www.w3.org/XML/1998/namespace'",
    " xmlns='http://www.w3.org/2000/xmlns/'",
    " xmlns:k='&#x75;rn:a'",
    " xmlns:k='urn:\u{e9}'",
    " xmlns:k='%zz'",
    " xmlns:k=':'",
    " xmlns:1='urn:a'",
    " xml:space='preserve'",
    " xml:space='x'",
    " xml:lang='1'",
    " xml:id='a'",
    " xml:id='1'",
    " xml:a='1'",
    " type='mdev'",
    " display='on'",
    " value='-set'",
];

const TEXTS: &[&str] = &[
    "<",
    ">",
    "&",
    "&amp;",
    "&amp",
    "&x;",
    "&#65;",
    "&#x41;",
    "&#X41;",
    "&#0;",
    "&#xfffe;",
    "&#65",
    "&#;",
    "&;",
    "&#x1F600;",
    "]]>",
    "]]",
    "--",
    "<!---->",
    "<!-->",
    "<!--->",
    "<!-- - -->",
    "<!-- -- -->",
    "<!-- --->",
    "<!--a",
    "<![CDATA[]]>",
    "<![CDATA[]]]]>",
    "<![cdata[]]>",
    "<![CDATA[<a>]]>",
    "<?x?>",
    "<?x ?>",
    "<?x'?>",
    "<?x='1'?>",
    "<?x y?z?>",
    "<?x",
    "<? x?>",
    "<??>",
    "<?x:y?>",
    "<?:x?>",
    "<?é?>",
    "<?1?>",
    "<?xml?>",
    "<?XML x?>",
    "<?xml version='1.0'?>",
    "<?xml-a?>",
    "<!a>",
    "<!DOCTYPE a>",
    "<!ENTITY a 'b'>",
    "\r",
    "\r\n",
    "\t",
    " ",
    "\u{0}",
    "\u{b}",
    "\u{7f}",
    "\u{85}",
    "\u{a0}",
    "\u{2028}",
    "\u{feff}",
    "\u{fffe}",
    "\u{ffff}",
    "\u{1f600}",
    "é",
    "/",
    "</",
    "</a>",
    "</ a>",
    "</a b>",
    "/>",
    "'",
    "\"",
    "=",
    ":",
    "qemu:",
    "q:",
    "xmlns:",
];

/// Documents to take pieces from.
pub struct Pool {
    documents: Vec<String>,
    elements: Vec<String>,
    attributes: Vec<String>,
}

impl Pool {
    /// The pieces of these documents, except for large ones.
    pub fn new(documents: Vec<String>) -> Self {
        let (mut elements, mut attributes): (Vec<String>, Vec<String>) = Default::default();
        for text in &documents {
            elements.extend(
                element_spans(text)
                    .into_iter()
                    .filter(|span| span.len() < 700)
                    .map(|span| text[span].to_owned()),
            );
            for piece in pieces(text, 0) {
                if let Piece::Start(tag) = piece {
                    attributes.extend(
                        tag.attributes(text)
                            .map(|attribute| format!(" {}", &text[attribute.span()])),
                    );
                }
            }
        }
        attributes.sort();
        attributes.dedup();
        elements.sort();
        elements.dedup();
        Pool { documents, elements, attributes }
    }

    /// A document with up to `most` splices.
    pub fn document(&self, random: &mut Random, most: usize) -> String {
        let mut text = self.documents[random.below(self.documents.len())].clone();
        for _ in 0..1 + random.below(most) {
            text = self.spliced(&text, random);
        }
        text
    }

    fn spliced(&self, text: &str, random: &mut Random) -> String {
        let tags: Vec<_> = pieces(text, 0)
            .filter_map(|piece| match piece {
                Piece::Start(tag) => Some(tag),
                _ => None,
            })
            .collect();
        let elements = element_spans(text);
        if tags.is_empty() || elements.is_empty() {
            return text.to_owned();
        }
        let tag = &tags[random.below(tags.len())];
        let element = elements[random.below(elements.len())].clone();
        let other = if random.below(3) == 0 {
            random.one(ELEMENTS)
        } else {
            &self.elements[random.below(self.elements.len())]
        };
        let attribute = if random.below(2) == 0 {
            random.one(ATTRIBUTES)
        } else {
            &self.attributes[random.below(self.attributes.len())]
        };
        let replaced = |range: std::ops::Range<usize>, new: &str| {
            [&text[..range.start], new, &text[range.end..]].concat()
        };
        match random.below(12) {
            // An element before, inside, after or instead of another, or only the content of one.
            0 => replaced(element.start..element.start, other),
            1 => replaced(tag.span.end..tag.span.end, other),
            2 => replaced(element.end..element.end, other),
            3 => replaced(element, other),
            4 => replaced(element, ""),
            5 => {
                let own = text[element.clone()].to_owned();
                replaced(element.end..element.end, &own)
            }
            // An element around another.
            6 => match other
                .find('>')
                .filter(|at| !other[..*at].ends_with('/') && other.starts_with('<'))
            {
                Some(at) => {
                    let close = other.rfind("</").unwrap_or(other.len());
                    let wrapped = [&other[..=at], &text[element.clone()], &other[close..]].concat();
                    replaced(element, &wrapped)
                }
                None => replaced(element, other),
            },
            7 | 8 => replaced(tag.name.end..tag.name.end, attribute),
            9 => match tag.attributes(text).nth(random.below(4)) {
                Some(old) if random.below(2) == 0 => replaced(old.span(), attribute.trim_start()),
                Some(old) => replaced(old.span(), ""),
                None => replaced(tag.name.end..tag.name.end, attribute),
            },
            10 => replaced(tag.span.end..tag.span.end, random.one(TEXTS)),
            _ => {
                let mut at = random.below(text.len() + 1);
                while !text.is_char_boundary(at) {
                    at -= 1;
                }
                replaced(at..at, random.one(TEXTS))
            }
        }
    }
}

/// The elements of a text whose tags match.
pub fn element_spans(text: &str) -> Vec<std::ops::Range<usize>> {
    let (mut open, mut spans) = (Vec::new(), Vec::new());
    for piece in pieces(text, 0) {
        match piece {
            Piece::Start(tag) if tag.self_closing => spans.push(tag.span),
            Piece::Start(tag) => open.push(tag.span.start),
            Piece::End { span, .. } => spans.extend(open.pop().map(|start| start..span.end)),
            _ => {}
        }
    }
    spans
}
