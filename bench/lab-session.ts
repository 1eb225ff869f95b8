// The laboratory on shapes and attempts that lie in files.

import { loadAttempts } from "./attempts.ts";
import { openAttempts } from "./laboratory.ts";
import type { Open } from "./session.ts";
import { chosenShapes } from "./shape-files.ts";

/** Opens the laboratory. */
export const openLaboratory: Open = async (settings) =>
  openAttempts(chosenShapes(settings, "laboratory"), await loadAttempts(settings.attempt), settings);
