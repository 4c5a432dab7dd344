//! libxml2's verdict on thousands of documents, from one process that reads them all.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use super::program::has_tool;

/// libxml2's verdict on a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Accepted,
    /// An error at which neither libxml2 nor libvirt stops: an undeclared prefix, a namespace that
    /// is not a URI.
    Questionable,
    /// The document is not well-formed, for this reason.
    Refused(String),
}

pub struct Libxml2 {
    process: Child,
    documents: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Libxml2 {
    /// Starts the process; None without python3-lxml, which is reported as skipped.
    pub fn start() -> Option<Self> {
        // Debian's own Python, which has Debian's modules, even if $PATH has another.
        let python = "/usr/bin/python3";
        if !has_tool(python, &["-c", "import lxml.etree"]) {
            return None;
        }
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/common/libxml2.py");
        let mut process = Command::new(python)
            .arg(script)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3 runs");
        let documents = process.stdin.take().expect("stdin is a pipe");
        let answers = BufReader::new(process.stdout.take().expect("stdout is a pipe"));
        Some(Libxml2 { process, documents, answers })
    }

    /// libxml2's verdict on a document.
    pub fn judge(&mut self, document: &[u8]) -> Verdict {
        let length = u32::try_from(document.len()).expect("a small document").to_le_bytes();
        self.documents.write_all(&[&length, document].concat()).expect("libxml2 listens");
        let mut answer = String::new();
        self.answers.read_line(&mut answer).expect("libxml2 answers in UTF-8");
        assert!(answer.ends_with('\n'), "libxml2 is gone");
        match answer.trim_end().split_once(": ") {
            Some(("fatal", why)) => Verdict::Refused(why.to_owned()),
            Some(_) => Verdict::Questionable,
            None => Verdict::Accepted,
        }
    }
}

impl Drop for Libxml2 {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
