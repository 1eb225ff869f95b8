// The central retinal artery and vein equivalents: how wide the one vessel would be that the vessels around the optic disc
// branch from, and their ratio (AVR).
//
// Knudtson and others (Current Eye Research 27(3), 2003) take the six largest vessels in zone B and join the largest with the
// smallest, the second with the second smallest and so on, again and again until one is left; an odd one in the middle goes
// on as it is. Parr and Spears (1974) and Hubbard and others (Ophthalmology 106(12), 1999) join by formulas of
// micrometres; here over the same six vessels, so that both can be compared.

import { expectList } from "@saunet/core/kernels";

/** Which side of the circulation. */
export type VesselKind = "artery" | "vein";

/** How two vessels are joined. */
export type CalibreFormula = "knudtson" | "hubbard";

/** How many vessels the definition takes. */
export const CALIBRE_VESSELS = 6;

/** Branching coefficients of Knudtson's revision. */
const KNUDTSON = { artery: 0.88, vein: 0.95 } as const;

/** The trunk of two branches, `narrow` and `wide`. */
const TRUNKS: Readonly<Record<CalibreFormula, Record<VesselKind, (narrow: number, wide: number) => number>>> =
  {
    knudtson: {
      artery: (narrow, wide) => KNUDTSON.artery * Math.hypot(narrow, wide),
      vein: (narrow, wide) => KNUDTSON.vein * Math.hypot(narrow, wide),
    },
    hubbard: {
      artery: (narrow, wide) =>
        Math.sqrt(0.87 * narrow ** 2 + 1.01 * wide ** 2 - 0.22 * narrow * wide - 10.76),
      vein: (narrow, wide) => Math.sqrt(0.72 * narrow ** 2 + 0.91 * wide ** 2 + 450.05),
    },
  };

/**
 * The central retinal equivalent of six widths: CRAE of arteries, CRVE of veins.
 *
 * @param widths of the six largest vessels in zone B, in any order; for `"hubbard"` in micrometres, for `"knudtson"` in any unit,
 *   which the result has too
 * @throws RangeError where there are not six, one is not above 0, or Hubbard's formula has no answer for arteries so narrow
 * @example
 * const widths = [120, 110, 100, 95, 90, 80];
 * console.log(centralEquivalent(widths, "artery").toFixed(1)); // 175.0
 * console.log(centralEquivalent(widths, "vein", "hubbard").toFixed(1)); // 197.1
 */
export function centralEquivalent(
  widths: readonly number[],
  kind: VesselKind,
  formula: CalibreFormula = "knudtson",
): number {
  expectList("centralEquivalent", "widths", widths);
  if (widths.length !== CALIBRE_VESSELS) {
    throw new RangeError(`centralEquivalent: wants ${CALIBRE_VESSELS} widths but has ${widths.length}`);
  }
  const trunk = TRUNKS[formula]?.[kind];
  if (trunk === undefined) {
    throw new RangeError(
      `centralEquivalent: wants artery or vein and knudtson or hubbard but has ${kind} and ${formula}`,
    );
  }
  const wrong = widths.find((width) => !(width > 0 && width < Number.POSITIVE_INFINITY));
  if (wrong !== undefined) throw new RangeError(`centralEquivalent: a width must be above 0 but is ${wrong}`);
  let joined = [...widths];
  while (joined.length > 1) {
    joined.sort((one, other) => one - other);
    const half = Math.floor(joined.length / 2);
    const trunks = joined.slice(0, half).map((narrow, i) => trunk(narrow, joined[joined.length - 1 - i]));
    joined = joined.length % 2 === 0 ? trunks : [...trunks, joined[half]];
  }
  if (Number.isNaN(joined[0])) {
    throw new RangeError(`centralEquivalent: ${formula} has no answer for widths of ${widths.join(", ")}`);
  }
  return joined[0];
}
