//! The README's picture of a terminal: the program's output with its colours, as SVG.

use std::fmt::Write as _;
use std::fs;

use crate::common::program::{feed, program};

/// The commands in the picture, in a folder with virt-manager's VM.
const COMMANDS: [&str; 2] =
    ["gvtg-xml lint --only stray-graphics win10.xml", "gvtg-xml fix --in-place win10.xml"];

/// The size of a terminal cell, and the margin around all of them, in pixels.
const CELL: (usize, usize) = (8, 18);
const MARGIN: usize = 16;

/// The terminal's columns: longer lines are wrapped, as terminals do.
const COLUMNS: usize = 118;

/// The commands and their output, as a picture.
pub fn of_a_run() -> String {
    let folder = tempfile::tempdir().unwrap();
    fs::copy("fixtures/win10-virt-manager.xml", folder.path().join("win10.xml")).unwrap();
    let mut lines = Vec::new();
    for command in COMMANDS {
        let prompt = Run { text: "$ ".into(), style: Style { is_dim: true, ..Style::default() } };
        lines.push(vec![
            prompt,
            Run { text: command.into(), style: Style { is_bold: true, ..Style::default() } },
        ]);
        let words = command.split(' ').skip(1).chain(["--color", "always"]);
        let output = feed(program(words).current_dir(folder.path()), b"");
        let printed = [output.stdout, output.stderr].concat();
        lines.extend(runs(&String::from_utf8(printed).unwrap()));
        lines.push(Vec::new());
    }
    lines.pop();
    svg(&lines.into_iter().flat_map(|line| folded(line, COLUMNS)).collect::<Vec<_>>())
}

/// The style of text, as far as the program uses it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Style {
    is_bold: bool,
    is_dim: bool,
    is_underlined: bool,
    /// A colour from 30 to 37, or from 90 to 97.
    colour: Option<u8>,
}

/// A piece of a line in one style.
#[derive(Debug, PartialEq)]
struct Run {
    text: String,
    style: Style,
}

/// The lines of output for a terminal.
fn runs(printed: &str) -> Vec<Vec<Run>> {
    let mut style = Style::default();
    let line = |line: &str| {
        let mut pieces = line.split("\u{1b}[");
        let mut runs = vec![Run { text: pieces.next().unwrap().into(), style }];
        for piece in pieces {
            let (codes, text) = piece.split_once('m').expect("nothing but colours");
            for code in codes.split(';') {
                match code {
                    "" | "0" => style = Style::default(),
                    "1" => style.is_bold = true,
                    "2" => style.is_dim = true,
                    "4" => style.is_underlined = true,
                    "39" => style.colour = None,
                    code => {
                        let colour = code.parse().unwrap();
                        assert!(matches!(colour, 30..=37 | 90..=97), "{code} is not drawn yet");
                        style.colour = Some(colour);
                    }
                }
            }
            runs.push(Run { text: text.into(), style });
        }
        runs.retain(|run| !run.text.is_empty());
        runs
    };
    printed.lines().map(line).collect()
}

/// A line wrapped to this number of columns.
fn folded(line: Vec<Run>, columns: usize) -> Vec<Vec<Run>> {
    let (mut lines, mut column) = (vec![Vec::new()], 0);
    for Run { text, style } in line {
        let mut rest: Vec<char> = text.chars().collect();
        while !rest.is_empty() {
            if column == columns {
                lines.push(Vec::new());
                column = 0;
            }
            let piece: String = rest.drain(..rest.len().min(columns - column)).collect();
            column += piece.chars().count();
            lines.last_mut().unwrap().push(Run { text: piece, style });
        }
    }
    lines
}

fn svg(lines: &[Vec<Run>]) -> String {
    let length = |line: &Vec<Run>| line.iter().map(|run| run.text.chars().count()).sum::<usize>();
    let width = lines.iter().map(length).max().unwrap_or(0) * CELL.0 + 2 * MARGIN;
    let height = lines.len() * CELL.1 + 2 * MARGIN;
    let mut svg = format!(
        "<svg xmlns='http://www.w3.org/2000/svg' width='{width}' height='{height}' viewBox='0 0 {width} {height}'>\n\
         <rect width='{width}' height='{height}' rx='8' fill='#1e1e1e'/>\n\
         <g font-family='ui-monospace, SFMono-Regular, Menlo, Consolas, \"DejaVu Sans Mono\", monospace' font-size='13' fill='#d4d4d4'>\n"
    );
    for (row, line) in lines.iter().enumerate() {
        let mut column = 0;
        for Run { text, style } in line {
            let length = text.chars().count();
            if !text.trim().is_empty() {
                // Each piece is as wide as its cells, in any font.
                let (x, y) = (MARGIN + column * CELL.0, MARGIN + row * CELL.1 + 13);
                let look = look(*style);
                let text = text.replace('&', "&amp;").replace('<', "&lt;");
                let _ = writeln!(
                    svg,
                    "<text x='{x}' y='{y}' textLength='{}' lengthAdjust='spacingAndGlyphs' xml:space='preserve'{look}>{text}</text>",
                    length * CELL.0
                );
            }
            column += length;
        }
    }
    svg + "</g>\n</svg>\n"
}

/// The SVG attributes for a style.
fn look(style: Style) -> String {
    let mut look = String::new();
    if let Some(colour) = style.colour {
        let names = [
            "#808080", "#f14c4c", "#23d18b", "#e5c07b", "#61afef", "#d670d6", "#29b8db", "#e5e5e5",
        ];
        let _ = write!(look, " fill='{}'", names[usize::from(colour % 10)]);
    }
    for (is_so, attribute) in [
        (style.is_bold, " font-weight='bold'"),
        (style.is_dim, " fill-opacity='0.6'"),
        (style.is_underlined, " text-decoration='underline'"),
    ] {
        if is_so {
            look.push_str(attribute);
        }
    }
    look
}

#[test]
fn parses_colours() {
    let run = |text: &str, style: Style| Run { text: text.into(), style };
    let red = Style { colour: Some(31), is_bold: true, ..Style::default() };
    let lines = runs("a\u{1b}[31;1mb\nc\u{1b}[0md\n\n");
    assert_eq!(
        lines,
        [
            vec![run("a", Style::default()), run("b", red)],
            vec![run("c", red), run("d", Style::default())],
            vec![]
        ]
    );
    assert!(svg(&lines).contains(
        "<text x='24' y='29' textLength='8' lengthAdjust='spacingAndGlyphs' xml:space='preserve' fill='#f14c4c' font-weight='bold'>b</text>"
    ));
    assert_eq!(
        folded(runs("abc\u{1b}[1mdef").remove(0), 4).iter().map(Vec::len).collect::<Vec<_>>(),
        [2, 1]
    );
    assert_eq!(svg(&runs("<&")).matches("&lt;&amp;</text>").count(), 1);
}
