// The page that says what a message means: a question in a box, whose answer is shown while somebody types, and stands in the address.

import * as address from './address.js';
import { byId, element } from './dom.js';
import { Engine } from './engine.js';
import { inline, prose } from './prose.js';

const engine = new Engine();
const box = byId('question');
const answers = byId('answers');
let asked = 0;

engine.warm();
box.value = address.read().q ?? '';
box.addEventListener('input', () => {
  // A log is too long for an address, and may say more than somebody wants to send.
  address.write(box.value.trim() && !box.value.trim().includes('\n') ? { q: box.value.trim() } : {});
  explain();
});
addEventListener('hashchange', () => {
  box.value = address.read().q ?? '';
  // A link among the answers goes away with them.
  box.focus();
  explain();
});
byId('question-form').addEventListener('submit', (event) => event.preventDefault());
byId('log').addEventListener('change', async ({ target }) => {
  if (target.files[0]) {
    box.value = await target.files[0].text();
    address.write({});
    explain();
  }
});
explain();

async function explain() {
  const question = box.value.trim();
  const number = ++asked;
  if (question === '') {
    answers.replaceChildren();
    return;
  }
  const parts = await engine.ask('explain', question).then(shown, failed);
  if (number === asked) {
    answers.replaceChildren(...parts);
  }
}

const failed = (error) => [note(`Internal error: ${error.message}. This is a bug in gvtg-xml: please report it, together with the message.`)];

function shown(found) {
  if (found.isDomain) {
    return [note('This is domain XML, not a message: ', element('a', { href: 'index.html' }, 'check it here'), '.')];
  }
  const { answers = [], about = [], beside = [], nearest = [], unknown } = found;
  const parts = answers.map(answer);
  if (about.length > 0) {
    parts.push(group('About this', about));
  }
  if (beside.length > 0) {
    parts.push(group(about.length > 0 ? 'Also mentioned in' : 'Mentioned in', beside));
  }
  if (unknown) {
    parts.push(note(`Line ${unknown.line} has an unknown error: `, element('code', {}, unknown.text)));
  }
  if (parts.length === 0) {
    parts.push(note('No known message matches. Only English messages are recognized: to get them, run the command with LC_ALL=C.'));
    if (nearest.length > 0) {
      parts.push(note('Did you mean ', ...nearest.flatMap((id, index) => [index > 0 ? ', ' : '', question(id)]), '?'));
    }
  }
  return parts;
}

function answer({ symptom, rules, seen }) {
  const where = seen && element('p', { class: 'seen' }, `Line ${seen.line}${seen.count > 1 ? `, ${seen.count} times in all` : ''}: `, element('code', {}, seen.text));
  const body = symptom ? aboutSymptom(symptom) : rules.map(entry);
  return element('article', { class: 'answer', 'data-id': symptom?.id ?? rules.map(({ id }) => id).join(' ') }, where, ...body);
}

function aboutSymptom({ id, summary, severity, means, steps, rules, references }) {
  const orders = steps.map((step) => Object.assign(element('li'), { innerHTML: inline(step) }));
  return [
    element('h2', {}, summary),
    element('p', { class: 'meta' }, element('span', { class: `severity ${severity}` }, severity), element('code', {}, id)),
    Object.assign(element('div', {}), { innerHTML: prose(means) }),
    steps.length > 0 && element('h3', {}, 'What to do'),
    steps.length > 0 && element('ol', {}, ...orders),
    rules.length > 0 && element('p', {}, 'Rules that find the cause: ', ...list(rules)),
    references.length > 0 && element('p', { class: 'sources' }, ...references.map((source) => element('a', { href: source, rel: 'noreferrer' }, source))),
  ];
}

const list = (rules) => rules.flatMap((id, index) => [index > 0 ? ', ' : '', element('a', { href: `rules/${id}.html` }, id)]);

const entry = ({ kind, id, summary, severity }) => element('p', { class: 'entry' },
  element('span', { class: `severity ${severity}` }, severity),
  kind === 'rule' ? element('a', { href: `rules/${id}.html` }, id) : question(id), ` ${summary}`);

const group = (title, entries) => element('section', { class: 'answer' }, element('h2', {}, title), ...entries.map(entry));

const question = (id) => element('a', { href: `#q=${encodeURIComponent(id)}` }, id);

const note = (...parts) => element('p', { class: 'empty' }, ...parts);
