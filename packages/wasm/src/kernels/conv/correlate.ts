// conv2d.forward and conv2d.transposed: one computation with the roles of the arrays exchanged (geometry.ts).

import { conv2dForward, conv2dTransposed } from "@saunet/core";
import type { Local } from "../../asm/index.ts";
import { type CodeFeatures, generator, type Plan } from "../../plan.ts";
import { type Choice, chooseCorrelation } from "./choose.ts";
import { directSteps } from "./direct.ts";
import { type Correlation, forwardOf, transposedOf } from "./geometry.ts";
import type { Operands, Steps } from "./steps.ts";
import { winogradSteps } from "./winograd.ts";

/** What decides; tests put in their own. */
export type Choose = (c: Correlation) => Choice | undefined;

/** `conv2d.forward` with a way of choosing. */
export const forwardWith = (choose: Choose) =>
  generator(conv2dForward, (d, { b }, features) =>
    plan("conv2d", forwardOf(d), b !== undefined, features, choose, {
      input: "x",
      output: "y",
      filter: "w",
      bias: "b",
    }),
  );

/** `conv2d.transposed` with a way of choosing. */
export const transposedWith = (choose: Choose) =>
  generator(conv2dTransposed, (d, { b }, features) =>
    plan("conv2d_transposed", transposedOf(d), b !== undefined, features, choose, {
      input: "y",
      output: "x",
      filter: "w",
      bias: "b",
    }),
  );

export const forward = /* @__PURE__ */ forwardWith(chooseCorrelation);
export const transposed = /* @__PURE__ */ transposedWith(chooseCorrelation);

function plan<N extends string>(
  kernel: string,
  correlation: Correlation,
  hasBias: boolean,
  { relaxed }: CodeFeatures,
  choose: Choose,
  names: Readonly<Record<keyof Operands, N>>,
): Plan<Record<N, unknown>> | undefined {
  const choice = choose(correlation);
  if (choice === undefined) return undefined;
  const { tile, sharedBytes, ownBytes, steps } = stepsOf(correlation, choice, hasBias, relaxed);
  const name = `${kernel}_f32_${tile}_${relaxed ? "relaxed" : "simd"}`;
  // Of these only Winograd's strips depend on how many images there are.
  const geometry = choice.algorithm === "winograd" ? correlation : { ...correlation, N: 0 };
  return {
    name,
    key: `${name} ${hasBias} ${JSON.stringify([geometry, choice])}`,
    sharedBytes,
    ownBytes,
    phases: steps.map(({ items, reads, write }) => ({
      items,
      ...(reads && { reads: reads.map((operand) => names[operand]) }),
      write: (f, { arrays, ...range }) => {
        const at = arrays as Readonly<Record<N, Local<"i32">>>;
        write(f, range, {
          input: at[names.input],
          output: at[names.output],
          filter: at[names.filter],
          bias: hasBias ? at[names.bias] : undefined,
        });
      },
    })),
  };
}

function stepsOf(c: Correlation, choice: Choice, hasBias: boolean, relaxed: boolean): Steps {
  switch (choice.algorithm) {
    case "winograd":
      return winogradSteps(c, choice, relaxed);
    case "direct":
      return directSteps(c, hasBias, relaxed);
  }
}
