// Tools that tell whether an operator and its gradient are right: `@saunet/core/testing`.

import { backward, noGrad } from "./autograd.ts";
import { capture, type Program, planProgram } from "./capture.ts";
import { withReferences } from "./kernel.ts";
import { mul } from "./ops/arithmetic.ts";
import { allocateMask, type DropBlockDims, dropAround } from "./ops/drop-block.ts";
import { sum } from "./ops/sum.ts";
import { prepareWithKernels } from "./prepared.ts";
import { normal, randomState, uniform } from "./random.ts";
import type { Shape } from "./shape.ts";
import { parameter, Tensor, withAllocator } from "./tensor.ts";

/**
 * How far `actual` is from `wanted`, relative to the largest element wanted: `max |a - w| / max |w|`.
 *
 * @param typical how large elements usually are, where all that are wanted may happen to be near nothing: the sum of
 *   600 products of random numbers is 24 as a rule and 0.05 now and then, with the same rounding. Errors are relative
 *   to it where it is larger.
 * @throws RangeError where the two differ in length
 * @example
 * console.log(relativeError([1, 2.5], [1, 2])); // 0.25
 */
export function relativeError(actual: ArrayLike<number>, wanted: ArrayLike<number>, typical = 0): number {
  if (actual.length !== wanted.length) {
    throw new RangeError(
      `relativeError: actual has ${actual.length} elements but ${wanted.length} are wanted`,
    );
  }
  let largest = typical;
  let difference = 0;
  for (let i = 0; i < wanted.length; i++) {
    const gap = Math.abs(actual[i] - wanted[i]);
    if (Number.isNaN(gap)) return Number.POSITIVE_INFINITY;
    difference = Math.max(difference, gap);
    largest = Math.max(largest, Math.abs(wanted[i]));
  }
  return largest === 0 ? difference : difference / largest;
}

/**
 * Throws unless `relativeError(actual, wanted)` is at most `tolerance`.
 *
 * @throws Error otherwise, with how far they are apart
 * @example
 * expectClose(exp(tensor([0, 1])), [1, Math.E], 1e-6);
 */
export function expectClose(
  actual: Tensor | ArrayLike<number>,
  wanted: Tensor | ArrayLike<number>,
  tolerance: number,
): void {
  const error = relativeError(
    actual instanceof Tensor ? actual.data : actual,
    wanted instanceof Tensor ? wanted.data : wanted,
  );
  if (!(error <= tolerance)) throw new Error(`expectClose: relative error ${error} is above ${tolerance}`);
}

/**
 * The mask that keras_cv 0.5.0's DropBlock2D makes of noise: an element is a seed where `noise < γ`, in 32 bits.
 *
 * @param noise uniform on [0, 1), in the shape of the mask
 * @example
 * const d = dropBlockDims([1, 4, 4, 1], { rate: 0.1, blockSize: 1 });
 * console.log(maskFromNoise(new Float32Array(16).fill(0.5), d)); // Int32Array(4) [ -1, -1, -1, -1 ]
 */
export function maskFromNoise(noise: Float32Array, d: DropBlockDims): Int32Array {
  const mask = allocateMask(d).fill(-1);
  const bytes = new Uint8Array(mask.buffer);
  for (let i = 0; i < noise.length; i++) {
    const row = Math.floor(i / (d.W * d.maskC));
    const column = Math.floor(i / d.maskC) % d.W;
    const inside =
      row % d.H >= d.firstRow && row % d.H < d.endRow && column >= d.firstColumn && column < d.endColumn;
    if (inside && Math.fround(noise[i] + d.keepRate) < 1) dropAround(bytes, d, row, i % (d.W * d.maskC));
  }
  return mask;
}

/** Options of {@link gradcheck}. */
export interface GradcheckOptions {
  /** Step of the central difference. In double any step between 1e-3 and 1e-6 serves smooth operators. */
  readonly step?: number;
  /** Largest accepted error, relative to the largest element of the gradient. */
  readonly tolerance?: number;
  /** At most so many elements of each input are checked, spread evenly. */
  readonly samples?: number;
}

