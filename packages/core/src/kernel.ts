// A kernel is one numeric step over flat arrays: it reads some, writes others, and takes its integers from one
// record. Every number this engine computes comes out of a kernel call, so a run is a list of such calls.
// That list can be timed, counted, checked, replayed and, one kernel at a time, handed to faster code.

/** Arithmetic is in 32-bit floats; gradient checks run the same reference kernels in 64-bit. */
export type Floats = Float32Array | Float64Array;

/** What a kernel may read or write. */
export type FlatArray = Floats | Int32Array | Uint32Array;

/** The arrays of one call, by name. An argument may be absent where the kernel says so (a missing bias). */
export type Arrays = { readonly [name: string]: FlatArray | undefined };

/**
 * What a kernel does with an array: `read` leaves it as it is, `write` fills every element without looking at
 * what was there, `update` reads and changes it.
 */
export type Role = "read" | "write" | "update";

/** The code of a kernel: a pure function of its arrays and its integers. */
export type KernelFunction<A, D> = (arrays: A, dims: D) => void;

/** One numeric step: call it like a function. */
export interface Kernel<A = Arrays, D = unknown> {
  (arrays: A, dims: D): void;
  /** Operation and step, such as `conv2d.forward`. */
  readonly name: string;
  /** What happens to each array. */
  readonly roles: { readonly [K in keyof A]-?: Role };
  /** The readable form that every faster one is checked against. */
  readonly reference: KernelFunction<A, D>;
  /** The form that runs where nobody has installed a faster one: the reference or a tuned TypeScript version. */
  readonly portable: KernelFunction<A, D>;
  /** Which written array may take the place of which read one. */
  readonly inPlace: { readonly [K in keyof A]?: keyof A };
}

/** What a kernel may have besides its reference. */
export interface KernelOptions<A, D> {
  readonly portable?: KernelFunction<A, D>;
  readonly inPlace?: { readonly [K in keyof A]?: keyof A };
}

/** A kernel whose arguments are not known: what a list of calls holds. */
export interface AnyKernel {
  (arrays: never, dims: never): void;
  readonly name: string;
  readonly roles: Readonly<Record<string, Role>>;
  readonly reference: KernelFunction<never, never>;
  readonly portable: KernelFunction<never, never>;
  readonly inPlace: Readonly<Record<string, string>>;
}

/** One call of a kernel, as an interceptor sees it. */
export interface KernelCall {
  readonly kernel: AnyKernel;
  readonly arrays: Arrays;
  readonly dims: unknown;
  /** Runs the installed form of the kernel. */
  readonly run: () => void;
}

const installed = new Map<string, KernelFunction<never, never>>();
const interceptors: ((call: KernelCall) => void)[] = [];

/**
 * Declares a kernel.
 *
 * @param name operation and step, such as `conv2d.forward`; unique
 * @param roles what happens to each array
 * @param reference the readable form: plain loops, sums in double
 * @param options.portable a faster form in TypeScript, if it has earned its place
 * @param options.inPlace arrays that may be one and the same: `{ y: "x" }` where every element of `x` is read before
 *   the element of `y` in its place is written, and none after
 * @example
 * const scale = kernel(
 *   "scale",
 *   { out: "write", x: "read" },
 *   ({ out, x }: { out: Floats; x: Floats }, { factor }: { factor: number }) => {
 *     for (let i = 0; i < x.length; i++) out[i] = factor * x[i];
 *   },
 * );
 * const out = new Float32Array(2);
 * scale({ out, x: new Float32Array([1, 2]) }, { factor: 3 });
 * console.log(out); // Float32Array(2) [ 3, 6 ]
 */
export function kernel<A extends { readonly [K in keyof A]: FlatArray | undefined }, D>(
  name: string,
  roles: { readonly [K in keyof A]-?: Role },
  reference: KernelFunction<A, D>,
  { portable = reference, inPlace = {} }: KernelOptions<A, D> = {},
): Kernel<A, D> {
  const call = (arrays: A, dims: D): void => {
    const run = () => ((installed.get(name) as KernelFunction<A, D> | undefined) ?? portable)(arrays, dims);
    const interceptor = interceptors.at(-1);
    if (interceptor === undefined) run();
    else interceptor({ kernel: self as AnyKernel, arrays: arrays as Arrays, dims, run });
  };
  const self = Object.defineProperties(call, {
    name: { value: name },
    roles: { value: Object.freeze(roles) },
    reference: { value: reference },
    portable: { value: portable },
    inPlace: { value: Object.freeze(inPlace) },
  }) as Kernel<A, D>;
  return self;
}

/**
 * Installs another form of a kernel for the whole process; `undefined` brings back the portable one.
 *
 * @example
 * installKernel(reluForward, ({ y, x }) => y.set(x.map((value) => Math.max(value, 0))));
 * console.log(String(relu(tensor([-1, 2])))); // Tensor [2] [0, 2]
 * installKernel(reluForward, undefined);
 */
export function installKernel<A, D>(target: Kernel<A, D>, form: KernelFunction<A, D> | undefined): void {
  if (form === undefined) installed.delete(target.name);
  else installed.set(target.name, form as KernelFunction<never, never>);
}

/**
 * Sends every kernel call made inside `body` to `interceptor`, which decides whether and how it runs. The
 * innermost interceptor alone is asked.
 *
 * @example
 * const names: string[] = [];
 * intercept((call) => { names.push(call.kernel.name); call.run(); }, () => relu(tensor([-1, 2])));
 * console.log(names); // [ 'relu.forward' ]
 */
export function intercept<T>(interceptor: (call: KernelCall) => void, body: () => T): T {
  interceptors.push(interceptor);
  try {
    return body();
  } finally {
    interceptors.pop();
  }
}

/** Runs `body` with the reference form of every kernel: the oracle that faster forms are held to. */
export function withReferences<T>(body: () => T): T {
  return intercept(({ kernel, arrays, dims }) => kernel.reference(arrays as never, dims as never), body);
}
