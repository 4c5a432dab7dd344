// The list of all rules, and a page for each of them.

import { page } from './frame.mjs';
import { escaped, inline, prose } from '../src/prose.js';

const GROUPS = {
  display: 'Display',
  vgpu: 'vGPU',
  namespace: 'QEMU namespace',
  qemu: 'QEMU arguments',
  domain: 'Rest of the domain',
  host: 'Host',
};

const FIX_LABELS = { safe: 'Automatic fix', unsafe: 'Unsafe automatic fix', manual: 'Manual fix' };

const severity = (rule) => `<span class="severity ${rule.severity}">${rule.severity}</span>`;

/** Renders the page that lists all rules by group. */
export function listPage(rules) {
  const sections = Object.entries(GROUPS).map(([group, title]) => {
    const rows = rules.filter((rule) => rule.group === group).map((rule) => `<li id="${rule.id}">${severity(rule)} <a href="${rule.id}.html">${rule.id}</a>
<span class="summary">${escaped(rule.summary)}</span></li>`);
    return `<section><h2>${title}</h2>\n<ul>${rows.join('\n')}</ul></section>`;
  });
  const body = `<main class="text wide">
<h1>Rules</h1>
<p>What gvtg-xml checks in a VM’s XML and on its host. <em>Error</em>: libvirt or QEMU refuses the VM, or the screen stays dark. <em>Warning</em>: the VM runs, but not as well as it could. <em>Info</em>: good to know.</p>
<form role="search" hidden><label for="filter">Filter rules</label> <input id="filter" type="search" autocomplete="off"> <span id="shown" role="status" class="quiet"></span></form>
<div id="rules">${sections.join('\n')}</div>
</main>
`;
  const description = 'All gvtg-xml rules: what can go wrong in a libvirt domain with an Intel GVT-g vGPU, and on its host.';
  return page({ title: 'Rules: gvtg-xml', description, here: 'rules/index.html', body, scripts: ['rules.js'], root: '../' });
}

/** Renders a rule's page. */
export function rulePage(rule, rules) {
  const fixLabel = rule.group === 'host' ? FIX_LABELS.manual : FIX_LABELS[rule.fix?.applicability ?? 'manual'];
  const parts = [
    `<p class="meta">${severity(rule)} <span>${GROUPS[rule.group]}</span> <span>${fixLabel}</span> <code>${rule.id}</code></p>`,
    prose(rule.why, () => undefined),
  ];
  if (rule.help) {
    parts.push(`<h2>What to do</h2>\n<p>${inline(capitalize(rule.help))}.</p>`);
  }
  if (rule.fix) {
    parts.push(`<p>Fix: ${inline(rule.fix.title)}.</p>`);
  }
  if (rule.examples.length > 0) {
    parts.push('<h2>Examples</h2>', ...rule.examples.map(exampleHtml));
  }
  if (rule.says.length > 0) {
    parts.push('<h2>Messages you may see</h2>', `<ul>${rule.says.map(({ who, text }) => `<li>${escaped(who)}: <code>${escaped(text)}</code></li>`).join('')}</ul>`);
  }
  if (rule.references.length > 0) {
    parts.push('<h2>Sources</h2>', `<ul class="sources">${rule.references.map(sourceItem).join('')}</ul>`);
  }
  const groupRules = rules.filter((other) => other.group === rule.group);
  const index = groupRules.indexOf(rule);
  const neighbors = [[groupRules[index - 1], 'Previous'], [groupRules[index + 1], 'Next']].filter(([other]) => other)
    .map(([other, label]) => `<span>${label}: <a href="${other.id}.html">${other.id}</a></span>`);
  const body = `<main class="text">
<p class="crumb"><a href="index.html">Rules</a></p>
<h1>${escaped(rule.summary)}</h1>
${parts.join('\n')}
<nav class="near" aria-label="Neighboring rules">${neighbors.join(' ')}</nav>
</main>
`;
  return page({ title: `${rule.id}: ${rule.summary}`, description: rule.summary, here: '', body, root: '../' });
}

function exampleHtml({ bad, fixed, 'other-file': otherFile, settings }) {
  const marked = escaped(bad.trim()).replace('»', '<mark>').replace('«', '</mark>');
  const block = (title, html) => `<figure><figcaption>${title}</figcaption><pre tabindex="0" role="region" aria-label="${title}"><code>${html}</code></pre></figure>`;
  const caption = settings ? `Reported with ${escaped(settings)}` : 'Reported';
  return `<div class="example">${block(caption, marked)}${otherFile ? block('Other file', escaped(otherFile.trim())) : ''}${
    fixed ? block('Fixed', escaped(fixed.trim())) : ''}</div>`;
}

const sourceItem = (text) => `<li>${/^https?:\/\/\S+$/.test(text) ? `<a href="${escaped(text)}" rel="noreferrer">${escaped(text)}</a>` : inline(text)}</li>`;

const capitalize = (text) => text[0].toUpperCase() + text.slice(1);
