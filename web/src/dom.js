// Helpers that create and find DOM elements.

/**
 * Creates an element with properties and children. `class`, `for`, `role`, `data-…` and `aria-…`
 * are set as attributes; properties and children that are null or undefined, and children that are
 * false, are left out.
 */
export function element(name, properties = {}, ...children) {
  const created = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (value === undefined || value === null) {
      continue;
    }
    if (/^(class|for|role|(data|aria)-.*)$/.test(key)) {
      created.setAttribute(key, value);
    } else {
      created[key] = value;
    }
  }
  created.append(...children.filter((child) => child !== undefined && child !== null && child !== false));
  return created;
}

/** Returns the element with this id. */
export const byId = (id) => document.getElementById(id);

/** Splits a text into strings and, for the parts in backticks, `<code>` elements. */
export const withCode = (text) => text.split(/(`[^`]+`)/).map((part) => (/^`[^`]+`$/.test(part) ? element('code', {}, part.slice(1, -1)) : part));

/** Formats a number with its noun: `1 error`, `2 errors`. */
export const count = (number, word) => `${number} ${word}${number === 1 ? '' : 's'}`;
