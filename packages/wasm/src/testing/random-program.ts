// A random program as core runs it: operator by operator, or captured. Both meet the same kernel calls in the same order,
// with disturbances between them: other calls that write, change or read what those work with.

import {
  adam,
  adamW,
  add,
  backward,
  capture,
  clipGlobalNorm,
  mean,
  mul,
  noGrad,
  type Optimizer,
  type Program,
  parameter,
  type RandomState,
  randomState,
  type Shape,
  sgd,
  Tensor,
} from "@saunet/core";
import {
  type AnyKernel,
  type Arrays,
  type FlatArray,
  fillZero,
  intercept,
  sizeOf,
  uniformDraw,
} from "@saunet/core/kernels";
import {
  type Aim,
  type ArrayCall,
  aim,
  callOf,
  disturbed,
  type Placed,
  place,
  type Surroundings,
} from "./disturbances.ts";
import { LINKS, placesOf } from "./meetings.ts";
import { detached, isImage, type Maker, operators, pick } from "./operators.ts";
import { resultsOutside } from "./outside.ts";
import { INPUT, type Recipe, type Step } from "./recipe.ts";

/** How a kernel is run: its reference, its portable form, whatever is installed. */
export type Form = (kernel: AnyKernel, arrays: Arrays, dims: unknown) => void;

/** What a run leaves: what it gives and everything that it may have changed, by name. */
export type Snapshot = ReadonlyMap<string, FlatArray>;

/** Something that did not hold. */
export class Mismatch extends Error {
  /** What was compared: equal for failures that have the same cause. */
  readonly what: string;

  constructor(what: string, detail: string) {
    super(`${what}: ${detail}`);
    this.what = what;
  }
}

/** A random program with its parameters and state. Every way of running it begins with {@link RandomProgram.reset}. */
export class RandomProgram {
  readonly #recipe: Recipe;
  /** Everything outside of the program, by name, and what was there at first. */
  readonly #outside = new Map<string, FlatArray>();
  readonly #initial = new Map<string, FlatArray>();
  readonly #parameters: Record<string, Tensor> = {};
  readonly #optimizers: Record<string, Optimizer> = {};
  readonly #random: readonly RandomState[];
  readonly #placed: readonly Placed[];
  readonly #surroundings: Surroundings;
  #outputNames: readonly string[] = [];
  /** Its calls with the disturbances between them. */
  readonly program: Program;
  /** The same, some of its results outside. */
  readonly programOutside: Program;

