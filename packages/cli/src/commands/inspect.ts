// saunet inspect: what a network is made of.

import { inspectNetwork, networks } from "@saunet/model";
import { DONE } from "../errors.ts";
import type { Size } from "../options.ts";
import { type Host, table, writeJson } from "../output.ts";

/** Options of `saunet inspect`. */
export interface InspectOptions {
  readonly network: string;
  readonly size: Size;
  readonly memory?: boolean;
  readonly json?: boolean;
}

/** Prints the operators of a network with their shapes, parameters and FLOPs. */
export function inspect(options: InspectOptions, host: Host): number {
  const report = inspectNetwork(networks[options.network], options.size);
  if (options.json) {
    writeJson(host, report);
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
  host.stdout.write(
    `${table([["layer", "operator", "output", "parameters", "FLOPs"], ...rows])}\n\n` +
      `${report.model} on ${height}x${width}x${channels}: ${report.parameters.toLocaleString("en")} parameters, ` +
      `${(report.flops / 1e9).toFixed(2)} GFLOPs\n`,
  );
  if (options.memory) {
    const { planned, lowerBound } = report.memory;
    const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;
    host.stdout.write(
      `planned memory of a run: ${megabytes(planned)}; no plan needs less than ${megabytes(lowerBound)}\n`,
    );
  }
  return DONE;
}
