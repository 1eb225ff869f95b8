import { afterEach, expect, it } from "vitest";
import { openLayers } from "./layers.ts";
import { openOperators } from "./operators.ts";
import { labelOf } from "./rows.ts";
import type { Row } from "./schema.ts";
import type { Open } from "./session.ts";
import { type Settings, USUAL } from "./settings.ts";

const settings: Settings = { ...USUAL, quick: true, seconds: 0.001, size: [32, 32] };
const nobody: ReadonlySet<string> = new Set();
let end = (): void => {};
afterEach(() => end());

const all = async (open: Open): Promise<readonly Row[]> => {
  const session = await open(settings);
  end = session.end;
  const rows: Row[] = [];
  for (const unit of session.units.keys()) rows.push(...(await session.measure(unit, nobody)));
  return rows;
};

// Kernels of one number have no integers; a pooling also writes indices.
it.each([
  ["layers", openLayers],
  ["operators", openOperators],
] as const)("every kernel call of %s is right in every form, and says what it computed", async (_, open) => {
  const rows = await all(open);
  const bad = rows.flatMap((row) => ("status" in row ? [`${labelOf(row)}: ${row.reason}`] : []));
  expect(bad).toEqual([]);
  expect(rows.filter(({ name }) => name.endsWith("accelerated")).length).toBeGreaterThan(5);
  expect(rows.every(({ geometry = {} }) => Object.keys(geometry).length > 0)).toBe(true);
});
