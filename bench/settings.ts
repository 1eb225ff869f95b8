// What a bench is asked to do, as plain data: it goes to the processes that measure, and into files that can be resumed.

/** What the user asked for. */
export interface Settings {
  readonly quick: boolean;
  readonly seconds: number | undefined;
  /** After so many seconds without a sign of life a contender is ended. */
  readonly timeout: number;
  readonly peers: readonly string[] | undefined;
  /** Names or paths of shape lists. */
  readonly shapes: string | undefined;
  /** Shapes in words, as `shapes.ts` reads them. */
  readonly shape: readonly string[];
  readonly attempts: readonly string[] | undefined;
  /** Files of attempts from outside. */
  readonly attempt: readonly string[];
  readonly kernels: readonly string[] | undefined;
  readonly algorithms: readonly string[] | undefined;
  readonly threads: readonly number[];
  readonly cold: boolean;
  readonly counters: boolean;
  /** `[height, width]` */
  readonly size: readonly [number, number] | undefined;
  /** What stands without a name in front: operators, a folder. */
  readonly operands: readonly string[];
}

/** What is done where nothing is said. */
export const USUAL: Settings = {
  quick: false,
  seconds: undefined,
  timeout: 120,
  peers: undefined,
  shapes: undefined,
  shape: [],
  attempts: undefined,
  attempt: [],
  kernels: undefined,
  algorithms: undefined,
  threads: [1],
  cold: false,
  counters: false,
  size: undefined,
  operands: [],
};

/** Rows and columns of the photograph, where the bench has one. */
export function sizeOf({ size }: Settings, usual: number): readonly [number, number] {
  return size ?? [usual, usual];
}
