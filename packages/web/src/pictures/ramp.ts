// Numbers from 0 to 1 as colours.

/** Red, green and blue, 0 … 255. */
export type Colour = readonly [red: number, green: number, blue: number];

/** Dark to light through purple and orange (matplotlib's magma at every fifth), equally bright steps for equal steps. */
const RAMP: readonly Colour[] = [
  [0, 0, 4],
  [59, 15, 112],
  [140, 41, 129],
  [222, 73, 104],
  [254, 159, 109],
  [252, 253, 191],
];

/** The colour at a share of the way along. */
export function mix(ramp: readonly Colour[], share: number): Colour {
  const at = Math.min(Math.max(share, 0), 1) * (ramp.length - 1);
  const from = Math.min(Math.floor(at), ramp.length - 2);
  const along = at - from;
  const channel = (c: 0 | 1 | 2) => ramp[from][c] + along * (ramp[from + 1][c] - ramp[from][c]);
  return [channel(0), channel(1), channel(2)];
}

/** 256 steps. */
export const RAMP_COLOURS: readonly Colour[] = Array.from({ length: 256 }, (_, i) => mix(RAMP, i / 255));

/** The whole of it from left to right, as CSS writes it. */
export const RAMP_GRADIENT = `linear-gradient(to right, ${RAMP.map((colour) => `rgb(${colour.join(" ")})`).join(", ")})`;