/**
 * Compares the gradient of an operator with central differences, in double and with the reference kernels.
 *
 * The scalar that is differentiated is Σ out · r with fixed random r. A plain Σ out would be blind: the output of a
 * normalisation sums to a constant, so its true gradient is zero and a backward pass that returns nothing passes.
 *
 * @param op the operator, a function of tensors
 * @param inputs values to check at; all of them are differentiated
 * @throws Error naming the input, the element, the gradient and the difference quotient
 * @example
 * gradcheck(([x, y]) => mul(x!, y!), [tensor([1, 2]), tensor([3, 4])]);
 */
export function gradcheck(
  op: (inputs: readonly Tensor[]) => Tensor,
  inputs: readonly Tensor[],
  { step = 1e-4, tolerance = 1e-6, samples = 60 }: GradcheckOptions = {},
): void {
  inDouble(() => {
    const doubles = inputs.map(({ data, shape }) => {
      return new Tensor(new Float64Array(data) as unknown as Float32Array, shape, true);
    });
    const weights = new Map<string, Tensor>();
    const project = (): Tensor => {
      const out = op(doubles);
      const key = String(out.shape);
      if (!weights.has(key)) weights.set(key, normal(out.shape, randomState(99)));
      return sum(mul(out, weights.get(key)!));
    };
    backward(project());
    doubles.forEach(({ data, grad }, which) => {
      if (grad === undefined) throw new Error(`gradcheck: input ${which} received no gradient`);
      const scale = Math.max(1e-3, ...grad.map(Math.abs));
      const stride = Math.max(1, Math.floor(data.length / samples));
      for (let i = 0; i < data.length; i += stride) {
        const value = data[i];
        const [up, down] = noGrad(() =>
          [step, -step].map((delta) => {
            data[i] = value + delta;
            return project().item();
          }),
        ) as [number, number];
        data[i] = value;
        const quotient = (up - down) / (2 * step);
        const error = Math.abs(quotient - grad[i]) / scale;
        if (!(error <= tolerance)) {
          throw new Error(
            `gradcheck: input ${which}, element ${i}: gradient ${grad[i]} but central difference ${quotient} (relative error ${error})`,
          );
        }
      }
    });
  });
}

function inDouble<T>(body: () => T): T {
  const floats = (size: number) => new Float64Array(size) as unknown as Float32Array;
  return withReferences(() => withAllocator({ floats }, body));
}

/**
 * Checks all that must hold for an operator: the kernels that are in force give what the references give, results and
 * gradients; a captured run gives the same as an eager one, bit for bit; and {@link gradcheck} passes, where there is a
 * gradient.
 *
 * @param op the operator, a function of tensors
 * @param inputs values to check at
 * @param options.forms how far kernels may be from their references; default 1e-5
 * @throws Error that says what does not hold
 * @example
 * checkOperator(([x]) => silu(x!), [tensor([-1, 0, 2])]);
 */
export function checkOperator(
  op: (inputs: readonly Tensor[]) => Tensor,
  inputs: readonly Tensor[],
  { forms = 1e-5, ...options }: GradcheckOptions & { readonly forms?: number } = {},
): void {
  const parameters = inputs.map(({ data, shape }) => parameter(new Tensor(data.slice(), shape)));
  const shape = noGrad(() => op(parameters)).shape;
  const gradient = normal(shape, randomState(98));
  /** The result, then the gradients. */
  const run = (): Tensor[] => {
    const y = op(parameters);
    if (y.requiresGrad) backward(y, gradient);
    return [y, ...parameters.flatMap(takeGradient)];
  };
  const [eager, plain] = [run(), withReferences(run)];
  const captured = prepareWithKernels(capture(run, [])).runSync([]);
  plain.forEach((wanted, i) => {
    const what = i === 0 ? "result" : `gradient ${i}`;
    const error = relativeError(eager[i].data, wanted.data);
    if (!(error <= forms))
      throw new Error(`checkOperator: ${what}: kernels are ${error} away from their references`);
    if (captured[i].data.some((value, at) => !Object.is(value, eager[i].data[at])))
      throw new Error(`checkOperator: ${what}: a captured run gives something else than an eager one`);
  });
  if (eager[0].requiresGrad) gradcheck(op, inputs, options);
}

