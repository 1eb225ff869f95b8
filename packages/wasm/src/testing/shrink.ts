// Makes a failing recipe smaller: takes out whatever it still fails without (delta debugging; Zeller and Hildebrandt, IEEE
// TSE 2002). The steps of a recipe name their operands by labels, which fast-check's shrinking of lists would not keep.

import type { Recipe } from "./recipe.ts";

type Fails = (recipe: Recipe) => boolean | Promise<boolean>;

/**
 * The smallest recipe found that still fails.
 *
 * @param fails whether a recipe fails in the way that is looked into
 * @param most how many recipes to try
 */
export async function shrink(recipe: Recipe, fails: Fails, most = 400): Promise<Recipe> {
  let [smallest, left] = [recipe, most];
  const attempt = async (smaller: Recipe): Promise<boolean> => {
    if (left-- <= 0 || !(await fails(smaller))) return false;
    smallest = smaller;
    return true;
  };
  const thin = async (part: "steps" | "disturbances" | "outputs"): Promise<void> => {
    for (let size = Math.ceil(smallest[part].length / 2); size >= 1; size >>= 1)
      for (let from = smallest[part].length - size; from > -size; ) {
        const kept = smallest[part].filter((_, i) => i < from || i >= from + size);
        if (kept.length < smallest[part].length) await attempt({ ...smallest, [part]: kept } as Recipe);
        from -= size;
      }
  };
  const simplify = async (part: "steps" | "disturbances", change: object): Promise<void> => {
    for (let i = 0; i < smallest[part].length; i++) {
      const entries: object[] = [...smallest[part]];
      const simpler = { ...entries[i], ...change };
      if (JSON.stringify(simpler) === JSON.stringify(entries[i])) continue;
      entries[i] = simpler;
      await attempt({ ...smallest, [part]: entries } as Recipe);
    }
  };
  for (let before = ""; left > 0 && before !== JSON.stringify(smallest); ) {
    before = JSON.stringify(smallest);
    for (const part of ["disturbances", "steps", "outputs"] as const) await thin(part);
    for (const change of [{ outside: 0 }, { noGrad: false }, { choice: 0 }]) await simplify("steps", change);
  }
  return smallest;
}
