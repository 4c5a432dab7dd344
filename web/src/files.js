// The host's files: what they are, where they belong, and what to do then.

import { byId, element, withCode } from './dom.js';
import { copy, download } from './transfer.js';

/** Shows what the engine gave for the host, or of a check without a fixed text why there are none. */
export function showFiles({ files, steps, error, settings }) {
  const place = byId('files');
  if (!files) {
    const message = error ? `${error.message}: ${error.help}` : settings ? 'Correct the invalid setting first.' : 'Paste a VM’s XML first.';
    place.replaceChildren(element('p', { class: 'empty' }, ...withCode(message)));
    return;
  }
  const order = element('ol', { class: 'steps' }, ...steps.map((step) => element('li', {}, ...withCode(step))));
  place.replaceChildren(...files.map(file), element('h3', {}, 'Next steps'), order);
}

function file({ name, path, what, mode, text }) {
  const title = path ?? 'Kernel command line';
  const note = path ? `mode ${mode}` : what;
  // Of what, for whoever does not see beside which file the button is: no label, which would hide that it says that something is copied.
  const named = () => element('span', { class: 'unseen' }, ` ${title}`);
  const word = element('span', {}, 'Copy');
  const copying = element('button', { type: 'button', onclick: () => copy(word, text) }, word, named());
  const saving = element('button', { type: 'button', onclick: () => download(name, text) }, 'Download', named());
  const content = element('pre', { tabIndex: 0 }, element('code', {}, text));
  content.setAttribute('aria-label', title);
  content.setAttribute('role', 'region');
  return element('section', { class: 'file', 'data-name': name },
    element('header', {}, element('h3', {}, title), element('span', { class: 'note' }, note), copying, saving), content);
}
