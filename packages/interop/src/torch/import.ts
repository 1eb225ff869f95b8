// Weights of PyTorch networks: a state dict in a safetensors file, which docs/interop.md says how to write.
//
// PyTorch has channels before rows, in filters too:
//
//   Conv2d           [Cout,Cin,KH,KW] → [KH,KW,Cin,Cout]
//   ConvTranspose2d  [Cin,Cout,KH,KW] → [KH,KW,Cout,Cin]      the same exchange of axes
//
// A state dict does not say enough to run a network: not the order of its modules (safetensors sorts them by name),
// not the epsilon of a normalisation (1e-5 by default, where Keras has 1e-3), not how a transposed convolution pads,
// which shifts everything by a pixel. So the file says it beside the weights: its modules with their settings in the
// order in which they ran, and one example with the network's answer, which ours must give too.

import { noGrad, readSafetensors, sigmoid, Tensor } from "@saunet/core";
import { formatShape, quote } from "@saunet/core/kernels";
import { fileKind, forward, sizeMultiple } from "@saunet/model";
import { ImportError } from "../errors.ts";
import { type Imported, type ImportOptions, importModel } from "../imported.ts";
import { expectBytes, expectLayout } from "../layout.ts";
import { permute } from "../permute.ts";
import { kindOf, type SourceArray, type SourceFacts, type SourceLayer, type SourceModel } from "../source.ts";
import { precisionOf, withRounding } from "./rounding.ts";

/** A module as the file describes it. */
interface TorchModule {
  readonly name: string;
  readonly type: string;
  readonly [setting: string]: unknown;
}

const EXAMPLE = "saunet.example";
const ANSWER = "saunet.answer";
/** Sums in another order differ by some 1e-6; one thing understood wrongly differs by far more. */
const TOLERANCE = 1e-4;
/** By how many times what rounding to 16 bits changes an answer may differ where the weights have 16 bits. */
const ROUNDINGS = 4;
/** An example of 512 x 512 runs within a second, in 70 MB. */
const MAX_EXAMPLE = 2 ** 18;
const WAY_OUT = "write it with the lines in docs/interop.md";

/**
 * Takes over the weights of a PyTorch network: a safetensors file of its state dict with the description and the
 * example that docs/interop.md shows how to write.
 *
 * @throws SafetensorsError where the file is damaged; ImportError where it says too little, holds another network, or
 *   one that answers its example otherwise
 * @example
 * const { readFile } = await import("node:fs/promises");
 * const { config, assignments } = importTorch(await readFile("fixtures/files/torch/sa-unet.safetensors"));
 * console.log(config.epsilon, assignments[0].layer); // 0.00001 encoders.0.0.conv
 */
export function importTorch(bytes: Uint8Array, options: ImportOptions = {}): Imported {
  expectBytes("importTorch", bytes);
  // What is of no known kind has a header that tells more.
  if (fileKind(bytes) !== undefined) expectLayout(bytes, "torch");
  const { source, example, answer } = readTorch(bytes);
  let nearest: ({ imported: Imported } & Agreement) | undefined;
  for (const facts of options.config === undefined ? candidates(source.facts) : [source.facts]) {
    const imported = importModel({ ...source, facts }, options);
    const agreement = compareAnswers(answer, imported, example);
    if (nearest === undefined || agreement.difference < nearest.difference)
      nearest = { imported, ...agreement };
    if (nearest.difference <= TOLERANCE) break;
  }
  const { imported, difference, tolerance } = nearest!;
  // The answer settles what the description leaves open.
  if (difference <= tolerance) return { ...imported, assumed: [] };
  throw new ImportError(
    `has the layers of a ${imported.config.name}, but that answers the file's example otherwise than PyTorch did, by up to ${difference.toPrecision(2)}, where rounding explains ${tolerance.toPrecision(2)}: what its modules do between their layers is not of this family`,
  );
}

