// The list of findings: what is wrong, where, why, and what mends it.

import { byId, count, element, withCode } from './dom.js';
import { isFixable } from './editor.js';
import { prose } from './prose.js';

const LABELS = { error: 'Error', warning: 'Warning', info: 'Info' };

// So many are listed: all of them are in the editor, and thousands of elements would make the page slow.
const MOST_LISTED = 200;

export class Findings {
  /** `goTo` gets a place, `fix` a finding, `ask` a method of the engine and its arguments, and gives nothing where that fails. */
  constructor({ goTo, fix, ask }) {
    Object.assign(this, { goTo, fix, ask });
    this.list = byId('findings');
  }

  /** Shows what a check gave. */
  show({ findings, suppressed, settings }) {
    const items = settings ? settings.map(settingItem) : findings.slice(0, MOST_LISTED).map((finding) => this.#item(finding));
    // Whoever mends one after the other with a keyboard goes on where they were.
    const at = [...this.list.children].findIndex((item) => item.contains(document.activeElement));
    this.list.replaceChildren(...items);
    if (at >= 0) {
      (items[Math.min(at, items.length - 1)]?.querySelector('button') ?? byId('summary')).focus();
    }
    byId('summary').textContent = settings ? 'Invalid setting' : summary(findings, suppressed);
    const more = settings ? 0 : findings.length - MOST_LISTED;
    byId('more').textContent = more > 0 ? `and ${more} more, marked in the editor` : '';
  }

  /** Shows that there is nothing to look at, or what went wrong. */
  clear(message = 'No document yet') {
    this.list.replaceChildren();
    byId('summary').textContent = message;
    byId('more').textContent = '';
  }

  #item(finding) {
    const { rule, severity, message, help, line, column, related, fix } = finding;
    const place = element('button', { class: 'place', type: 'button', onclick: () => this.goTo(finding.from, finding.to) }, `line ${line}`);
    place.setAttribute('aria-label', `Go to line ${line}, column ${column}`);
    const others = related.map((other) => element('li', {}, element('button', {
      class: 'place', type: 'button', onclick: () => this.goTo(other.from),
    }, other.message)));
    return element('li', { class: `finding ${severity}`, 'data-rule': rule },
      element('p', { class: 'head' }, element('span', { class: 'severity' }, LABELS[severity]), place),
      element('p', { class: 'message' }, ...withCode(message)),
      help && element('p', { class: 'help' }, ...withCode(help)),
      others.length > 0 && element('ul', { class: 'related' }, ...others),
      fix?.risk && element('p', { class: 'risk' }, `This may lose ${fix.risk}.`),
      element('div', { class: 'row' },
        isFixable(finding) && element('button', { class: 'fix', type: 'button', title: fix.title, onclick: () => this.fix(finding) }, fix.title),
        this.#why(rule)));
  }

  /** Why it matters, asked for when somebody looks. */
  #why(id) {
    const text = element('div', { class: 'why' });
    const details = element('details', {}, element('summary', {}, 'Why', element('code', {}, id)), text);
    details.addEventListener('toggle', async () => {
      if (details.open && text.childElementCount === 0) {
        const told = await this.ask('rule', id);
        if (told) {
          text.innerHTML = prose(told.why);
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

/** How many findings there are of which kind. */
function summary(findings, suppressed) {
  const ignored = suppressed > 0 ? `, ${suppressed} suppressed` : '';
  if (findings.length === 0) {
    return `No problems found${ignored}`;
  }
  const kinds = [['error', 'error'], ['warning', 'warning'], ['info', 'info']].map(([severity, word]) => {
    const number = findings.filter((finding) => finding.severity === severity).length;
    // "2 info", as in other reports: the word has no plural.
    return number > 0 ? (word === 'info' ? `${number} info` : count(number, word)) : '';
  });
  return kinds.filter(Boolean).join(', ') + ignored;
}
