// Calls the engine in a web worker. The built page's engine.js has set `gvtgEngine` to the worker's
// script and the WebAssembly module, so nothing is fetched.

/** A failure of the engine itself, which is a bug in this program. */
export class EngineFailure extends Error {}

export class Engine {
  #worker;
  #pending = new Map();
  #nextId = 1;

  /** Calls a method of the engine; resolves to its result, or rejects with an EngineFailure. */
  ask(method, ...args) {
    this.#worker ??= this.#start();
    return new Promise((resolve, reject) => {
      const id = this.#nextId++;
      this.#pending.set(id, { resolve, reject });
      this.#worker.postMessage({ id, method, args });
    });
  }

  /** Starts the worker before the first call. */
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
      const { resolve, reject } = this.#pending.get(id);
      this.#pending.delete(id);
      if (failure === undefined) {
        resolve(answer);
      } else {
        // An engine that failed in the middle of a call may be in an invalid state.
        reject(new EngineFailure(failure));
        this.#stop(worker);
      }
    };
    worker.onerror = (event) => {
      for (const { reject } of this.#pending.values()) {
        reject(new EngineFailure(event.message));
      }
      this.#stop(worker);
    };
    return worker;
  }

  #stop(worker) {
    worker.terminate();
    for (const { reject } of this.#pending.values()) {
      reject(new EngineFailure('the engine stopped'));
    }
    this.#pending.clear();
    this.#worker = undefined;
  }
}
