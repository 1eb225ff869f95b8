// Every rewrite, in the order in which they are tried, and the generated code of the kernels that they bring in.

import type { Program } from "@saunet/core";
import type { CodeFeatures, Generator } from "../plan.ts";
import { dropBlockFusion, dropBlockGenerator } from "./drop-block.ts";
import { gateConcatFusion, gateConcatGenerator } from "./gate-concat.ts";
import { joinedConvFusions, joinedConvGenerator } from "./joined-conv.ts";
import { normalizeActivateFusions, normalizeActivateGenerators } from "./normalize-activate.ts";
import { type Fusion, rewrite } from "./rewrite.ts";

export const fusions: readonly Fusion[] = [
  ...normalizeActivateFusions,
  gateConcatFusion,
  ...joinedConvFusions,
  dropBlockFusion,
];

export const fusedGenerators: readonly Generator[] = [
  ...normalizeActivateGenerators,
  gateConcatGenerator,
  joinedConvGenerator,
  dropBlockGenerator,
];

/** Applies every fusion whose name is not among `without`. */
export function fuseAll(
  program: Program,
  without: readonly string[] = [],
  features: CodeFeatures = { relaxed: false },
): Program {
  return fusions
    .filter(({ name }) => !without.includes(name))
    .flatMap(({ patterns }) => patterns)
    .reduce((rewritten, pattern) => rewrite(rewritten, pattern, features), program);
}
