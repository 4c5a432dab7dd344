// The parts that all pages share: the policy, the head and the navigation.

import { escaped } from '../src/prose.js';

// Nothing is loaded but from where the page lies, and scripts connect nowhere. The worker is made of a text in the page, and has this policy too.
// The editor's own rules come in a <style> of this name, and in attributes of elements.
const POLICY = [
  "default-src 'none'", "script-src 'self' 'wasm-unsafe-eval'", "style-src 'self' 'nonce-editor'", "style-src-attr 'unsafe-inline'", "img-src 'self' data:", 'worker-src blob:',
  "connect-src 'none'", "form-action 'none'", "base-uri 'none'",
].join('; ');

const LINKS = [['index.html', 'Check XML'], ['explain.html', 'Messages'], ['rules/index.html', 'Rules']];

/** A page; `root` is the way from it to the folder of all. */
export function page({ title, description, here, body, scripts = [], root = '' }) {
  const link = ([address, words]) => `<a href="${root}${address}"${address === here ? ' aria-current="page"' : ''}>${words}</a>`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="color-scheme" content="light dark">
<meta name="description" content="${escaped(description)}">
<title>${escaped(title)}</title>
<link rel="icon" href="${root}icon.svg">
<link rel="stylesheet" href="${root}style.css">
${scripts.map((script) => `<script defer src="${root}${script}"></script>`).join('\n')}
</head>
<body>
<header class="top">
  <a class="name" href="${root}index.html">gvtg-xml</a>
  <nav aria-label="Pages">${LINKS.map(link).join(' ')}</nav>
</header>
${body}</body>
</html>
`;
}
