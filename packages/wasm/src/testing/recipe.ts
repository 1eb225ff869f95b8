// Recipes of random programs: plain data from which everything about a program follows, so that one can be printed,
// made smaller and run again. Steps and disturbances name each other by labels and fall back on what there is when a label is
// gone: any part of a recipe may be taken out, and the rest stays a program.

import { draw, type RandomState, randomState } from "@saunet/core";
import { operators, pick } from "./operators.ts";

/** One operator or effect. */
export interface Step {
  readonly label: number;
  /** A name of `operators` or `EFFECTS`. */
  readonly op: string;
  /** Labels of the operands. */
  readonly of: readonly number[];
  readonly choice: number;
  /** Bit n: the n-th array that the step fills lies outside of the program. */
  readonly outside: number;
  /** Whether it runs without being recorded. */
  readonly noGrad: boolean;
}

/** Steps that give no tensor. */
export const EFFECTS = ["backward", "sgd", "adam", "adamW", "clipGlobalNorm", "fillZero"] as const;

/** A kernel call by itself, between any two others. */
export interface Disturbance {
  /** The step after whose `call`-th kernel call it comes, or {@link BETWEEN}. */
  readonly after: number;
  /** Or {@link LAST}. */
  readonly call: number;
  readonly kind: (typeof DISTURBANCES)[number];
  /** It meets an array of the call that lies so many calls back; of a pair, of the first call or (1) of the second. */
  readonly back: number;
  /** Which one of them. */
  readonly which: number;
}

/**
 * What a disturbance does with its array: writes it (`zero`, `draw`, `copyInto`), changes it (`sgd`, `inPlace`), reads it
 * (`copy`, `squares`). `skip` moves the random state on that steps draw from.
 */
export const DISTURBANCES = [
  ...(["zero", "draw", "copyInto", "sgd", "inPlace", "copy", "squares", "skip"] as const),
] as const;

/** A random program. */
export interface Recipe {
  /** What parameters and inputs are drawn from. */
  readonly seed: number;
  /** Shape of the input. */
  readonly image: readonly [number, number, number, number];
  readonly steps: readonly Step[];
  readonly disturbances: readonly Disturbance[];
  /** Labels of the tensors that the program gives, besides the gradients that are left at its end. */
  readonly outputs: readonly number[];
}

/**
 * Shapes of inputs, most of them with one image, an even number of rows and whole vectors of channels: generated code
 * and rewrites ask for that. Winograd's algorithms are chosen from about 8 by 12 pixels and 8 channels on. Few
 * shapes, so that generated code is compiled once for many programs.
 */
const IMAGES: readonly Recipe["image"][] = [
  ...Array.from({ length: 4 }, () => [1, 16, 16, 8] as const),
  ...Array.from({ length: 2 }, () => [1, 8, 12, 8] as const),
  [1, 12, 16, 12],
  [1, 8, 16, 16],
  [2, 8, 12, 8],
  [1, 9, 7, 5],
];

/** The label of the input. */
export const INPUT = 0;

/** Draws the recipe of a seed. */
export function recipeOf(seed: number): Recipe {
  const draft = new Draft(seed);
  const { below, chance } = draft;
  const image = pick(IMAGES, below(IMAGES.length));
  const learns = chance(0.6);
  if (learns && chance(0.4)) draft.push("parameter", INPUT);
  const compose = () => pick(MOTIFS, below(MOTIFS.length))(draft);
  for (let parts = 2 + below(3); parts > 0; parts--) compose();
  for (let passes = learns ? 1 + below(2) : 0; passes > 0; passes--) {
    if (chance(0.15)) draft.push(pick(LOSSES, below(2)), draft.latest, below(draft.latest + 1));
    else if (chance(0.7)) anything(draft);
    const pass = draft.push("backward", draft.latest, below(draft.latest + 1));
    for (let count = below(4); count > 0; count--) draft.disturb(pass, 60);
    if (chance(0.3)) draft.push("clipGlobalNorm");
    if (chance(0.6)) draft.push(pick(OPTIMIZERS, below(3)));
    if (chance(0.5)) compose();
  }
  for (let pairs = chance(0.7) ? 1 + below(3) : 0; pairs > 0; pairs--) draft.disturbPair();
  const { steps, disturbances } = draft;
  // Few, as rewrites ask for results that stay inside.
  const outputs = steps.map(({ label }) => label).filter((label) => label === draft.latest || chance(0.06));
  return { seed, image, steps, disturbances, outputs };
}

const LOSSES = ["sigmoidCrossEntropy", "softmaxCrossEntropy"] as const;
const OPTIMIZERS = ["sgd", "adam", "adamW"] as const;

/** The last call of a step. */
export const LAST = -1;
/** Not after a step: between the `call`-th pair of calls that a rewrite may join. */
export const BETWEEN = -1;

/**
 * Multiples of these, without their whole parts, spread evenly over seeds and over the turns of one seed (Weyl): a few
 * hundred programs then meet every operator about as often, which random draws do not.
 */
const [PER_SEED, PER_TURN] = [(Math.sqrt(5) - 1) / 2, Math.SQRT2 - 1];

