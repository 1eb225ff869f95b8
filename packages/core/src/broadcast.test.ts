// A walk against plain indexing, place by place.

import fc from "fast-check";
import { expect, it } from "vitest";
import { forEachRun, joinAxes, walkOver } from "./broadcast.ts";
import { sizeOf, stridesOf } from "./shape.ts";

const sizes = fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 5 });
/** A shape, and one that broadcasts to it: some axes of size 1, some of the outer ones missing. */
const stretched = sizes.chain((shape) =>
  fc.record({
    shape: fc.constant(shape),
    operand: fc
      .tuple(
        fc.nat({ max: shape.length }),
        fc.array(fc.boolean(), { minLength: shape.length, maxLength: shape.length }),
      )
      .map(([missing, ones]) => shape.map((size, axis) => (ones[axis] ? 1 : size)).slice(missing)),
  }),
);

/** Where each element of `shape`, in order, lies in an array of the operand's shape. */
function placesIn(operand: readonly number[], shape: readonly number[]): number[] {
  const [steps, own] = [stridesOf(shape), stridesOf(operand)];
  const missing = shape.length - operand.length;
  return Array.from({ length: sizeOf(shape) }, (_, at) =>
    operand.reduce((place, size, axis) => {
      const index = Math.floor(at / steps[axis + missing]) % shape[axis + missing];
      return place + (size === 1 ? 0 : index) * own[axis];
    }, 0),
  );
}

it("meets the elements of each array that broadcasting puts together, in order", () => {
  fc.assert(
    fc.property(stretched, ({ shape, operand }) => {
      const walk = walkOver(shape, [shape, operand]);
      const [step, other] = walk.strides.map((own) => own.at(-1)!);
      const [places, met]: number[][] = [[], []];
      forEachRun(walk, (length, a, b) => {
        for (let k = 0; k < length; k++) {
          places.push(a + k * step);
          met.push(b + k * other);
        }
      });
      expect(places).toEqual(Array.from({ length: sizeOf(shape) }, (_, i) => i));
      expect(met).toEqual(placesIn(operand, shape));
    }),
  );
});

it("crosses neighbouring axes as one where all arrays do so evenly, and only there", () => {
  const joined = (shape: number[], ...operands: number[][]) => walkOver(shape, operands).shape;
  expect(joined([2, 3, 4], [2, 3, 4], [2, 3, 4])).toEqual([24]);
  expect(joined([2, 3, 4], [2, 3, 4], [4])).toEqual([6, 4]);
  expect(joined([2, 3, 4], [2, 3, 4], [2, 1, 1])).toEqual([2, 12]);
  expect(joined([2, 3, 4], [2, 3, 4], [3, 1])).toEqual([2, 3, 4]);
  expect(joined([2, 3, 4], [2, 3, 4], [])).toEqual([24]);
  expect(joined([2, 1, 4], [2, 1, 4], [2, 1, 4])).toEqual([8]);
  expect(joined([1, 1], [1, 1])).toEqual([1]);
  // Of a transposed array the other one goes evenly, it does not.
  expect(joinAxes([3, 2], [stridesOf([3, 2]), [1, 3]]).shape).toEqual([3, 2]);
});

it("meets nothing where an axis is empty", () => {
  for (const shape of [[0], [2, 0], [0, 2]])
    forEachRun(walkOver(shape, [shape]), () => expect.fail(`met something of ${shape}`));
});
