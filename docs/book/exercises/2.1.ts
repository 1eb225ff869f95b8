/**
 * The strides of a row-major tensor: for each axis, how far one step along it moves in the flat array.
 * `stridesOf([2, 3, 2])` is `[6, 2, 1]`.
 */
export function stridesOf(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length);
  let step = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = step;
    step *= shape[axis];
  }
  return strides;
}