/** What the description may leave open: activations and attention that are functions, not modules. */
function candidates(facts: SourceFacts): SourceFacts[] {
  const activations = facts.activation === undefined ? (["silu", "relu"] as const) : [facts.activation];
  const skips = ["cross-scale", "spatial"] as const;
  return skips.flatMap((skipAttention) =>
    activations.map((activation) => ({ ...facts, activation, skipAttention })),
  );
}

function readTorch(bytes: Uint8Array): { source: SourceModel; example: Tensor; answer: Tensor } {
  const { tensors, metadata } = readSafetensors(bytes);
  if (metadata.network !== undefined) throw new ImportError("is a weights file of this project already");
  if (metadata.modules === undefined) {
    throw new ImportError(
      `does not say how its modules are set, which a state dict alone never does: ${WAY_OUT}`,
    );
  }
  const modules = readModules(metadata.modules);
  const { [EXAMPLE]: example, [ANSWER]: answer, ...state } = tensors;
  if (example?.shape.length !== 4 || answer?.shape.length !== 4) {
    throw new ImportError(`holds no example with its answer: ${WAY_OUT}`);
  }
  const layers = layersOf(modules, state);
  return { source: { origin: originOf(metadata), layers, facts: factsOf(modules) }, example, answer };
}

function originOf({ pytorch }: Readonly<Record<string, string>>): string {
  return pytorch === undefined ? "PyTorch" : `PyTorch ${pytorch.slice(0, 40)}`;
}

function readModules(text: string): TorchModule[] {
  const refuse = () => new ImportError(`describes its modules in a way that is not understood: ${WAY_OUT}`);
  let modules: unknown;
  try {
    modules = JSON.parse(text);
  } catch {
    throw refuse();
  }
  const isModule = (value: unknown): value is TorchModule =>
    typeof value === "object" &&
    value !== null &&
    "name" in value &&
    typeof value.name === "string" &&
    "type" in value &&
    typeof value.type === "string";
  if (!Array.isArray(modules) || !modules.every(isModule)) throw refuse();
  return modules;
}

const NORMALIZATIONS = ["BatchNorm2d", "GroupNorm"];

/** PyTorch's names for arrays, and this project's. */
function entryOf(type: string, key: string): string {
  const isNorm = NORMALIZATIONS.includes(type);
  switch (key) {
    case "weight":
      return isNorm ? "gamma" : "filter";
    case "bias":
      return isNorm ? "beta" : "bias";
    case "running_mean":
      return "mean";
    case "running_var":
      return "variance";
    default:
      return key;
  }
}

function layersOf(modules: readonly TorchModule[], state: Readonly<Record<string, Tensor>>): SourceLayer[] {
  const owned = new Map<string, Record<string, SourceArray>>();
  const types = new Map(modules.map(({ name, type }) => [name, type]));
  for (const [name, { shape, data }] of Object.entries(state)) {
    const dot = name.lastIndexOf(".");
    const [owner, key] = [name.slice(0, dot), name.slice(dot + 1)];
    if (key === "num_batches_tracked") continue;
    const type = types.get(owner);
    if (type === undefined)
      throw new ImportError(`holds a tensor ${quote(name)} of a module that did not run`);
    const array: SourceArray =
      shape.length === 4
        ? {
            shape: [shape[2], shape[3], shape[1], shape[0]],
            values: permute(new Float32Array(data), shape, [2, 3, 1, 0]),
          }
        : { shape, values: new Float32Array(data) };
    owned.set(owner, { ...owned.get(owner), [entryOf(type, key)]: array });
  }
  return [...types].flatMap(([name, type]): SourceLayer[] => {
    const arrays = owned.get(name);
    return arrays === undefined ? [] : [{ name, kind: kindOf(arrays, type === "ConvTranspose2d"), arrays }];
  });
}

function factsOf(modules: readonly TorchModule[]): SourceFacts {
  const of = (...types: string[]) => modules.filter(({ type }) => types.includes(type));
  const epsilon = agreed(of(...NORMALIZATIONS), "eps");
  const groups = agreed(of("GroupNorm"), "num_groups");
  const activations = new Set(of("SiLU", "ReLU").map(({ type }) => (type === "SiLU" ? "silu" : "relu")));
  const [activation] = activations;
  return {
    ...(epsilon !== undefined && { epsilon }),
    ...(groups !== undefined && { groups }),
    ...(activations.size === 1 && { activation: activation as "silu" | "relu" }),
    ...paddingOf(of("ConvTranspose2d")),
  };
}

