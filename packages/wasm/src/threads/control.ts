// How the threads of a pool talk: words in shared memory.
//
// A job: the caller writes it down, opens its door and moves `generation` on. A worker that sees it move goes in, takes
// items until none are left and counts itself into `done`. When the caller finds no items left it shuts the door, and
// waits for those alone that are in: a worker that is still waking up is not waited for. A list: jobs written one after the other, which the workers go through
// by themselves, meeting at a barrier (`arrived`) after each, while the caller is free.
//
// Items are taken a few at a time from a counter in the job. Shares fixed in advance leave everybody waiting for the
// one thread that another program has pushed off its core; so a late thread costs no more than the few it holds.

/** Places of the words of the control block. */
export const WORD = {
  generation: 0,
  /** Moved on with `generation`, but not for single jobs: the stand-in of the caller looks here. */
  standIn: 9,
  done: 1,
  kind: 2,
  /** Where the bytes of a module to load, or the jobs of a list, begin; and how many bytes or jobs there are. */
  address: 3,
  length: 4,
  /** How many threads share the work. */
  threads: 5,
  /** The door of the job at hand: its generation, whether it is shut, and how many workers went in. */
  door: 14,
  /** How many workers are asleep. */
  asleep: 15,
  /** How often threads have come to a barrier, ever (modulo 2^32). */
  arrived: 6,
  /** What `arrived` was before the list at hand. */
  arrivedBefore: 7,
  /** 0, or 1 + the number of the job that failed, or STOPPED: the rest of the list is not run. */
  aborted: 8,
  /** Number of the job of the list that the stand-in is at. */
  at: 10,
  /** The number of a module to load. */
  module: 11,
  /** The number of the list at hand, and of the last one that is finished. */
  list: 12,
  finished: 13,
  /** The last generation whose workers have all been called. */
  called: 16,
  /** One job, as it stands in a list too. */
  job: 18,
  /** One word a thread: 0, or the length of the message of its error. */
  failed: 50,
} as const;

/** The parts of a door: how many went in (fewer than MOST_THREADS), whether it is shut, and the generation's lower bits. */
export const DOOR = { inside: 63, shut: 64, generation: 7 } as const;

/** An open door that nobody went through. */
export const openDoor = (generation: number): number => generation << DOOR.generation;

/** Places of the words of a job. */
export const JOB = {
  module: 0,
  phase: 1,
  items: 2,
  /** 1 where thread 0 does all items. */
  alone: 3,
  shared: 4,
  own: 5,
  ownBytes: 6,
  /** How many array addresses there are. */
  count: 7,
  /** The first item that nobody has taken yet, and how many are taken at a time. */
  next: 8,
  chunk: 9,
  arrays: 10,
} as const;
export const JOB_WORDS = WORD.failed - WORD.job;

/** What `aborted` is where the caller wants no more of a list. */
export const STOPPED = -1;

/** What the workers are to do. */
export const KIND = { load: 1, run: 2, list: 3, stop: 4 } as const;

/** More threads than this are not used. */
export const MOST_THREADS = 32;
/** Bytes that a thread has for the message of an error, after the words. */
export const MESSAGE_BYTES = 256;
/** Where the messages begin. */
export const MESSAGES_START = 4 * (WORD.failed + MOST_THREADS);
/**
 * Where the times begin: two doubles per worker, the beginning and the end of its share of the last single job, in
 * milliseconds since the epoch, since every thread's own clock starts with it.
 */
export const TIMES_START = MESSAGES_START + MOST_THREADS * MESSAGE_BYTES;
/** How many bytes the whole block takes. */
export const CONTROL_BYTES = TIMES_START + 16 * MOST_THREADS;

/**
 * Into how many chunks the share of a thread falls. With 8, the 50 strips of a transposed convolution fell into 13 chunks
 * for two threads, so that one did 28 of them: 1.79 times as fast at best. Taking a chunk costs 0.16 microseconds.
 */
export const CHUNKS_PER_THREAD = 32;

/** A chunk is no less than this share of a grain: some 2 microseconds, beside which taking it counts little. */
export const LEAST_CHUNK = 1 / 4;

/**
 * How often a waiting thread looks before it goes to sleep. Back-to-back jobs are then joined in well under a
 * microsecond, where waking a sleeping thread takes 11 to 115; 20,000 looks take about 50 microseconds. Longer looking
 * does harm where cores are shared: it keeps the very thread that is waited for off its core.
 */
export const SPINS = 20_000;
