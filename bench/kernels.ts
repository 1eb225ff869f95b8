// The kernels of a convolution on a list of shapes: forward, the transposed one (which is also the gradient of the
// image) and the gradient of the filter; ours, and who else can compute them.

import { loadAttempts } from "./attempts.ts";
import { openConvolutions } from "./convolution-session.ts";
import { openRivals } from "./rivals.ts";
import type { Open } from "./session.ts";
import { chosenShapes } from "./shape-files.ts";

/** Opens the bench. */
export const openKernels: Open = async (settings) => {
  const specs = chosenShapes(settings, "sa-unet-v2-592");
  const attempts = await loadAttempts(settings.attempt);
  return openConvolutions(specs, settings, (acceleration) => ({
    attempts,
    ...openRivals(settings, acceleration),
  }));
};
