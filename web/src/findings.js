// The list of findings, with their positions, explanations and fixes.

import { byId, count, element, withCode } from './dom.js';
import { isFixable } from './editor.js';
import { prose } from './prose.js';

const LABELS = { error: 'Error', warning: 'Warning', info: 'Info' };

// The editor marks all findings; thousands of list items would make the page slow.
const MAX_LISTED = 200;

export class Findings {
  /**
   * `goTo` is called with a range of the text, `fix` with a finding, and `ask` with a method of the
   * engine and its arguments; `ask` resolves to undefined if the call fails.
   */
  constructor({ goTo, fix, ask }) {
    Object.assign(this, { goTo, fix, ask });
    this.list = byId('findings');
  }

  /** Shows the result of a check. */
  show({ findings, suppressed, settings }) {
    const items = settings ? settings.map(settingItem) : findings.slice(0, MAX_LISTED).map((finding) => this.#item(finding));
    // A user who fixes findings with the keyboard continues at the same position in the list.
    const focusedIndex = [...this.list.children].findIndex((item) => item.contains(document.activeElement));
    this.list.replaceChildren(...items);
    if (focusedIndex >= 0) {
      (items[Math.min(focusedIndex, items.length - 1)]?.querySelector('button') ?? byId('summary')).focus();
    }
    byId('summary').textContent = settings ? 'Invalid setting' : summary(findings, suppressed);
    const unlisted = settings ? 0 : findings.length - MAX_LISTED;
    byId('more').textContent = unlisted > 0 ? `and ${unlisted} more, marked in the editor` : '';
  }

  /** Empties the list and shows a message in place of the summary. */
  clear(message = 'No document yet') {
    this.list.replaceChildren();
    byId('summary').textContent = message;
    byId('more').textContent = '';
  }

  #item(finding) {
    const { rule, severity, message, help, line, column, related, fix } = finding;
    const positionButton = element('button', { class: 'place', type: 'button', onclick: () => this.goTo(finding.from, finding.to) }, `line ${line}`);
    positionButton.setAttribute('aria-label', `Go to line ${line}, column ${column}`);
    const relatedItems = related.map((relatedPlace) => element('li', {}, element('button', {
      class: 'place', type: 'button', onclick: () => this.goTo(relatedPlace.from),
    }, relatedPlace.message)));
    return element('li', { class: `finding ${severity}`, 'data-rule': rule },
      element('p', { class: 'head' }, element('span', { class: 'severity' }, LABELS[severity]), positionButton),
      element('p', { class: 'message' }, ...withCode(message)),
      help && element('p', { class: 'help' }, ...withCode(help)),
      relatedItems.length > 0 && element('ul', { class: 'related' }, ...relatedItems),
      fix?.risk && element('p', { class: 'risk' }, `This may lose ${fix.risk}.`),
      element('div', { class: 'row' },
        isFixable(finding) && element('button', { class: 'fix', type: 'button', title: fix.title, onclick: () => this.fix(finding) }, fix.title),
        this.#why(rule)));
  }

  /** Returns a `<details>` element that loads the rule's explanation when it is opened. */
  #why(id) {
    const text = element('div', { class: 'why' });
    const details = element('details', {}, element('summary', {}, 'Why', element('code', {}, id)), text);
    details.addEventListener('toggle', async () => {
      if (details.open && text.childElementCount === 0) {
        const rule = await this.ask('rule', id);
        if (rule) {
          text.innerHTML = prose(rule.why);
          text.append(element('p', {}, element('a', { href: `rules/${id}.html` }, 'The rule’s page, with examples and sources')));
        }
      }
    });
    return details;
  }
}

function settingItem({ name, message }) {
  return element('li', { class: 'finding error' },
    element('p', { class: 'head' }, element('span', { class: 'severity' }, 'Setting')),
    element('p', { class: 'message' }, element('code', {}, name), ': ', ...withCode(message)));
}

/** Counts the findings by severity: `2 errors, 1 warning, 3 info, 1 suppressed`. */
function summary(findings, suppressed) {
  const suppressedNote = suppressed > 0 ? `, ${suppressed} suppressed` : '';
  if (findings.length === 0) {
    return `No problems found${suppressedNote}`;
  }
  const counts = [['error', 'error'], ['warning', 'warning'], ['info', 'info']].map(([severity, word]) => {
    const number = findings.filter((finding) => finding.severity === severity).length;
    // "info" has no plural, as in the program's other reports.
    return number > 0 ? (word === 'info' ? `${number} info` : count(number, word)) : '';
  });
  return counts.filter(Boolean).join(', ') + suppressedNote;
}