/** A recipe in the making. */
class Draft {
  readonly steps: Step[] = [];
  readonly disturbances: Disturbance[] = [];
  readonly #state: RandomState;
  #place: number;

  constructor(seed: number) {
    this.#state = randomState(seed, 7);
    this.#place = seed * PER_SEED;
  }

  /** The next operator in turn. */
  operator(): string {
    this.#place += PER_TURN;
    return OPERATORS[Math.floor((this.#place % 1) * OPERATORS.length)];
  }

  /** The label of the latest step. */
  get latest(): number {
    return this.steps.length;
  }

  readonly below = (count: number): number => Math.floor(draw(this.#state) * count);

  readonly chance = (probability: number): boolean => draw(this.#state) < probability;

  /** Adds a step and gives its label. */
  push(op: string, ...of: number[]): number {
    const label = this.latest + 1;
    // A backward pass has many results, most of the gradients of parameters among the first, two or three of one call.
    const [likely, among, some] = op === "backward" ? [0.5, [12, 28], 0b111] : [0.08, [3], 1];
    const bits = this.chance(likely) ? among.map((count) => some << this.below(count)) : [];
    const outside = bits.reduce((all, bit) => all | bit, 0);
    this.steps.push({ label, op, of, choice: this.below(1 << 12), outside, noGrad: this.chance(0.04) });
    return label;
  }

  /** Adds a disturbance after one of the first `calls` calls of a step, or after its {@link LAST}. */
  disturb(after: number, calls: number): void {
    const kind = pick(DISTURBANCES, this.below(DISTURBANCES.length));
    const call = calls < 0 ? calls : this.below(calls);
    const [back, which] = [pick([0, 0, 0, 1, 2, 3], this.below(6)), this.below(8)];
    this.disturbances.push({ after, call, kind, back, which });
  }

  /** Adds one between two calls that a rewrite may join. */
  disturbPair(): void {
    const kind = pick(DISTURBANCES, this.below(DISTURBANCES.length));
    const [call, back, which] = [this.below(60), this.below(2), this.below(64)];
    this.disturbances.push({ after: BETWEEN, call, kind, back, which });
  }

  /** Steps, each on the one before it; now and then something else comes between two of them. */
  chain(ops: readonly string[], from: number): number {
    return ops.reduce((operand, op) => {
      const label = this.push(op, operand);
      this.pause();
      return label;
    }, from);
  }

  /** Leaves room for something else. */
  pause(): void {
    if (this.chance(0.15)) this.disturb(this.latest, pick([LAST, LAST, 3], this.below(3)));
    if (this.chance(0.05)) anything(this);
    if (this.chance(0.06)) this.push(pick([...OPTIMIZERS, "fillZero"], this.below(4)), this.latest);
  }

  /** What a motif begins with: the latest result, or an earlier one. */
  start(): number {
    return this.chance(0.6) ? this.latest : this.below(this.latest + 1);
  }
}

type Motif = (draft: Draft) => void;

const OPERATORS = Object.keys(operators);

/** Any operator on the latest result and one of those before it. */
const anything: Motif = (draft) => {
  const { below, latest } = draft;
  draft.push(draft.operator(), latest, below(latest + 1));
};

/** Mostly those that rewrites know. */
const ACTIVATIONS = [
  "silu",
  "relu",
  "silu",
  "relu",
  "silu",
  "relu",
  "silu",
  "relu",
  "tanh",
  "gelu",
  "leakyRelu",
];
const activation = ({ below }: Draft): string => pick(ACTIVATIONS, below(ACTIVATIONS.length));

/** Convolution, DropBlock, normalisation and activation, as the network has them. */
const unit: Motif = (draft) => {
  const dropped = draft.chance(0.6) ? ["dropBlock"] : [];
  const normalization = draft.chance(0.85) ? "groupNorm" : "batchNorm";
  draft.chain(["conv2d", ...dropped, normalization, activation(draft)], draft.start());
};

/** A normalised map and what is made of it. */
const stage: Motif = (draft) => {
  const map = draft.chain(["groupNorm", activation(draft)], draft.start());
  const readers = ["maxPool2d", "mean", "max"].filter(() => draft.chance(0.85));
  for (const op of readers) {
    draft.push(op, map);
    draft.pause();
  }
  if (readers.length > 1) draft.push("mul", map, draft.push("sigmoid", draft.latest));
};

/** A gated skip connection, its concatenation and the convolution after it. */
const gatedSkip: Motif = (draft) => {
  const skip = draft.start();
  const gate = draft.chain(["mean", "sigmoid"], skip);
  const gated = draft.push("mul", skip, gate);
  draft.pause();
  const joined = draft.push("concat", draft.chance(0.9) ? skip : gated, gated);
  draft.pause();
  draft.chain(draft.chance(0.7) ? ["conv2d", "groupNorm", activation(draft)] : ["conv2d"], joined);
};

const MOTIFS: readonly Motif[] = [
  ...[unit, unit, unit],
  ...[stage, stage, stage],
  ...[gatedSkip, gatedSkip, gatedSkip],
  ...[anything, anything],
];
