// How the caller and its workers talk: words in shared memory. The caller writes a job, then moves `generation` on;
// every worker that sees it move does its share and counts itself into `done`.

/** Places of the words of the control block, which lies at the bottom of the arena. */
export const WORD = {
  generation: 0,
  done: 1,
  kind: 2,
  module: 3,
  phase: 4,
  items: 5,
  threads: 6,
  shared: 7,
  own: 8,
  ownBytes: 9,
  /** Where the bytes of a module to load begin, and how many there are. */
  address: 10,
  length: 11,
  /** How many array addresses follow. */
  count: 12,
  /** The first of up to 16 array addresses. */
  arrays: 16,
  /** One word a worker: 0, or the length of the message of its error. */
  failed: 32,
} as const;

/** What a worker is to do. */
export const KIND = { load: 1, run: 2, stop: 3 } as const;

/** More threads than this are not used. */
export const MOST_THREADS = 32;
/** Bytes that a worker has for the message of an error, behind the words. */
export const MESSAGE_BYTES = 256;
/** Where the messages begin, and how many bytes the whole block takes. */
export const MESSAGES_START = 4 * (WORD.failed + MOST_THREADS);
export const CONTROL_BYTES = MESSAGES_START + MOST_THREADS * MESSAGE_BYTES;

/**
 * How often a waiting thread looks before it goes to sleep. Back-to-back jobs are then joined in well under a
 * microsecond, where waking a sleeping thread takes 11 to 115; 20,000 looks take about 50 microseconds.
 */
export const SPINS = 20_000;
