// The page that explains messages. Answers are shown while the question is typed; the question is
// kept in the URL.

import * as address from './address.js';
import { byId, element } from './dom.js';
import { Engine } from './engine.js';
import { inline, prose } from './prose.js';

const engine = new Engine();
const box = byId('question');
const answers = byId('answers');
/** The number of the latest request: answers to earlier ones are dropped. */
let latestRequest = 0;

engine.warm();
box.value = address.read().q ?? '';
box.addEventListener('input', () => {
  // A log is too long for a URL, and may contain more than the user wants to share.
  address.write(box.value.trim() && !box.value.trim().includes('\n') ? { q: box.value.trim() } : {});
  explain();
});
addEventListener('hashchange', () => {
  box.value = address.read().q ?? '';
  // The clicked link, which has the focus, is removed together with the old answers.
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
  const request = ++latestRequest;
  if (question === '') {
    answers.replaceChildren();
    return;
  }
  const parts = await engine.ask('explain', question).then(explanationParts, failureParts);
  if (request === latestRequest) {
    answers.replaceChildren(...parts);
  }
}

const failureParts = (error) => [note(`Internal error: ${error.message}. This is a bug in gvtg-xml: please report it, together with the message.`)];

function explanationParts(explanation) {
  if (explanation.isDomain) {
    return [note('This is domain XML, not a message: ', element('a', { href: 'index.html' }, 'check it here'), '.')];
  }
  const { answers = [], about = [], beside = [], nearest = [], unknown } = explanation;
  const parts = answers.map(answerArticle);
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
      parts.push(note('Did you mean ', ...nearest.flatMap((id, index) => [index > 0 ? ', ' : '', questionLink(id)]), '?'));
    }
  }
  return parts;
}

function answerArticle({ symptom, rules, seen }) {
  const matchedLine = seen && element('p', { class: 'seen' }, `Line ${seen.line}${seen.count > 1 ? `, ${seen.count} times in all` : ''}: `, element('code', {}, seen.text));
  const body = symptom ? symptomParts(symptom) : rules.map(entryParagraph);
  return element('article', { class: 'answer', 'data-id': symptom?.id ?? rules.map(({ id }) => id).join(' ') }, matchedLine, ...body);
}

function symptomParts({ id, summary, severity, means, steps, rules, references }) {
  const stepItems = steps.map((step) => Object.assign(element('li'), { innerHTML: inline(step) }));
  return [
    element('h2', {}, summary),
    element('p', { class: 'meta' }, element('span', { class: `severity ${severity}` }, severity), element('code', {}, id)),
    Object.assign(element('div', {}), { innerHTML: prose(means) }),
    steps.length > 0 && element('h3', {}, 'What to do'),
    steps.length > 0 && element('ol', {}, ...stepItems),
    rules.length > 0 && element('p', {}, 'Rules that find the cause: ', ...ruleLinks(rules)),
    references.length > 0 && element('p', { class: 'sources' }, ...references.map((source) => element('a', { href: source, rel: 'noreferrer' }, source))),
  ];
}

const ruleLinks = (rules) => rules.flatMap((id, index) => [index > 0 ? ', ' : '', element('a', { href: `rules/${id}.html` }, id)]);

const entryParagraph = ({ kind, id, summary, severity }) => element('p', { class: 'entry' },
  element('span', { class: `severity ${severity}` }, severity),
  kind === 'rule' ? element('a', { href: `rules/${id}.html` }, id) : questionLink(id), ` ${summary}`);

const group = (title, entries) => element('section', { class: 'answer' }, element('h2', {}, title), ...entries.map(entryParagraph));

const questionLink = (id) => element('a', { href: `#q=${encodeURIComponent(id)}` }, id);

const note = (...parts) => element('p', { class: 'empty' }, ...parts);
