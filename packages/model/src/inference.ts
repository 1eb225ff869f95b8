// The forward pass as a program; its calls and its memory are attributed to layers of the network.

import { capture, noGrad, type Program, type Runnable, sigmoid, softmax, type Tensor } from "@saunet/core";
import { planProgram } from "@saunet/core/kernels";
import type { NetworkConfig } from "./config.ts";
import { forward } from "./network.ts";
import type { Parameters } from "./parameters.ts";

/**
 * Probabilities of logits: their sigmoid, or the softmax over the classes where the network tells classes apart.
 *
 * @param logits what {@link forward} returns
 * @example
 * const arteriesAndVeins = withClasses(saUNetV2, ["artery", "vein"]);
 * console.log(probabilitiesOf(arteriesAndVeins, tensor([0, 0, Math.log(2)])).data); // Float32Array(3) [ 0.25, 0.25, 0.5 ]
 */
export function probabilitiesOf({ classes }: NetworkConfig, logits: Tensor): Tensor {
  return classes === undefined ? sigmoid(logits) : softmax(logits);
}

/**
 * Captures the forward pass of a network, from photographs to probabilities.
 *
 * @param x photographs `[N,H,W,3]` of the size that the program is to take; their values do not matter
 * @throws ShapeError where the network does not take that size
 * @example
 * const parameters = initialize(saUNetV2, randomState(1));
 * const { runSync } = prepare(captureInference({ config: saUNetV2, parameters }, zeros([1, 16, 16, 3])));
 * console.log(runSync([ones([1, 16, 16, 3])])[0].shape); // [ 1, 16, 16, 1 ]
 */
export function captureInference(
  { config, parameters }: { readonly config: NetworkConfig; readonly parameters: Parameters },
  x: Tensor,
): Program {
  return capture(
    ([image]) => [noGrad(() => probabilitiesOf(config, forward(config, parameters, image)))],
    [x],
  );
}

/**
 * The layer that each call of a forward pass belongs to: that of the parameters it reads, such as `encoder1.conv1`, or
 * else that of the call before it.
 *
 * @example
 * const parameters = initialize(saUNetV2, randomState(1));
 * const program = captureInference({ config: saUNetV2, parameters }, zeros([1, 16, 16, 3]));
 * console.log(layersOf(program, parameters)[0]); // encoder1.conv1
 */
export function layersOf({ calls, buffers }: Program, parameters: Parameters): string[] {
  const owners = new Map(Object.entries(parameters).map(([path, { data }]) => [data, path] as const));
  let layer = "input";
  return calls.map((call) => {
    for (const buffer of Object.values(call.buffers)) {
      const path = buffer === undefined ? undefined : owners.get(buffers[buffer].external as Float32Array);
      if (path === undefined) continue;
      layer = path.slice(0, path.lastIndexOf("."));
      break;
    }
    return layer;
  });
}

/** What the memory of a prepared program is for. */
export interface ProgramMemory {
  /** Bytes by purpose; `temporaries` is the one planned block of all that lives only during a run. */
  readonly parts: Readonly<Record<string, number>>;
  /** The most bytes of temporaries that are alive at one time: no plan needs less. */
  readonly lowerBound: number;
  /** The call during which so many are alive. */
  readonly peak: { readonly layer: string; readonly kernel: string };
  /** What is alive then, the largest first, each by the call that wrote it. */
  readonly alive: readonly { readonly layer: string; readonly kernel: string; readonly bytes: number }[];
}

/**
 * Tells what the memory of a prepared forward pass is for.
 *
 * @example
 * const network = { config: saUNetV2, parameters: initialize(saUNetV2, randomState(1)) };
 * const { peak, parts, lowerBound } = memoryOf(
 *   prepare(captureInference(network, zeros([1, 64, 64, 3]))), network.parameters,
 * );
 * console.log(peak.layer, parts.temporaries >= lowerBound); // decoder1.attention true
 */
export function memoryOf({ program, memory }: Runnable, parameters: Parameters): ProgramMemory {
  const { calls } = program;
  const { lifetimes, lowerBound } = planProgram(program);
  const layers = layersOf(program, parameters);
  const tell = (call: number) => ({ layer: layers[call], kernel: calls[call].kernel.name });
  const aliveAt = (call: number) => lifetimes.filter(({ first, last }) => first <= call && call <= last);
  const bytesAt = calls.map((_, call) => aliveAt(call).reduce((sum, { bytes }) => sum + bytes, 0));
  const peak = bytesAt.indexOf(Math.max(...bytesAt));
  const alive = aliveAt(peak)
    .map(({ first, bytes }) => ({ ...tell(first), bytes }))
    .sort((a, b) => b.bytes - a.bytes);
  return { parts: memory, lowerBound, peak: tell(peak), alive };
}
