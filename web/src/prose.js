// The little Markdown that rules are written in, as HTML: paragraphs, lists, code, strong words and links. Used by the page and by what builds it.

const escapes = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** A text in HTML. */
export const escaped = (text) => text.replace(/[&<>"]/g, (character) => escapes[character]);

/** A line of Markdown in HTML; `link` gives the address of a link, or undefined where there is none here. */
export function inline(text, link = (address) => address) {
  return text.split(/(`[^`]+`)/).map((part) => {
    if (part.length > 2 && part.startsWith('`') && part.endsWith('`')) {
      return `<code>${escaped(part.slice(1, -1))}</code>`;
    }
    return escaped(part)
      .replace(/\\([*_[<])/g, '$1')
      .replace(/\*\*([^*]+)\*\*/g, '<strong>$1</strong>')
      .replace(/\[([^\]]+)\]\(([^)\s]+)\)/g, (_, words, address) => {
        const target = link(address);
        return target === undefined ? words : `<a href="${target}">${words}</a>`;
      });
  }).join('');
}

/** Paragraphs and lists of Markdown in HTML. */
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
