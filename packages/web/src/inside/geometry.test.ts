import { conv2d, convTranspose2d, ones, type Tensor, zeros } from "@saunet/core";
import { conv2dDims } from "@saunet/core/kernels";
import { describe, expect, it } from "vitest";
import { geometryOf, patchOf } from "./geometry.ts";

/** Where a result is not zero, as `row column`. */
function marked({ data, shape: [, height, width] }: Tensor): string[] {
  const places = [];
  for (let row = 0; row < height; row++)
    for (let column = 0; column < width; column++)
      if (data[row * width + column] !== 0) places.push(`${row} ${column}`);
  return places;
}

const sizes = [
  { height: 6, width: 5, filter: [3, 3], stride: 1, padding: "same" },
  { height: 6, width: 7, filter: [1, 1], stride: 1, padding: "same" },
  { height: 7, width: 9, filter: [7, 7], stride: 1, padding: "same" },
  { height: 8, width: 6, filter: [3, 2], stride: 2, padding: "same" },
  { height: 7, width: 9, filter: [2, 3], stride: 2, padding: "valid" },
] as const;
const cases = [
  ...sizes.map((size) => ({ ...size, isTransposed: false })),
  ...sizes.filter(({ padding }) => padding === "same").map((size) => ({ ...size, isTransposed: true })),
];

describe.each(cases)(
  "a filter of $filter, stride $stride, padding $padding, transposed: $isTransposed",
  (options) => {
    const { height, width, filter, stride, padding, isTransposed } = options;
    const w = ones([...filter, 1, 1]);

    it("makes each number of the pixels that change it", () => {
      const apply = (x: Tensor) =>
        isTransposed
          ? convTranspose2d(x, w, undefined, { stride, padding })
          : conv2d(x, w, undefined, { stride, padding });
      const out = apply(zeros([1, height, width, 1]));
      const [, outHeight, outWidth] = out.shape;
      // The integers of a transposed convolution are those of the convolution that it is the gradient of.
      const large = isTransposed ? [1, outHeight, outWidth, 1] : [1, height, width, 1];
      const geometry = geometryOf(conv2dDims("test", large, w.shape, { stride, padding }), isTransposed);
      expect([geometry.inputHeight, geometry.inputWidth]).toEqual([height, width]);
      const met = new Map<string, string[]>();
      for (let row = 0; row < height; row++)
        for (let column = 0; column < width; column++) {
          const x = zeros([1, height, width, 1]);
          x.data[row * width + column] = 1;
          for (const place of marked(apply(x)))
            met.set(place, [...(met.get(place) ?? []), `${row} ${column}`]);
        }
      for (let row = 0; row < outHeight; row++)
        for (let column = 0; column < outWidth; column++) {
          const patch = patchOf(geometry, row, column);
          const inside = [];
          for (let y = patch.top; y < patch.top + patch.height; y++)
            for (let x = patch.left; x < patch.left + patch.width; x++)
              if (y >= 0 && x >= 0 && y < height && x < width) inside.push(`${y} ${x}`);
          expect(inside, `${row} ${column}`).toEqual(met.get(`${row} ${column}`) ?? []);
        }
    });
  },
);

it("tells rows from columns", () => {
  const dims = conv2dDims("test", [1, 5, 9, 1], [3, 1, 1, 1], { padding: "same" });
  expect(patchOf(geometryOf(dims, false), 2, 4)).toEqual({ top: 1, left: 4, height: 3, width: 1 });
});
