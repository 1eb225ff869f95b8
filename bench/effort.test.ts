// How long each bench looks at whoever it times, where nothing is said, in the short run, and where it is said.

import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { type Effort, measure } from "./harness.ts";
import { openKernels } from "./kernels.ts";
import { openLaboratory } from "./lab-session.ts";
import { openLayers } from "./layers.ts";
import { openProducts } from "./matmul.ts";
import { openModel, openTrain } from "./race.ts";
import type { Open } from "./session.ts";
import { type Settings, USUAL } from "./settings.ts";

vi.mock("./harness.ts", async (original) => ({
  ...(await original<object>()),
  measure: vi.fn(
    async (tasks: readonly { name: string }[]) =>
      new Map(tasks.map(({ name }) => [name, new Error("not timed")])),
  ),
}));
vi.mock("./contenders/install.ts", () => ({ installPeers: () => {} }));
vi.mock("./contenders/process.ts", () => ({
  ContenderError: Error,
  ContenderProcess: class {
    load = () => Promise.reject(new Error("does not start"));
    loadProduct = () => Promise.reject(new Error("does not start"));
    end = () => {};
  },
}));

beforeEach(() => void vi.spyOn(process.stderr, "write").mockReturnValue(true));
afterEach(() => void vi.restoreAllMocks());

const shape = ["5x4x3 -> 4, 3x3"];
const size = [32, 32] as const;

it.each<[string, Open, Partial<Settings>, Partial<Effort>, Partial<Effort>]>([
  [
    "lab",
    openLaboratory,
    { shape, attempts: ["1"] },
    { seconds: 2, minRuns: 5, maxRuns: 200 },
    { seconds: 0.5 },
  ],
  ["kernels", openKernels, { shape }, { seconds: 1, minRuns: 5, maxRuns: 100 }, { seconds: 0.2 }],
  ["layers", openLayers, { size }, { seconds: 1, minRuns: 5, maxRuns: 100 }, { seconds: 0.2 }],
  ["matmul", openProducts, {}, { seconds: 2, minRuns: 3, maxRuns: 60 }, { seconds: 0.5 }],
  ["model", openModel, { size }, { seconds: 20, minRuns: 3, maxRuns: 30 }, { seconds: 4 }],
  ["train", openTrain, { size }, { seconds: 20, minRuns: 3, maxRuns: 30 }, { seconds: 4 }],
])(
  "%s looks for its usual time, a shorter one in the short run, or as long as is said",
  async (_, open, own, usual, short) => {
    const looked = vi.mocked(measure);
    for (const [said, wanted] of [
      [{}, usual],
      [{ quick: true }, { ...usual, ...short }],
      [{ seconds: 7 }, { ...usual, seconds: 7 }],
      [
        { seconds: 7, quick: true },
        { ...usual, seconds: 7 },
      ],
    ] as const) {
      looked.mockClear();
      const session = await open({ ...USUAL, ...own, ...said });
      const rows = await session.measure(0, new Set());
      session.end();
      expect(rows.length).toBeGreaterThan(0);
      expect(looked.mock.calls.map(([, effort]) => effort)).toEqual([wanted]);
      for (const row of rows)
        expect(row).toMatchObject({ status: "failed", reason: expect.stringMatching(/not (timed|start)/) });
    }
  },
);
