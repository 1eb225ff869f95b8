// The program of a worker, as text: a bundler that renames or moves functions cannot break it, and no second file
// has to be found at run time. Its constants come from control.ts.

import { CONTROL_BYTES, KIND, MESSAGE_BYTES, MESSAGES_START, SPINS, WORD } from "./control.ts";

/**
 * The body of a worker that is given `memory`, `control` (the address of the control block) and `thread` (1, 2, …;
 * the caller is thread 0).
 */
export const workerBody = `
  const words = new Int32Array(memory.buffer, control, ${CONTROL_BYTES / 4});
  const modules = [];
  const phases = [];

  const load = () => {
    const start = words[${WORD.address}] >>> 0;
    const bytes = new Uint8Array(memory.buffer).slice(start, start + words[${WORD.length}]);
    modules.push(new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory } }).exports);
  };

  const run = () => {
    const items = words[${WORD.items}];
    const threads = words[${WORD.threads}];
    const from = Math.floor((items * thread) / threads);
    const to = Math.floor((items * (thread + 1)) / threads);
    if (from === to) return;
    const own = words[${WORD.own}] + words[${WORD.ownBytes}] * thread;
    const arrays = words.subarray(${WORD.arrays}, ${WORD.arrays} + words[${WORD.count}]);
    modules[words[${WORD.module}]]["phase" + words[${WORD.phase}]](from, to, words[${WORD.shared}], own, ...arrays);
  };

  const report = (error) => {
    const message = new TextEncoder().encode(String(error)).slice(0, ${MESSAGE_BYTES});
    new Uint8Array(memory.buffer).set(message, control + ${MESSAGES_START} + thread * ${MESSAGE_BYTES});
    Atomics.store(words, ${WORD.failed} + thread, message.length);
  };

  let seen = Atomics.load(words, ${WORD.generation});
  ready();
  for (;;) {
    for (let looks = 0; Atomics.load(words, ${WORD.generation}) === seen; looks++) {
      if (looks >= ${SPINS}) Atomics.wait(words, ${WORD.generation}, seen);
    }
    seen = Atomics.load(words, ${WORD.generation});
    const kind = words[${WORD.kind}];
    if (kind === ${KIND.stop}) break;
    try {
      if (kind === ${KIND.load}) load();
      else run();
    } catch (error) {
      report(error);
    }
    Atomics.add(words, ${WORD.done}, 1);
    Atomics.notify(words, ${WORD.done});
  }
`;
