// What is chosen stands behind the # of the address: it can be kept and sent, and no server gets it.

/** What the address says, as an object of names and values. */
export function read() {
  return Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
}

/** Puts names and values into the address, without a step in the browser's history. */
export function write(values) {
  const hash = new URLSearchParams(values).toString();
  history.replaceState(null, '', hash ? `#${hash}` : location.pathname + location.search);
}
