import { afterEach, expect, it } from "vitest";
import { openConvolutions } from "./convolution-session.ts";
import type { Attempt } from "./lab/attempt.ts";
import { attempts } from "./lab/index.ts";
import { openLayers } from "./layers.ts";
import { openOperators } from "./operators.ts";
import { labelOf } from "./rows.ts";
import type { Row } from "./schema.ts";
import type { Open } from "./session.ts";
import { type Settings, USUAL } from "./settings.ts";
import { parseShape } from "./shapes.ts";

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

it("numbers the calls of a layer that makes one kernel's more than once, from the second on", async () => {
  const session = await openLayers(settings);
  end = session.end;
  const { units } = session;
  expect(new Set(units).size).toBe(units.length);
  const numbered = units.filter((unit) => /\(\d+\)/.test(unit));
  expect(numbered.length).toBeGreaterThan(0);
  for (const unit of numbered) {
    const nth = Number(/\((\d+)\)/.exec(unit)![1]);
    expect(nth).toBeGreaterThan(1);
    expect(units).toContain(unit.replace(` (${nth})`, nth === 2 ? "" : ` (${nth - 1})`));
  }
});

it("attempts make the forward calls that they serve, and no others", async () => {
  const [naive] = attempts;
  const spoilt: Attempt = {
    ...{ ...naive, name: "spoilt" },
    prepare: (dims, operands) => {
      const { run, y } = naive.prepare(dims, operands);
      return { run, y: () => y().map((value, i) => (i === 3 ? value + 1 : value)) };
    },
  };
  const broken: Attempt = {
    ...{ ...naive, name: "broken" },
    prepare: () => {
      throw new Error("no memory\nat all");
    },
  };
  const absent: Attempt = { ...naive, name: "absent", serves: () => false };
  const several: Attempt = {
    ...{ ...naive, name: "several", code: "simd" },
    prepare: (dims, operands) => ({ ...naive.prepare(dims, operands), calls: 1e6 }),
  };
  const specs = [parseShape("7x6x3 -> 4, 3x3, batch 2")];
  const session = await openConvolutions(specs, settings, () => ({
    ...{ attempts: [naive, spoilt, broken, absent, several], of: () => [], end: () => {} },
  }));
  end = session.end;
  const forward = await session.measure(0, nobody);
  const by = Object.fromEntries(forward.map((row) => [row.name.replace("conv2d.forward ", ""), row]));
  expect(Object.keys(by).toSorted()).toEqual([
    "accelerated",
    "broken",
    "naive",
    "several",
    "spoilt",
    "typescript",
  ]);
  expect(by.naive).toMatchObject({ code: "typescript", median_ms: expect.any(Number), threads: 1 });
  expect(by.several).toMatchObject({ code: "simd" });
  expect("median_ms" in by.several && by.several.median_ms).toBeLessThan(1e-3);
  expect(by.spoilt).toMatchObject({ status: "wrong", max_abs_diff: expect.closeTo(1, 5) });
  expect(by.broken).toMatchObject({ status: "failed", reason: "no memory" });
  for (const gradient of [1, 2]) expect(await session.measure(gradient, nobody)).toHaveLength(2);
  const without = await session.measure(0, new Set(["naive", "broken", "several", "typescript"]));
  expect(without.map(({ name }) => name)).toEqual(["conv2d.forward spoilt", "conv2d.forward accelerated"]);
});
