// The page: a domain in the editor, what the engine says of it, and what comes out.

import { byId, count, withCode } from './dom.js';
import { Editor } from './editor.js';
import { Engine } from './engine.js';
import { clearChanges, showChanges } from './changes.js';
import { showFiles } from './files.js';
import { Findings } from './findings.js';
import { Settings } from './settings.js';
import { Tabs } from './tabs.js';
import { copy, download, onDrop } from './transfer.js';

// An example to try the page with: a domain as virt-manager makes one. The build puts fixtures/win10-virt-manager.xml here.
const { example } = globalThis.gvtgPage;

const engine = new Engine();
const ask = (...question) => engine.ask(...question);
const editor = new Editor(byId('editor'), { changed, chosen: fixOne });
const findings = new Findings({ goTo, fix: fixOne, ask: (...question) => ask(...question).catch(sayFailure) });
const settings = new Settings(changed);
const tabs = new Tabs(byId('tabs'), show);

/** What the last check gave, and the state of the text and the settings that it is for. */
let last = { version: undefined, wishes: undefined, result: undefined };
/** Whether a check is under way, and whether another has to follow it. */
let running = false;
let stale = false;
/** Why a file was refused, until a document comes: `{ message, help }`. */
let refusal;

/** After each change of the text or the settings: one check at a time, the newest text next. */
async function changed() {
  stale = true;
  byId('findings').ariaBusy = 'true';
  enable();
  if (running) {
    return;
  }
  running = true;
  while (stale) {
    stale = false;
    await check();
    // Whoever types in a large document is not asked about each letter.
    await new Promise((resolve) => setTimeout(resolve, Math.min(400, editor.version.length / 2500)));
  }
  running = false;
  byId('findings').ariaBusy = 'false';
}

async function check() {
  const { text, version } = editor;
  const { wishes } = settings;
  if (text === '') {
    accept({ version, wishes, result: undefined });
    return;
  }
  refusal = undefined;
  try {
    const result = await ask('check', text, wishes);
    // What is said of a text that has changed since has its places wrong; the next check is on its way.
    if (version === editor.version && !stale) {
      accept({ version, wishes, result });
    }
  } catch (error) {
    sayFailure(error);
  }
}

function sayFailure(error) {
  // Nothing that was found before can be used now.
  accept({ version: editor.version, wishes: settings.wishes, result: undefined });
  findings.clear('Not checked');
  say(`Internal error: ${error.message}. This is a bug in gvtg-xml: please report it, together with the document.`);
}

function accept(checked) {
  last = checked;
  const { result } = checked;
  settings.mark(result?.settings);
  editor.show(result?.findings ?? []);
  if (result) {
    findings.show(result);
    say(noteOf(result));
  } else {
    findings.clear(refusal?.message);
    say(refusal?.help ?? '');
  }
  enable();
  show(tabs.chosen);
}

/** What there is to know beside the findings. */
function noteOf({ fixed, settings }) {
  if (settings || !fixed) {
    return '';
  }
  if (fixed.error) {
    return `Nothing can be fixed: ${fixed.error}`;
  }
  if (fixed.withheld) {
    return `Display fixes are skipped: ${fixed.ignoresErrors
      ? 'an error is suppressed, so they might leave the guest without a display.' : 'they would leave the guest without a display.'}`;
  }
  return '';
}

function say(note) {
  byId('note').replaceChildren(...withCode(note));
  byId('note').hidden = note === '';
}

/** Whether the last check was of what is in the editor now, under the settings of now. */
const isCurrent = () => last.version === editor.version && last.wishes === settings.wishes;

/** The fixed text, if it is that of what is in the editor now. */
function fixedText() {
  return isCurrent() ? last.result?.fixed?.text : undefined;
}

/** Switches on what can be done now. */
function enable() {
  const text = fixedText();
  const number = last.result?.fixed?.applied ?? 0;
  byId('fix').disabled = text === undefined || number === 0;
  byId('fix').textContent = number > 0 ? `Fix ${number === 1 ? 'it' : `all ${number}`}` : 'Fix all';
  for (const id of ['copy', 'download']) {
    byId(id).disabled = text === undefined;
  }
  // What is no domain has a report as well.
  byId('report').disabled = !isCurrent() || !last.result?.findings;
  byId('left').textContent = text !== undefined && number > 0 && last.result.fixed.remaining > 0
    ? `${count(last.result.fixed.remaining, 'finding')} will remain` : '';
}

function fixOne(finding) {
  if (isCurrent()) {
    editor.apply(finding.fix.edits);
  }
}

function goTo(from, to) {
  tabs.choose('editor');
  editor.goTo(from, to);
}

/** Shows a tab with what belongs to the text as it is now. */
async function show(tab) {
  const text = fixedText();
  if (tab !== 'changes') {
    clearChanges();
  } else {
    showChanges(editor.original, text ?? editor.text);
  }
  if (tab === 'files') {
    if (text === undefined) {
      showFiles(last.result ?? {});
    } else {
      const files = await ask('files', text, settings.wishes, settings.host).catch(sayFailure);
      if (files && text === fixedText()) {
        showFiles(files);
      }
    }
  }
}

async function open(file) {
  const decoded = await ask('decode', new Uint8Array(await file.arrayBuffer())).catch(sayFailure);
  if (!decoded) {
    return;
  }
  const { text, error } = decoded;
  if (error) {
    refusal = { message: `${file.name}: ${error.message}`, help: error.help };
    editor.load('');
    // Where the editor was empty before, that is no change.
    changed();
    return;
  }
  tabs.choose('editor');
  editor.load(text);
}

/** The name under which a fixed domain is saved: its own. */
function nameOf(text) {
  const name = new DOMParser().parseFromString(text, 'text/xml').querySelector('domain > name')?.textContent ?? '';
  return `${name.replace(/[^\w.+-]+/g, '_') || 'domain'}.xml`;
}

byId('fix').addEventListener('click', () => {
  const text = fixedText();
  if (text !== undefined) {
    // The button is disabled from now on, and the focus would be nowhere.
    byId('summary').focus();
    editor.replace(text);
  }
});
byId('undo').addEventListener('click', () => editor.undo());
byId('copy').addEventListener('click', ({ currentTarget }) => copy(currentTarget, fixedText()));
byId('download').addEventListener('click', () => download(nameOf(fixedText()), fixedText(), 'application/xml'));
byId('report').addEventListener('click', async () => {
  const name = nameOf(editor.text);
  const report = await ask('report', name, editor.text, settings.wishes).catch(sayFailure);
  if (report) {
    download(name.replace(/xml$/, 'json'), report, 'application/json');
  }
});
byId('example').addEventListener('click', () => editor.load(example));
byId('open').addEventListener('click', () => byId('file').click());
byId('file').addEventListener('change', ({ target }) => {
  if (target.files[0]) {
    open(target.files[0]);
  }
  target.value = '';
});
onDrop(open);

engine.warm();
enable();
