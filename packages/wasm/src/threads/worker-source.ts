// The program of a worker, as text: a bundler that renames or moves functions cannot break it, and no second file
// has to be found at run time. Its constants come from control.ts.

import {
  CONTROL_BYTES,
  DOOR,
  JOB,
  JOB_WORDS,
  KIND,
  MESSAGE_BYTES,
  MESSAGES_START,
  MOST_THREADS,
  SPINS,
  TIMES_START,
  WORD,
} from "./control.ts";

/**
 * The body of a worker. It is given `memory`, `control` (the address of the control block), `thread` (its number;
 * 0 stands in for the caller while a list runs, and has no part in single jobs), and `tell(what)`, which sends "ready"
 * and the number of a list that is finished to the caller.
 */
export const workerBody = `
  const words = new Int32Array(memory.buffer, control, ${CONTROL_BYTES / 4});
  const times = new Float64Array(memory.buffer, control + ${TIMES_START}, ${2 * MOST_THREADS});
  const now = () => performance.timeOrigin + performance.now();
  const modules = [];

  // Waits until a word is no longer what it was: looks for a while, then sleeps.
  const changed = (word, old, most = ${SPINS}) => {
    for (let looks = 0; Atomics.load(words, word) === old; looks++) {
      if (looks < most) continue;
      if (thread > 0) Atomics.add(words, ${WORD.asleep}, 1);
      Atomics.wait(words, word, old);
      if (thread > 0) Atomics.sub(words, ${WORD.asleep}, 1);
    }
  };

  const load = () => {
    const start = words[${WORD.address}] >>> 0;
    const bytes = new Uint8Array(memory.buffer).slice(start, start + words[${WORD.length}]);
    const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory } });
    modules[words[${WORD.module}]] = instance.exports;
  };

  const run = (job) => {
    if (thread > 0 && job[${JOB.alone}]) return;
    const items = job[${JOB.items}];
    const chunk = job[${JOB.chunk}];
    const own = job[${JOB.own}] + job[${JOB.ownBytes}] * thread;
    const arrays = job.subarray(${JOB.arrays}, ${JOB.arrays} + job[${JOB.count}]);
    const code = modules[job[${JOB.module}]]["phase" + job[${JOB.phase}]];
    for (let from; (from = Atomics.add(job, ${JOB.next}, chunk)) < items; ) {
      code(from, Math.min(from + chunk, items), job[${JOB.shared}], own, ...arrays);
    }
  };

  const attempt = (work, job, number) => {
    try {
      work(job);
    } catch (error) {
      const message = new TextEncoder().encode(String(error)).slice(0, ${MESSAGE_BYTES});
      new Uint8Array(memory.buffer).set(message, control + ${MESSAGES_START} + thread * ${MESSAGE_BYTES});
      Atomics.store(words, ${WORD.failed} + thread, message.length);
      Atomics.store(words, ${WORD.aborted}, number + 1);
    }
  };

  const list = () => {
    const count = words[${WORD.length}];
    const jobs = new Int32Array(memory.buffer, words[${WORD.address}] >>> 0, count * ${JOB_WORDS});
    const threads = words[${WORD.threads}];
    const alone = (number) => number < count && jobs[number * ${JOB_WORDS} + ${JOB.alone}] === 1;
    let meeting = words[${WORD.arrivedBefore}];
    for (let number = 0; number < count; number++) {
      if (thread === 0) words[${WORD.at}] = number;
      if (Atomics.load(words, ${WORD.aborted}) === 0) {
        attempt(run, jobs.subarray(number * ${JOB_WORDS}, (number + 1) * ${JOB_WORDS}), number);
      }
      // From one job of its own to the next, thread 0 goes without the others.
      if (alone(number) && alone(number + 1)) continue;
      meeting = (meeting + threads) | 0;
      if (((Atomics.add(words, ${WORD.arrived}, 1) + 1) | 0) === meeting) Atomics.notify(words, ${WORD.arrived});
      for (let seen; (((seen = Atomics.load(words, ${WORD.arrived})) - meeting) | 0) < 0; ) {
        changed(${WORD.arrived}, seen);
      }
    }
    if (thread !== 0) return;
    const number = words[${WORD.list}];
    Atomics.store(words, ${WORD.finished}, number);
    Atomics.notify(words, ${WORD.finished});
    tell(number);
  };

  // Goes through the door of a generation, unless it is shut or another one has begun.
  const enter = (generation) => {
    for (;;) {
      const door = Atomics.load(words, ${WORD.door});
      if (((door ^ (generation << ${DOOR.generation})) & ~${DOOR.inside}) !== 0) return false;
      if (Atomics.compareExchange(words, ${WORD.door}, door, door + 1) === door) return true;
    }
  };

  const single = words.subarray(${WORD.job}, ${WORD.failed});
  const turn = thread === 0 ? ${WORD.standIn} : ${WORD.generation};
  let seen = Atomics.load(words, turn);
  tell("ready");
  for (;;) {
    // A caller who has not come back from calling stands still on the core of this worker, which therefore does not look on:
    // where the other core of a virtual machine was idle, Linux puts who is woken there in the way of who wakes it.
    changed(turn, seen, Atomics.load(words, ${WORD.called}) === Atomics.load(words, ${WORD.generation}) ? ${SPINS} : 0);
    seen = Atomics.load(words, turn);
    // Jobs that the stand-in has a part in wait for everyone.
    if (thread > 0 && !enter(seen)) continue;
    const kind = words[${WORD.kind}];
    if (kind === ${KIND.stop}) break;
    if (kind === ${KIND.list}) {
      list();
      continue;
    }
    times[2 * thread] = now();
    attempt(kind === ${KIND.load} ? load : run, single, 0);
    times[2 * thread + 1] = now();
    Atomics.add(words, ${WORD.done}, 1);
    Atomics.notify(words, ${WORD.done});
  }
`;
