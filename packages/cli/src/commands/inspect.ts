// saunet inspect: what a network is made of, and what a run of it holds in memory.

import { prepare, randomState, zeros } from "@saunet/core";
import {
  captureInference,
  initialize,
  inspectNetwork,
  memoryOf,
  type NetworkConfig,
  networks,
  type ProgramMemory,
  saUNetV2,
} from "@saunet/model";
import { DONE } from "../errors.ts";
import { openWeights } from "../files.ts";
import type { Size } from "../options.ts";
import { type Host, megabytes, print, sideBySide, table, writeJson } from "../output.ts";

/** Options of `saunet inspect`. */
export interface InspectOptions {
  readonly network?: string;
  readonly size: Size;
  readonly memory?: boolean;
  readonly json?: boolean;
}

/** Prints the operators of a network, or of the one in a weights file, with their shapes, parameters and FLOPs. */
export async function inspect(
  file: string | undefined,
  options: InspectOptions,
  host: Host,
): Promise<number> {
  const named = options.network === undefined ? undefined : networks[options.network];
  const config = file === undefined ? (named ?? saUNetV2) : (await openWeights(host, file, named)).config;
  const report = inspectNetwork(config, options.size);
  const memory = options.memory ? memoryOfRun(config, options.size) : undefined;
  if (options.json) {
    writeJson(host, { ...report, ...(memory && { memory }) });
    return DONE;
  }
  const figure = (count: number) => (count === 0 ? "" : count.toLocaleString("en"));
  const rows = report.layers.map(({ layer, op, shape, parameters, flops }) => [
    layer,
    op,
    shape.slice(1).join("x"),
    figure(parameters),
    figure(flops),
  ]);
  const [height, width, channels] = report.input;
  print(
    host,
    `${table([["layer", "operator", "output", "parameters", "FLOPs"], ...rows])}\n\n` +
      `${report.model} on ${height}x${width}x${channels}: ${report.parameters.toLocaleString("en")} parameters, ` +
      `${(report.flops / 1e9).toFixed(2)} GFLOPs\n`,
  );
  if (memory !== undefined) print(host, `\n${textOf(memory)}\n`);
  return DONE;
}

/** Prepares a run, as any command would on this machine, and asks it. */
function memoryOfRun(config: NetworkConfig, { height, width }: Size): ProgramMemory {
  const parameters = initialize(config, randomState(0));
  const x = zeros([1, height, width, config.inputChannels]);
  const runnable = prepare(captureInference({ config, parameters }, x));
  const memory = memoryOf(runnable, parameters);
  runnable.release();
  return memory;
}

function textOf({ parts, lowerBound, peak, alive }: ProgramMemory): string {
  const whole = Object.values(parts).reduce((sum, bytes) => sum + bytes, 0);
  const purposes = Object.entries(parts).map(([purpose, bytes]) => [purpose, megabytes(bytes)]);
  const arrays = alive.map(({ layer, kernel, bytes }) => [layer, kernel, megabytes(bytes)]);
  return [
    "memory of a run, in MB:",
    sideBySide([...purposes, ["together", megabytes(whole)]]),
    "",
    `most temporaries alive at one time, at ${peak.layer} (${peak.kernel}): ${megabytes(lowerBound)}; ` +
      `planned: ${megabytes(parts.temporaries)}`,
    table([["written at", "by", "MB"], ...arrays]),
  ].join("\n");
}
