import { beforeEach, expect, it } from "vitest";
import type { Job } from "../runner.ts";
import { Waking } from "./waking.ts";

const jobOf = (items: number, phase = 0): Job => ({
  ...{ name: "test", module: 3, phase, code: () => {}, items, alone: false, grain: 1 },
  ...{ shared: 0, own: 0, ownBytes: 0, addresses: [] },
});

let waking: Waking;
beforeEach(() => {
  waking = new Waking();
  waking.forget(3);
});

/** Ten items of a job took so long each; what is asked for next follows at once where `gap` is large, else after a pause. */
function note(milliseconds: number, gap: number): void {
  const end = performance.now() + gap;
  waking.note(jobOf(10), 10, end - 10 * milliseconds, end);
}
const [AT_ONCE, PAUSE] = [1000, -1000];

const isWorth = (items: number, phase?: number) => waking.isWorth(waking.expected(jobOf(items, phase)));

it("wakes others for the first job of a kind, and for long ones", () => {
  expect(isWorth(10)).toBe(true);
  note(0.001, PAUSE);
  expect(isWorth(10)).toBe(false);
  expect(isWorth(10, 1)).toBe(true);
  expect(isWorth(1000)).toBe(true);
  waking.forget(3);
  expect(isWorth(10)).toBe(true);
});

it("wakes others for short jobs that follow one another, not for those with pauses", () => {
  const answers = (gap: number) =>
    Array.from({ length: 12 }, () => {
      note(0.005, gap);
      return isWorth(10);
    });
  expect(answers(PAUSE)).not.toContain(true);
  // 0.05 ms each: four or five of them are 0.2 ms.
  const atOnce = answers(AT_ONCE);
  expect(atOnce.filter((answer) => answer).length).toBeGreaterThanOrEqual(2);
  expect(atOnce.filter((answer) => !answer).length).toBeGreaterThanOrEqual(6);
});

it("asks more of a job where waking did not help, for a while", () => {
  note(0.03, PAUSE);
  expect(isWorth(10)).toBe(true);
  waking.judge(0.3, 0.3);
  expect(isWorth(10)).toBe(false);
  const tries = Array.from({ length: 20 }, () => {
    note(0.03, PAUSE);
    return isWorth(10);
  });
  expect(tries).toContain(true);
  waking.judge(0.3, 0.2);
  note(0.03, PAUSE);
  expect(isWorth(10)).toBe(true);
});

it("does not take a job for longer because its thread was interrupted once", () => {
  note(0.001, PAUSE);
  note(1, PAUSE);
  expect(waking.expected(jobOf(10))).toBeCloseTo(0.011);
  note(0.0005, PAUSE);
  expect(waking.expected(jobOf(10))).toBeCloseTo(0.005);
});