/** A setting on which all modules agree. */
function agreed(modules: readonly TorchModule[], setting: string): number | undefined {
  const values = [...new Set(modules.map((module) => module[setting]))];
  if (values.length === 0) return undefined;
  const [value] = values;
  const isSound = typeof value === "number" && value > 0 && (setting === "eps" || Number.isInteger(value));
  if (values.length > 1 || !isSound) {
    throw new ImportError(
      `has modules with ${setting} ${values.map(quote).join(", ")}; one for all is taken over`,
    );
  }
  return value;
}

/**
 * Stride 2 makes 2n + 1 rows of n. Keras drops the last, as `padding=0` does with `[..., :-1, :-1]` after it;
 * `padding=1, output_padding=1` drops the first.
 */
function paddingOf(modules: readonly TorchModule[]): Pick<SourceFacts, "transposedPadding"> {
  const told = new Set(
    modules.map(({ stride, padding, output_padding }) => JSON.stringify([stride, padding, output_padding])),
  );
  if (told.size === 0) return {};
  const [settings] = told;
  const paddings = [
    [
      [2, 2],
      [0, 0],
      [0, 0],
    ],
    [
      [2, 2],
      [1, 1],
      [1, 1],
    ],
  ].map((known) => JSON.stringify(known));
  const index = told.size === 1 ? paddings.indexOf(settings) : -1;
  if (index < 0) {
    throw new ImportError(
      `has transposed convolutions with [stride, padding, output_padding] ${[...told].join(" and ")}; stride 2 with paddings of 0 and 0, or of 1 and 1, is taken over`,
    );
  }
  return { transposedPadding: index as 0 | 1 };
}

/** How far an answer is from ours, and how far it may be. */
interface Agreement {
  readonly difference: number;
  readonly tolerance: number;
}

/** Compares PyTorch's answer with ours, as logits or as probabilities, whichever PyTorch's are. */
function compareAnswers(answer: Tensor, { config, parameters }: Imported, example: Tensor): Agreement {
  const [N, C, H, W] = example.shape;
  const multiple = sizeMultiple(config);
  if (C !== config.inputChannels || H % multiple !== 0 || W % multiple !== 0 || example.size === 0) {
    throw new ImportError(
      `has an example of shape ${quote(example.shape)}; [N,${config.inputChannels},H,W] with multiples of ${multiple} is wanted`,
    );
  }
  if (N * H * W > MAX_EXAMPLE) {
    throw new ImportError(`has an example of ${N * H * W} pixels; up to ${MAX_EXAMPLE} are tried`);
  }
  if (formatShape(answer.shape) !== formatShape([N, 1, H, W])) {
    throw new ImportError(
      `has an answer of shape ${quote(answer.shape)}; ${formatShape([N, 1, H, W])} is wanted`,
    );
  }
  const x = new Tensor(permute(example.data as Float32Array, example.shape, [0, 2, 3, 1]), [N, H, W, C]);
  const run = () =>
    noGrad(() => {
      const logits = forward(config, parameters, x);
      return [logits, sigmoid(logits)];
    });
  const exact = run();
  const precision = precisionOf(Object.values(parameters));
  const inPrecision = precision === 24 ? exact : withRounding(precision, run);
  const agreements = exact.map(
    ({ data }, i): Agreement => ({
      difference: largestDifference(data, answer.data),
      tolerance: Math.max(TOLERANCE, ROUNDINGS * largestDifference(data, inPrecision[i].data)),
    }),
  );
  return agreements[0].difference <= agreements[1].difference ? agreements[0] : agreements[1];
}

function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let largest = 0;
  for (let i = 0; i < a.length; i++) {
    const difference = Math.abs(a[i] - b[i]);
    if (!(difference <= largest)) largest = difference;
  }
  return largest;
}