/** The gradient that was left in a parameter, which forgets it. */
function takeGradient(from: Tensor): Tensor[] {
  const { grad, shape } = from;
  from.grad = undefined;
  return grad === undefined ? [] : [new Tensor(grad, shape)];
}

/**
 * Checks that two linear maps are each other's adjoint: ⟨forward(x), y⟩ = ⟨x, adjoint(y)⟩ for random x and y, in double.
 *
 * @throws Error where they are not
 * @example
 * adjointCheck((x) => transpose(x), (y) => transpose(y), [2, 3], [3, 2]);
 */
export function adjointCheck(
  forward: (x: Tensor) => Tensor,
  adjoint: (y: Tensor) => Tensor,
  xShape: Shape,
  yShape: Shape,
  tolerance = 1e-10,
): void {
  inDouble(() =>
    noGrad(() => {
      const x = uniform(xShape, randomState(1));
      const y = uniform(yShape, randomState(2));
      const left = sum(mul(forward(x), y)).item();
      const right = sum(mul(x, adjoint(y))).item();
      const error = Math.abs(left - right) / Math.max(1, Math.abs(left));
      if (!(error <= tolerance)) throw new Error(`adjointCheck: ⟨Ax,y⟩ = ${left} but ⟨x,Aᵀy⟩ = ${right}`);
    }),
  );
}

/** Plans lay buffers at multiples of so many bytes, so that one mark for each stretch of this length tells them apart. */
const LINE = 64;

/**
 * Walks through a program with the plan of its memory in hand: every call marks the bytes that it writes as those of
 * its buffer, and what it reads must still bear the mark of the buffer that it means. It knows nothing of lifetimes, is
 * slow, and is there to find the planner wrong.
 *
 * @param plan where the temporary buffers lie, as {@link planProgram} has it
 * @throws Error naming the call, the argument and the buffer in its place
 * @example
 * checkPlan(capture(([x]) => [silu(relu(x))], [zeros([4])]));
 */
export function checkPlan(
  program: Program,
  plan: Pick<ReturnType<typeof planProgram>, "temporaries" | "offsets" | "bytes"> = planProgram(program),
): void {
  const { buffers, calls, outputs } = program;
  const NOBODY = -1;
  const owners = new Int32Array(Math.ceil(plan.bytes / LINE)).fill(NOBODY);
  const places = new Map(
    plan.temporaries.map((buffer, i): [number, Int32Array] => {
      const offset = plan.offsets[i];
      const end = offset + 4 * buffers[buffer].length;
      if (offset % LINE !== 0 || end > plan.bytes)
        throw new Error(`checkPlan: buffer ${buffer} lies at ${offset} to ${end} of ${plan.bytes}`);
      return [buffer, owners.subarray(offset / LINE, Math.ceil(end / LINE))];
    }),
  );
  const expectOwn = (buffer: number, what: string): void => {
    const stranger = places.get(buffer)?.find((owner) => owner !== buffer);
    if (stranger === undefined) return;
    const found = stranger === NOBODY ? "nobody has written it" : `buffer ${stranger} lies in its place`;
    throw new Error(`checkPlan: ${what} is buffer ${buffer}, but ${found}`);
  };

  calls.forEach(({ kernel, buffers: used }, i) => {
    const present = Object.entries(used).flatMap(([name, buffer]) =>
      buffer === undefined
        ? []
        : [{ buffer, role: kernel.roles[name], what: `call ${i}, ${kernel.name}: ${name}` }],
    );
    for (const { buffer, role, what } of present) if (role !== "write") expectOwn(buffer, what);
    for (const { buffer, role } of present) if (role !== "read") places.get(buffer)?.fill(buffer);
    // Neither may a result lie over another one of the same call, nor over an operand.
    for (const { buffer, what } of present) expectOwn(buffer, what);
  });
  outputs.forEach(({ buffer }, i) => {
    expectOwn(buffer, `output ${i}`);
  });
}
