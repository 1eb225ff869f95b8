// How much work the generated code does, in instructions of WebAssembly: what noise cannot move. A change of more than 1 % is
// meant or it is a mistake. Where it is meant, the counts are written anew, with the reason:
//
//   SAUNET_REASON="tiles of 4 x 12" npx vitest run packages/wasm/src/instructions.test.ts

import { readFileSync, writeFileSync } from "node:fs";
import { adam, capture, type Program, randomState, zeros } from "@saunet/core";
import { captureInference, initialize, paperLoss, saUNetV2, trainStep } from "@saunet/model";
import { describe, expect, it } from "vitest";
import { type FunctionBuilder, type Local, ModuleBuilder } from "./asm/index.ts";
import { instantiate } from "./compile.ts";
import { type Counts, countInstructions, counting } from "./testing/counting.ts";

const FILE = new URL("../instructions.json", import.meta.url);
const reason = process.env.SAUNET_REASON;

interface Recorded {
  readonly reason: string;
  readonly programs: Readonly<Record<string, Counts>>;
}

const config = saUNetV2;
const parameters = initialize(config, randomState(1));

function training(side: number): Program {
  const optimizer = adam(parameters);
  const step = { config, parameters, optimizer, loss: paperLoss(), random: randomState(2) };
  return capture(
    ([x, target]) => [trainStep(step, { x, target })],
    [zeros([1, side, side, 3]), zeros([1, side, side, 1])],
  );
}

const programs: Readonly<Record<string, () => Program>> = {
  "inference 592x592": () => captureInference({ config, parameters }, zeros([1, 592, 592, 3])),
  "inference 256x256": () => captureInference({ config, parameters }, zeros([1, 256, 256, 3])),
  "training 384x384": () => training(384),
};

/** What is another number by more than 1 %, a line each. */
function differences(found: Counts, recorded: Counts): string[] {
  const entries = ({ calls, moduleBytes, instructions }: Counts): [string, number][] => [
    ["bytes of modules", moduleBytes],
    ["instructions", instructions],
    ...Object.entries(calls).flatMap(([name, counts]) =>
      counts.map((count, call): [string, number] => [`thousands in call ${call + 1} of ${name}`, count]),
    ),
  ];
  const before = new Map(entries(recorded));
  const now = new Map(entries(found));
  return [...new Set([...before.keys(), ...now.keys()])].flatMap((what) => {
    const [was, is] = [before.get(what) ?? 0, now.get(what) ?? 0];
    // A thousand instructions more or less are no work.
    return Math.abs(is - was) <= Math.max(0.01 * was, 1) ? [] : [`${what}: ${was} -> ${is}`];
  });
}

describe("generated code executes as many instructions as before", () => {
  it.each(Object.keys(programs))("%s", (name) => {
    const found = countInstructions(programs[name]());
    expect(found.instructions).toBeGreaterThan(1e8);
    const recorded = JSON.parse(readFileSync(FILE, "utf8")) as Recorded;
    if (reason !== undefined) {
      const all = { reason, programs: { ...recorded.programs, [name]: found } };
      writeFileSync(FILE, `${JSON.stringify(all, undefined, 1)}\n`);
      return;
    }
    expect(differences(found, recorded.programs[name])).toEqual([]);
  });
});

describe("a count is right, to the instruction", () => {
  /** `body` from `from` to `to - 1`, and how many instructions that was. */
  function counted(body: (f: FunctionBuilder, x: Local<"i32">) => void, from: number, to: number): number {
    const memory = new WebAssembly.Memory({ initial: 1 });
    const m = new ModuleBuilder();
    m.importMemory("env", "memory", { initial: 1 });
    m.func("phase0", { params: { from: "i32", to: "i32" } }, (f, params) => {
      const i = f.local("i", "i32");
      f.forRange(i, params, () => body(f, i));
    });
    const [{ code }] = m.functions;
    code.splice(0, code.length, ...counting(code, 64));
    instantiate(m.build(), memory)[0](from, to, 0, 0);
    return Number(new BigInt64Array(memory.buffer, 64, 1)[0]);
  }
  // get from, set i, block, loop; a round is get i, get to, ge_s, br_if, then the body, get i, const, add, set i, br; the round
  // that leaves is the first four of those; the end of the function. A branch leaves a block without its end.
  const [before, round, last, after] = [4, 9, 4, 1];

  it.each([0, 1, 1000])("of a loop of %d rounds", (rounds) => {
    expect(counted(() => {}, 0, rounds)).toBe(before + rounds * round + last + after);
  });

  it("of a branch that every other round takes", () => {
    const half = (f: FunctionBuilder, i: Local<"i32">) =>
      f.if(f.i32.and(i, 1), () => f.i32.store(128, f.i32.load(128)));
    // get, const, and, if; the branch: const, const, load, store, end
    const rounds = 1000;
    expect(counted(half, 0, rounds)).toBe(before + rounds * (round + 4) + (rounds / 2) * 5 + last + after);
  });
});
