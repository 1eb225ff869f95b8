import { Tensor } from "@saunet/core";
import { contribute, record } from "@saunet/core/kernels";

/**
 * An operator `cube(x) = x³`, element by element, with its gradient. Make the result with `new Tensor(data, x.shape)`; end
 * with `record("cube", result, [x], (gy) => contribute([x], (gx) => …))`, where you fill `gx`.
 */
export function cube(x: Tensor): Tensor {
  const result = new Tensor(
    x.data.map((value) => value ** 3),
    x.shape,
  );
  return record("cube", result, [x], (gy) =>
    contribute([x], (gx) => {
      for (let i = 0; i < gx.length; i++) gx[i] = gy[i] * 3 * x.data[i] ** 2;
    }),
  );
}
