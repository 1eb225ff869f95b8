import { expect, it, vi } from "vitest";
import { haltOf } from "./halt.ts";

/** Which of the two promises of a pause have been kept. */
async function kept({ reached, over }: ReturnType<typeof haltOf>): Promise<string[]> {
  const done: string[] = [];
  void reached.then(() => done.push("reached"));
  void over.then(() => done.push("over"));
  await new Promise((resolve) => setImmediate(resolve));
  return done;
}

it("is reached by the loop, and over when a person lifts it", async () => {
  const onLift = vi.fn();
  const halt = haltOf(onLift);
  expect(await kept(halt)).toEqual([]);
  halt.reach();
  expect(await kept(halt)).toEqual(["reached"]);
  expect(onLift).not.toHaveBeenCalled();
  halt.lift();
  expect(await kept(halt)).toEqual(["reached", "over"]);
  expect(onLift).toHaveBeenCalledOnce();
});

it("lets nobody wait for it where it is lifted before it was reached", async () => {
  const halt = haltOf(() => {});
  halt.lift();
  expect(await kept(halt)).toEqual(["reached", "over"]);
});
