// Questions to the engine. The worker's script and the engine are in this page already, so that nothing is loaded for them: `engine.js` of the
// built page has set `gvtgEngine` to both.

/** A failure of the engine itself, which is a fault of this program. */
export class EngineFailure extends Error {}

export class Engine {
  #worker;
  #waiting = new Map();
  #next = 1;

  /** The answer to a question, when it comes. */
  ask(method, ...args) {
    this.#worker ??= this.#start();
    return new Promise((resolve, reject) => {
      const id = this.#next++;
      this.#waiting.set(id, { resolve, reject });
      this.#worker.postMessage({ id, method, args });
    });
  }

  /** Starts it before the first question. */
  warm() {
    this.#worker ??= this.#start();
  }

  #start() {
    const { script, wasm } = globalThis.gvtgEngine;
    const address = URL.createObjectURL(new Blob([script], { type: 'text/javascript' }));
    const worker = new Worker(address);
    const bytes = Uint8Array.from(atob(wasm), (character) => character.charCodeAt(0));
    worker.postMessage({ engine: bytes }, [bytes.buffer]);
    worker.onmessage = ({ data: { id, answer, failure } }) => {
      const { resolve, reject } = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (failure === undefined) {
        resolve(answer);
      } else {
        // What has stopped half way is not asked again.
        reject(new EngineFailure(failure));
        this.#stop(worker);
      }
    };
    worker.onerror = (event) => {
      for (const { reject } of this.#waiting.values()) {
        reject(new EngineFailure(event.message));
      }
      this.#stop(worker);
    };
    return worker;
  }

  #stop(worker) {
    worker.terminate();
    for (const { reject } of this.#waiting.values()) {
      reject(new EngineFailure('the engine stopped'));
    }
    this.#waiting.clear();
    this.#worker = undefined;
  }
}
