import { expect, it } from "vitest";
import * as model from "./index.ts";

const classes = Object.entries(model).filter(
  (entry): entry is [string, (typeof entry)[1] & { readonly prototype: Error }] =>
    typeof entry[1] === "function" && entry[1].prototype instanceof Error,
);

it("calls its errors by their classes, in stacks and logs too", () => {
  expect(classes.length).toBeGreaterThan(2);
  for (const [name, { prototype }] of classes) {
    const error = Reflect.construct(prototype.constructor, ["what happened"]) as Error;
    expect(error.name).toBe(name);
    expect(String(error)).toMatch(new RegExp(`^${name}: `));
  }
});
