// The engine in a thread of its own: the first message brings its bytes, each further one is a question `{ id, method, args }`.

import { check, decode, explain, files, initSync, report, rule } from '../target/engine.js';

const methods = { check, decode, explain, files, report, rule };
// What a method gives as a text and not as JSON.
const texts = new Set(['report']);

let ready;

/** The compiled engine, out of its compressed bytes. */
async function start(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
  initSync({ module: await WebAssembly.compile(await new Response(stream).arrayBuffer()) });
}

self.onmessage = async ({ data }) => {
  if (data.engine) {
    ready = start(data.engine);
    // That it has failed is the answer to the first question.
    ready.catch(() => {});
    return;
  }
  const { id, method, args } = data;
  try {
    await ready;
    const answer = methods[method](...args);
    self.postMessage({ id, answer: texts.has(method) ? answer : JSON.parse(answer) });
  } catch (error) {
    self.postMessage({ id, failure: String(error) });
  }
};
