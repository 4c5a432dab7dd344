// The Host files tab: the files that the host needs, their paths, and the next steps.

import { byId, element, withCode } from './dom.js';
import { copy, download } from './transfer.js';

/**
 * Shows the host's files as the engine returned them or, given the result of a check that has no
 * fixed text, the reason why there are none.
 */
export function showFiles({ files, steps, error, settings }) {
  const container = byId('files');
  if (!files) {
    const message = error ? `${error.message}: ${error.help}` : settings ? 'Correct the invalid setting first.' : 'Paste a VM’s XML first.';
    container.replaceChildren(element('p', { class: 'empty' }, ...withCode(message)));
    return;
  }
  const stepList = element('ol', { class: 'steps' }, ...steps.map((step) => element('li', {}, ...withCode(step))));
  container.replaceChildren(...files.map(fileSection), element('h3', {}, 'Next steps'), stepList);
}

function fileSection({ name, path, what, mode, text }) {
  const title = path ?? 'Kernel command line';
  const note = path ? `mode ${mode}` : what;
  // Names the file for screen readers. Not an aria-label, which would hide the button's change to
  // "Copied".
  const hiddenTitle = () => element('span', { class: 'unseen' }, ` ${title}`);
  const copyLabel = element('span', {}, 'Copy');
  const copyButton = element('button', { type: 'button', onclick: () => copy(copyLabel, text) }, copyLabel, hiddenTitle());
  const downloadButton = element('button', { type: 'button', onclick: () => download(name, text) }, 'Download', hiddenTitle());
  const content = element('pre', { tabIndex: 0 }, element('code', {}, text));
  content.setAttribute('aria-label', title);
  content.setAttribute('role', 'region');
  return element('section', { class: 'file', 'data-name': name },
    element('header', {}, element('h3', {}, title), element('span', { class: 'note' }, note), copyButton, downloadButton), content);
}
