// The page's state is in the URL's fragment (after #): it can be bookmarked and shared, and
// browsers never send it to a server.

/** Returns the names and values in the URL's fragment. */
export function read() {
  return Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
}

/** Writes names and values to the URL's fragment without adding a browser history entry. */
export function write(values) {
  const hash = new URLSearchParams(values).toString();
  history.replaceState(null, '', hash ? `#${hash}` : location.pathname + location.search);
}
