// Renders the Markdown subset that rules are written in as HTML: paragraphs, lists, code, bold text
// and links. Used by the page and by its build.

const escapes = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** Escapes a text for HTML. */
export const escaped = (text) => text.replace(/[&<>"]/g, (character) => escapes[character]);

/**
 * Renders a line of Markdown. `link` maps a link's target to the one used in the HTML, or to
 * undefined to show only the link's text.
 */
export function inline(text, link = (address) => address) {
  return text.split(/(`[^`]+`)/).map((part) => {
    if (part.length > 2 && part.startsWith('`') && part.endsWith('`')) {
      return `<code>${escaped(part.slice(1, -1))}</code>`;
    }
    return escaped(part)
      .replace(/\\([*_[<])/g, '$1')
      .replace(/\*\*([^*]+)\*\*/g, '<strong>$1</strong>')
      .replace(/\[([^\]]+)\]\(([^)\s]+)\)/g, (_, label, address) => {
        const target = link(address);
        return target === undefined ? label : `<a href="${target}">${label}</a>`;
      });
  }).join('');
}

/** Renders Markdown paragraphs and lists; `link` is the same as for `inline`. */
export function prose(text, link) {
  return text.trim().split(/\n{2,}/).map((block) => {
    const lines = block.split('\n');
    if (lines.every((line) => /^(- |\s+\S)/.test(line))) {
      const items = block.split(/\n?^- /m).filter((item) => item.trim() !== '');
      return `<ul>${items.map((item) => `<li>${inline(item.replace(/\s*\n\s*/g, ' '), link)}</li>`).join('')}</ul>`;
    }
    return `<p>${inline(lines.join(' '), link)}</p>`;
  }).join('\n');
}
