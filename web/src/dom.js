// Elements in a line each.

/** An element with these properties and children; `class`, `for`, `role`, `data-…` and `aria-…` are attributes. */
export function element(name, properties = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (value === undefined || value === null) {
      continue;
    }
    if (/^(class|for|role|(data|aria)-.*)$/.test(key)) {
      made.setAttribute(key, value);
    } else {
      made[key] = value;
    }
  }
  made.append(...children.filter((child) => child !== undefined && child !== null && child !== false));
  return made;
}

/** The element of this id. */
export const byId = (id) => document.getElementById(id);

/** The parts of a text, those in backticks as code. */
export const withCode = (text) => text.split(/(`[^`]+`)/).map((part) => (/^`[^`]+`$/.test(part) ? element('code', {}, part.slice(1, -1)) : part));

/** A number with its word: `1 error`, `2 errors`. */
export const count = (number, word) => `${number} ${word}${number === 1 ? '' : 's'}`;
