import { expect, it } from "vitest";
import { merge, rowOf } from "./rows.ts";
import { machine } from "./testing.ts";

const run = (settled: boolean) =>
  rowOf({ name: "x", threads: 1, shape: "x" }, { samples: [2, 1, 3], warmup: [5], settled });

it.each([
  [[true, true], true],
  [[true, false], false],
  [[false, false], false],
])("a row of processes that had settled or not, %j, is settled: %j", (all, settled) => {
  const rows = merge(all.map(run), machine);
  expect(rows).toMatchObject([{ settled, runs: 3 * all.length }]);
});
