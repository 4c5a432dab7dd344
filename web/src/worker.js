// The web worker that runs the engine. The first message holds the compressed WebAssembly module,
// each later one is a call `{ id, method, args }`.

import { check, decode, explain, files, initSync, report, rule } from '../target/engine.js';

const methods = { check, decode, explain, files, report, rule };
// The methods that return plain text rather than JSON.
const textMethods = new Set(['report']);

let ready;

/** Decompresses, compiles and initializes the engine. */
async function start(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
  initSync({ module: await WebAssembly.compile(await new Response(stream).arrayBuffer()) });
}

self.onmessage = async ({ data }) => {
  if (data.engine) {
    ready = start(data.engine);
    // A failure is reported as the answer to the first call.
    ready.catch(() => {});
    return;
  }
  const { id, method, args } = data;
  try {
    await ready;
    const answer = methods[method](...args);
    self.postMessage({ id, answer: textMethods.has(method) ? answer : JSON.parse(answer) });
  } catch (error) {
    self.postMessage({ id, failure: String(error) });
  }
};
