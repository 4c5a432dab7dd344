// The frame of all pages: the Content-Security-Policy, the head and the navigation.

import { escaped } from '../src/prose.js';

// Files are loaded from the page's own origin only, and scripts cannot connect anywhere. The worker
// is created from a blob, so this policy applies to it, too. CodeMirror adds its CSS in a <style>
// with this nonce and in style attributes.
const POLICY = [
  "default-src 'none'", "script-src 'self' 'wasm-unsafe-eval'", "style-src 'self' 'nonce-editor'", "style-src-attr 'unsafe-inline'", "img-src 'self' data:", 'worker-src blob:',
  "connect-src 'none'", "form-action 'none'", "base-uri 'none'",
].join('; ');

const LINKS = [['index.html', 'Check XML'], ['explain.html', 'Messages'], ['rules/index.html', 'Rules']];

/**
 * Renders a page. `root` is the relative path from the page to the top folder, empty or ending in a
 * slash; `here` is the page's entry in the navigation.
 */
export function page({ title, description, here, body, scripts = [], root = '' }) {
  const navigationLink = ([address, label]) => `<a href="${root}${address}"${address === here ? ' aria-current="page"' : ''}>${label}</a>`;
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
  <nav aria-label="Pages">${LINKS.map(navigationLink).join(' ')}</nav>
</header>
${body}</body>
</html>
`;
}
