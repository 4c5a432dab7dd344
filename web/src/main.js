// The checker page: a domain in the editor, its findings, the fixed XML and the host's files.

import { byId, count, withCode } from './dom.js';
import { Editor } from './editor.js';
import { Engine } from './engine.js';
import { clearChanges, showChanges } from './changes.js';
import { showFiles } from './files.js';
import { Findings } from './findings.js';
import { Settings } from './settings.js';
import { Tabs } from './tabs.js';
import { copy, download, onDrop } from './transfer.js';

// A domain made by virt-manager, for the Example button. The build takes it from
// fixtures/win10-virt-manager.xml.
const { example } = globalThis.gvtgPage;

const engine = new Engine();
const ask = (...question) => engine.ask(...question);
const editor = new Editor(byId('editor'), { onChange: scheduleCheck, onFix: fixOne });
const findings = new Findings({ goTo, fix: fixOne, ask: (...question) => ask(...question).catch(showFailure) });
const settings = new Settings(scheduleCheck);
const tabs = new Tabs(byId('tabs'), showTab);

/** The result of the last check, with the version of the text and the settings it was made for. */
let lastCheck = { version: undefined, checkSettings: undefined, result: undefined };
/** Whether a check is running. */
let running = false;
/** Whether the text or the settings have changed since the last check started. */
let stale = false;
/** Why the last file was rejected, until a document is loaded: `{ message, help }`. */
let rejection;

/**
 * Checks the document after a change of the text or the settings. One check runs at a time; the
 * next one uses the latest text.
 */
async function scheduleCheck() {
  stale = true;
  byId('findings').ariaBusy = 'true';
  updateButtons();
  if (running) {
    return;
  }
  running = true;
  while (stale) {
    stale = false;
    await check();
    // In a large document, do not check after every keystroke.
    await new Promise((resolve) => setTimeout(resolve, Math.min(400, editor.version.length / 2500)));
  }
  running = false;
  byId('findings').ariaBusy = 'false';
}

async function check() {
  const { text, version } = editor;
  const { checkSettings } = settings;
  if (text === '') {
    showResult({ version, checkSettings, result: undefined });
    return;
  }
  rejection = undefined;
  try {
    const result = await ask('check', text, checkSettings);
    // The positions in an outdated result are wrong, and another check follows.
    if (version === editor.version && !stale) {
      showResult({ version, checkSettings, result });
    }
  } catch (error) {
    showFailure(error);
  }
}

function showFailure(error) {
  // Earlier results must not be used any more.
  showResult({ version: editor.version, checkSettings: settings.checkSettings, result: undefined });
  findings.clear('Not checked');
  showNote(`Internal error: ${error.message}. This is a bug in gvtg-xml: please report it, together with the document.`);
}

function showResult(checked) {
  lastCheck = checked;
  const { result } = checked;
  settings.mark(result?.settings);
  editor.show(result?.findings ?? []);
  if (result) {
    findings.show(result);
    showNote(fixNote(result));
  } else {
    findings.clear(rejection?.message);
    showNote(rejection?.help ?? '');
  }
  updateButtons();
  showTab(tabs.chosen);
}

/** Returns the note about fixes that are not possible, or an empty string. */
function fixNote({ fixed, settings }) {
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

function showNote(note) {
  byId('note').replaceChildren(...withCode(note));
  byId('note').hidden = note === '';
}

/** Whether the last check was made for the current text and settings. */
const isCurrent = () => lastCheck.version === editor.version && lastCheck.checkSettings === settings.checkSettings;

/** Returns the fixed text, or undefined if there is none for the current text and settings. */
function fixedText() {
  return isCurrent() ? lastCheck.result?.fixed?.text : undefined;
}

/** Enables the buttons that can be used now. */
function updateButtons() {
  const text = fixedText();
  const applied = lastCheck.result?.fixed?.applied ?? 0;
  byId('fix').disabled = text === undefined || applied === 0;
  byId('fix').textContent = applied > 0 ? `Fix ${applied === 1 ? 'it' : `all ${applied}`}` : 'Fix all';
  for (const id of ['copy', 'download']) {
    byId(id).disabled = text === undefined;
  }
  // A document that is not a domain has a report, too.
  byId('report').disabled = !isCurrent() || !lastCheck.result?.findings;
  byId('left').textContent = text !== undefined && applied > 0 && lastCheck.result.fixed.remaining > 0
    ? `${count(lastCheck.result.fixed.remaining, 'finding')} will remain` : '';
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

/** Shows a tab's content for the current text. */
async function showTab(tab) {
  const text = fixedText();
  if (tab !== 'changes') {
    clearChanges();
  } else {
    showChanges(editor.original, text ?? editor.text);
  }
  if (tab === 'files') {
    if (text === undefined) {
      showFiles(lastCheck.result ?? {});
    } else {
      const files = await ask('files', text, settings.checkSettings, settings.hostSettings).catch(showFailure);
      if (files && text === fixedText()) {
        showFiles(files);
      }
    }
  }
}

async function open(file) {
  const decoded = await ask('decode', new Uint8Array(await file.arrayBuffer())).catch(showFailure);
  if (!decoded) {
    return;
  }
  const { text, error } = decoded;
  if (error) {
    rejection = { message: `${file.name}: ${error.message}`, help: error.help };
    editor.load('');
    // If the editor was already empty, load() does not count as a change.
    scheduleCheck();
    return;
  }
  tabs.choose('editor');
  editor.load(text);
}

/** Returns the file name for a domain: its own name, or `domain.xml`. */
function fileNameOf(text) {
  const name = new DOMParser().parseFromString(text, 'text/xml').querySelector('domain > name')?.textContent ?? '';
  return `${name.replace(/[^\w.+-]+/g, '_') || 'domain'}.xml`;
}

byId('fix').addEventListener('click', () => {
  const text = fixedText();
  if (text !== undefined) {
    // The button becomes disabled and would lose the focus.
    byId('summary').focus();
    editor.replace(text);
  }
});
byId('undo').addEventListener('click', () => editor.undo());
byId('copy').addEventListener('click', ({ currentTarget }) => copy(currentTarget, fixedText()));
byId('download').addEventListener('click', () => download(fileNameOf(fixedText()), fixedText(), 'application/xml'));
byId('report').addEventListener('click', async () => {
  const name = fileNameOf(editor.text);
  const report = await ask('report', name, editor.text, settings.checkSettings).catch(showFailure);
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
updateButtons();