  constructor(recipe: Recipe) {
    this.#recipe = recipe;
    this.#random = [randomState(recipe.seed, 1), randomState(recipe.seed, 2)];
    this.#random.forEach((state, i) => {
      this.#outside.set(`random ${i}`, state);
    });
    this.#surroundings = { random: this.#random[0], array: (...of) => this.#array(...of) };
    const [input] = this.inputs(0);
    // A first pass, in which nothing is computed, finds the parameters.
    intercept(
      () => {},
      () => this.#body(input),
    );
    this.#optimize();
    const starts: number[] = [];
    let count = 0;
    intercept(
      () => count++,
      () => this.#body(input, () => starts.push(count)),
    );
    const captured = capture(([x]) => this.#body(x), [input]);
    const ranges = new Map(
      recipe.steps.map(({ label }, i) => [label, [starts[i], starts[i + 1] ?? count] as const]),
    );
    const places = Object.values(LINKS).map((link) => placesOf(captured, link));
    const pairs = inTurn(places.filter((found) => found.length > 0));
    const aims = recipe.disturbances.map((disturbance) => aim(disturbance, captured, ranges, pairs));
    this.#placed = this.#place(aims, captured);
    this.program = disturbed(captured, this.#placed, this.#surroundings);
    const surroundings = { known: this.#outside, array: this.#surroundings.array };
    const outside = resultsOutside(captured, recipe, ranges, aims, surroundings);
    this.programOutside =
      outside === captured
        ? this.program
        : disturbed(outside, this.#place(aims, outside), this.#surroundings);
    for (const [name, array] of this.#outside) this.#initial.set(name, array.slice());
  }

  #place(aims: readonly (Aim | undefined)[], program: Program): Placed[] {
    const nameOf = new Map([...this.#outside].map(([name, array]) => [array, name]));
    const inputs = new Set(program.inputs.map(({ buffer }) => buffer));
    const know = (buffer: number) => {
      const { external } = program.buffers[buffer];
      return { isInput: inputs.has(buffer), outside: external && nameOf.get(external) };
    };
    return this.#recipe.disturbances.flatMap((disturbance, i) => {
      const found = aims[i];
      return (found && place(disturbance, found, program, know)) ?? [];
    });
  }

  /** Puts everything outside back to what it was at first. */
  reset(): void {
    for (const [name, array] of this.#outside) array.set(this.#initial.get(name)! as Float32Array);
  }

  /** Inputs of a run. */
  inputs(run: number): Tensor[] {
    const { seed, image } = this.#recipe;
    return [new Tensor(uniformNumbers(sizeOf(image), randomState(seed, 100 + run), -1.5, 1.5), image)];
  }

  /** Runs it operator by operator. */
  runEagerly(run: number, form: Form): Snapshot {
    const log: ArrayCall[] = [];
    const results = intercept(
      ({ kernel, arrays, dims }) => {
        form(kernel, arrays, dims);
        log.push({ kernel, arrays, dims });
        for (const placed of this.#placed) {
          if (placed.after !== log.length - 1) continue;
          const met = placed.external ?? log[placed.call].arrays[placed.name]!;
          const other = callOf(placed, met, this.#surroundings);
          form(other.kernel, other.arrays, other.dims);
        }
      },
      () => this.#body(this.inputs(run)[0]),
    );
    return this.snapshot(results);
  }

  /** What a run has given, and the state of everything outside. */
  snapshot(results: readonly Tensor[]): Snapshot {
    const outputs = results.map(({ data }, i) => [`output ${this.#outputNames[i]}`, data.slice()] as const);
    const outside = [...this.#outside].map(([name, array]) => [name, array.slice()] as const);
    return new Map<string, FlatArray>([...outputs, ...outside]);
  }

  /** The operators, in order; `onStep` is told before each. */
  #body(input: Tensor, onStep: () => void = () => {}): Tensor[] {
    for (const w of Object.values(this.#parameters)) w.grad = undefined;
    const live = new Map([[INPUT, input]]);
    const leaves = new Map<string, Tensor>();
    for (const step of this.#recipe.steps) {
      onStep();
      const take = () => this.#take(step, live);
      const result = step.noGrad && step.op in operators ? noGrad(take) : take();
      if (result !== undefined) live.set(step.label, result);
      if (step.op === "parameter" && result) leaves.set(`leaf ${step.label}`, result);
    }
    const given = this.#recipe.outputs.flatMap((label): [string, Tensor][] => {
      const result = live.get(label);
      return result ? [[String(label), result]] : [];
    });
    const gradients = [...Object.entries(this.#parameters), ...leaves].flatMap(
      ([name, { grad, shape }]): [string, Tensor][] =>
        grad ? [[`gradient of ${name}`, new Tensor(grad, shape)]] : [],
    );
    const outputs = [...given, ...gradients];
    this.#outputNames = outputs.map(([name]) => name);
    return outputs.map(([, result]) => result);
  }

  /** Runs one step on what is live. */
  #take(step: Step, live: Map<number, Tensor>): Tensor | undefined {
    const { op, of, choice } = step;
    // What is named, or the next older one that suits, or any.
    const newestFirst = [...live].reverse();
    const operand: Maker["operand"] = (which, suits) => {
      const found =
        newestFirst.find(([label, candidate]) => label <= of[which] && suits(candidate)) ??
        newestFirst.find(([, candidate]) => suits(candidate));
      return found?.[1];
    };
    const optimizer = this.#optimizers[op];
    if (optimizer !== undefined || op === "sgd" || op === "adam" || op === "adamW")
      return void optimizer?.step();
    switch (op) {
      case "backward":
        return void this.#learn(
          [0, 1].flatMap((which) => operand(which, ({ history }) => history !== undefined) ?? []),
          choice,
          live,
        );
      case "clipGlobalNorm":
        return clipGlobalNorm(this.#parameters, 0.5);
      case "fillZero": {
        const names = Object.keys(this.#parameters).filter((name) => /^(beta|bias)/.test(name));
        if (names.length > 0) fillZero({ out: this.#parameters[pick(names, choice)].data }, undefined);
        return undefined;
      }
    }
    const tensorOf = (kind: string, shape: Shape, low: number, high: number): Tensor =>
      new Tensor(this.#array(`${kind} ${shape}`, sizeOf(shape), low, high), shape);
    return operators[op]({
      choice,
      random: this.#random[choice & 1],
      operand,
      image: (which = 0) => operand(which, isImage)!,
      parameter: (kind, shape, low, high) => {
        const name = `${kind} ${shape} ${(choice >> 9) & 1}`;
        this.#parameters[name] ??= parameter(tensorOf(name, shape, low, high));
        return this.#parameters[name];
      },
      constant: tensorOf,
    });
  }

  /** Goes back from losses of one or two results; what was computed before is then no longer part of any graph. */
  #learn(results: readonly Tensor[], choice: number, live: Map<number, Tensor>): void {
    const constant = (what: string, { shape, size }: Tensor, limit: number) =>
      new Tensor(this.#array(`${what} ${shape}`, size, -limit, limit), shape);
    const lossOf = (y: Tensor) => mean(mul(y, choice % 3 === 1 ? y : constant("weights", y, 1)));
    const [y, other] = results;
    if (y === undefined) return;
    if (choice % 3 === 0) backward(y, constant("gradient", y, 1 / y.size));
    else if (other === y) backward(lossOf(y));
    else backward(add(lossOf(y), lossOf(other)));
    for (const [label, result] of live) if (result.history !== undefined) live.set(label, detached(result));
  }

  /** Optimisers of all parameters. */
  #optimize(): void {
    const options = { learningRate: 0.01, epsilon: 1e-3 };
    this.#optimizers.sgd = sgd(this.#parameters, { momentum: 0.9 });
    this.#optimizers.adam = adam(this.#parameters, options);
    this.#optimizers.adamW = adamW(this.#parameters, options);
    for (const [name, { learningRate, state }] of Object.entries(this.#optimizers)) {
      this.#outside.set(`${name} rate`, learningRate);
      for (const [key, { data }] of Object.entries(state)) this.#outside.set(`${name} ${key}`, data);
    }
  }

  /** An array outside; made once. */
  #array(name: string, length: number, low: number, high: number): Float32Array {
    const known = this.#outside.get(name);
    if (known !== undefined) return known as Float32Array;
    const made = uniformNumbers(length, randomState(this.#recipe.seed, 1000 + this.#outside.size), low, high);
    this.#outside.set(name, made);
    return made;
  }
}

/** The lists' elements one after another, shorter lists again and again: rare ones come as often as frequent ones. */
function inTurn<T>(lists: readonly (readonly T[])[]): T[] {
  const longest = Math.max(0, ...lists.map(({ length }) => length));
  return Array.from({ length: longest }, (_, i) => lists.map((list) => list[i % list.length])).flat();
}

/** Uniform numbers, whatever the kernel that draws them is replaced by. */
function uniformNumbers(length: number, state: RandomState, low: number, high: number): Float32Array {
  const out = new Float32Array(length);
  uniformDraw.reference({ out, state }, { low, width: high - low });
  return out;
}
