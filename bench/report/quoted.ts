// What README quotes of the results: whole lines, so that a figure and the words around it change together.

import { isMeasured } from "../rows.ts";
import type { Measured, Results } from "../schema.ts";

/** Who stands in README's table, in its order: the contender and how it is called there. */
const TABLE: readonly (readonly [name: string, threads: number, called: string])[] = [
  ["saunet", 2, "**saunet**"],
  ["openvino", 2, "OpenVINO (native)"],
  ["onnxruntime-node", 2, "onnxruntime-node (native)"],
  ["pytorch", 2, "PyTorch (native)"],
  ["onnxruntime-web", 2, "onnxruntime-web"],
  ["saunet", 1, "**saunet**"],
  ["openvino", 1, "OpenVINO (native)"],
  ["onnxruntime-node", 1, "onnxruntime-node (native)"],
  ["pytorch", 1, "PyTorch (native)"],
  ["onnxruntime-web", 1, "onnxruntime-web"],
  ["tfjs-wasm", 1, "TensorFlow.js, WebAssembly"],
  ["saunet-typescript", 1, "**saunet, TypeScript alone**"],
];

/** The row of a contender. */
function rowOf({ results, bench }: Results, name: string, threads: number): Measured {
  const row = results.filter(isMeasured).find((each) => each.name === name && each.threads === threads);
  if (row === undefined) throw new Error(`${bench}: no row of ${name} on ${threads} threads`);
  return row;
}

const ms = (value: number): string => value.toFixed(0);

/**
 * What README has to hold, line breaks aside.
 *
 * @param current the network on a current Node
 */
export function quoted(model: Results, train: Results, current: Results): readonly string[] {
  const time = (name: string, threads: number, results = model) =>
    ms(rowOf(results, name, threads).median_ms);
  const { cpu, cores, node, date } = model.machine;
  const { repetitions = 1, minutes = 0 } = model;
  const table = TABLE.map(([name, threads, called]) => {
    const { median_ms, low_ms, high_ms, peak_rss_mb } = rowOf(model, name, threads);
    return `| ${called} | ${threads} | ${ms(median_ms)} ms | ${ms(low_ms!)} to ${ms(high_ms!)} | ${peak_rss_mb} MB |`;
  });
  return [
    `takes ${time("saunet", 2)} ms on two threads; onnxruntime-node, which is native code, takes ${time("onnxruntime-node", 2)} ms.`,
    `a step at 592 x 592 takes ${time("saunet", 2, train)} ms on two threads; PyTorch takes ${time("pytorch", 2, train)} ms.`,
    `on ${cores} cores of an ${cpu}, Node ${node.slice(1)}, ${date.slice(0, 10)}, ${repetitions} processes of each contender over ${minutes} minutes`,
    ...table,
    `without it saunet takes ${time("saunet-plain", 2)} and ${time("saunet-plain", 1)} ms.`,
    `On Node ${current.machine.node.slice(1)}, within ${current.minutes} minutes, it takes ${time("saunet", 2, current)} and ${time("saunet", 1, current)} ms, onnxruntime-node ${time("onnxruntime-node", 2, current)} and ${time("onnxruntime-node", 1, current)}.`,
    `takes ${time("saunet", 1, train)} ms on one thread and ${time("saunet", 2, train)} on two; PyTorch ${rowOf(train, "pytorch", 1).version} takes ${time("pytorch", 1, train)} and ${time("pytorch", 2, train)}`,
  ];
}
