// A kernel is one numeric step over flat arrays: it reads some, writes others, and takes its integers from one
// record. Every number this engine computes comes out of a kernel call, so a run is a list of such calls.
// That list can be timed, counted, checked, replayed and, one kernel at a time, handed to faster code.

import { kindOf } from "./errors.ts";
import { shared } from "./shared.ts";

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

/** What a kernel's array may be: 32-bit floats (or doubles, for gradient checks), or integers. */
export type ArrayType = "floats" | "i32" | "u32";

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
  readonly inPlace: { readonly [K in keyof A]?: keyof A & string };
  /** The arrays that hold integers. */
  readonly types: { readonly [K in keyof A]?: ArrayType };
}

/** What a kernel may have besides its reference. */
export interface KernelOptions<A, D> {
  readonly portable?: KernelFunction<A, D>;
  readonly inPlace?: { readonly [K in keyof A]?: keyof A & string };
  readonly types?: { readonly [K in keyof A]?: ArrayType };
}

/** A kernel whose arguments are not known: what a list of calls holds. */
export interface AnyKernel {
  (arrays: never, dims: never): void;
  readonly name: string;
  readonly roles: Readonly<Record<string, Role>>;
  readonly reference: KernelFunction<never, never>;
  readonly portable: KernelFunction<never, never>;
  readonly inPlace: Readonly<Record<string, string | undefined>>;
  readonly types: Readonly<Record<string, ArrayType | undefined>>;
}

/** One call of a kernel, as an interceptor sees it. */
export interface KernelCall {
  readonly kernel: AnyKernel;
  readonly arrays: Arrays;
  readonly dims: unknown;
  /** Runs the installed form of the kernel. */
  readonly run: () => void;
}

interface KernelState {
  /** Who declared each kernel: a name is declared once by each copy of this package. */
  readonly declared: Map<string, { readonly roles: string; readonly copies: Set<symbol> }>;
  readonly installed: Map<string, KernelFunction<never, never>>;
  interceptors: ((call: KernelCall) => void)[];
  /** Told of every call that is about to run. */
  watch: ((call: Pick<KernelCall, "kernel" | "arrays">) => void) | undefined;
}

const state = /* @__PURE__ */ shared(
  "kernel",
  (): KernelState => ({ declared: new Map(), installed: new Map(), interceptors: [], watch: undefined }),
);
const thisCopy = Symbol("copy");

const ARRAYS: Readonly<Record<ArrayType, readonly string[]>> = {
  floats: ["Float32Array", "Float64Array"],
  i32: ["Int32Array"],
  u32: ["Uint32Array"],
};

function expectArrays({ name, roles, types }: AnyKernel, arrays: Arrays): void {
  for (const argument in roles) {
    const array = arrays[argument];
    // Nearly all of them; the rest takes longer to tell.
    if (array === undefined || (types[argument] === undefined && array instanceof Float32Array)) continue;
    const wanted = ARRAYS[types[argument] ?? "floats"];
    if (wanted.includes(kindOf(array))) continue;
    throw new TypeError(`${name}: ${argument} must be ${wanted[0]} but is ${kindOf(array)}`);
  }
}

function declare(name: string, roles: object): void {
  const { declared } = state;
  const known = declared.get(name);
  const own = JSON.stringify(roles);
  if (known === undefined) declared.set(name, { roles: own, copies: new Set([thisCopy]) });
  else if (known.copies.has(thisCopy) || known.roles !== own)
    throw new Error(`kernel: there is a kernel named ${name} already; a name must be unique`);
  else known.copies.add(thisCopy);
}

/**
 * The names of all kernels that have been declared in this process, those of @saunet/core and all others.
 *
 * @example
 * console.log(kernelNames().includes("relu.forward")); // true
 */
export function kernelNames(): readonly string[] {
  return [...state.declared.keys()];
}

/**
 * Declares a kernel.
 *
 * @param name operation and step, such as `conv2d.forward`; unique
 * @param roles what happens to each array
 * @param reference the readable form: plain loops, sums in double
 * @param options.portable a faster form in TypeScript, if it has earned its place
 * @param options.inPlace arrays that may be one and the same: `{ y: "x" }` where every element of `x` is read before
 *   the element of `y` in its place is written, and none after
 * @param options.types the arrays that hold integers, such as `{ argmax: "i32" }`; all others hold floats
 * @throws Error where there is a kernel of this name already; a call throws TypeError where an array is of another type
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
  { portable = reference, inPlace = {}, types = {} }: KernelOptions<A, D> = {},
): Kernel<A, D> {
  declare(name, roles);
  const call = (arrays: A, dims: D): void => {
    expectArrays(self as AnyKernel, arrays as Arrays);
    const run = () => {
      state.watch?.({ kernel: self as AnyKernel, arrays: arrays as Arrays });
      ((state.installed.get(name) as KernelFunction<A, D> | undefined) ?? portable)(arrays, dims);
    };
    const interceptor = state.interceptors.at(-1);
    if (interceptor === undefined) run();
    else interceptor({ kernel: self as AnyKernel, arrays: arrays as Arrays, dims, run });
  };
  const self = Object.defineProperties(call, {
    name: { value: name },
    roles: { value: Object.freeze(roles) },
    reference: { value: reference },
    portable: { value: portable },
    inPlace: { value: Object.freeze(inPlace) },
    types: { value: Object.freeze(types) },
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
  if (form === undefined) state.installed.delete(target.name);
  else state.installed.set(target.name, form as KernelFunction<never, never>);
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
  const outer = state.interceptors;
  state.interceptors = [...outer, interceptor];
  try {
    return body();
  } finally {
    state.interceptors = outer;
  }
}

/**
 * Runs `body` as if nobody intercepted: for work of others that comes up inside of an interception.
 *
 * @example
 * const names: string[] = [];
 * const note = ({ kernel, run }: KernelCall) => {
 *   names.push(kernel.name);
 *   run();
 * };
 * intercept(note, () => withoutInterceptors(() => relu(ones([1]))));
 * console.log(names); // []
 */
export function withoutInterceptors<T>(body: () => T): T {
  const outer = state.interceptors;
  state.interceptors = [];
  try {
    return body();
  } finally {
    state.interceptors = outer;
  }
}

/**
 * Calls `watch` with every call that is about to run, before it does.
 *
 * @example
 * const names: string[] = [];
 * watchKernels(({ kernel }) => names.push(kernel.name));
 * relu(ones([1]));
 * console.log(names.at(-1)); // relu.forward
 */
export function watchKernels(watch: (call: Pick<KernelCall, "kernel" | "arrays">) => void): void {
  state.watch = watch;
}

/**
 * Runs `body` with the reference form of every kernel: the oracle that faster forms are held to.
 *
 * @example
 * console.log(withReferences(() => sum(ones([3])).item())); // 3
 */
export function withReferences<T>(body: () => T): T {
  return intercept(({ kernel, arrays, dims }) => kernel.reference(arrays as never, dims as never), body);
}

/**
 * What a call writes or updates, of the arrays, or the numbers of buffers, that it uses by name.
 *
 * @example
 * console.log(writtenBy(reluForward, { y: "result", x: "operand" })); // [ 'result' ]
 */
export function writtenBy<T>({ roles }: AnyKernel, used: Readonly<Record<string, T | undefined>>): T[] {
  return Object.entries(roles).flatMap(([name, role]) => {
    const buffer = used[name];
    return role === "read" || buffer === undefined ? [] : [buffer];
  });
}
