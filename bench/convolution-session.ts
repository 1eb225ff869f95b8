// A list of convolutions as a session: a unit a kernel of a line. In Node and in browsers.

import { restore } from "@saunet/wasm";
import { type ConvolutionSpec, KERNELS, type KernelName } from "./convolutions/convolution.ts";
import { distinct } from "./distinct.ts";
import type { Attempt } from "./lab/attempt.ts";
import { type Acceleration, accelerateParts, type Part, partOf, type Rival, timePart } from "./parts.ts";
import type { Session } from "./session.ts";
import type { Settings } from "./settings.ts";
import { oneOf } from "./usage.ts";

/** Who makes the calls beside our own two forms. */
export interface Others {
  readonly attempts: readonly Attempt[];
  readonly of: (part: Part) => readonly Rival[];
  readonly end: () => void;
}

const NOBODY: Others = { attempts: [], of: () => [], end: () => {} };

/** Opens the bench. `others` is asked when it is known what our own form runs with. */
export async function openConvolutions(
  specs: readonly ConvolutionSpec[],
  settings: Settings,
  others: (acceleration: Acceleration) => Others = () => NOBODY,
): Promise<Session> {
  for (const kernel of settings.kernels ?? []) oneOf("kernel", kernel, KERNELS);
  const kernels = (settings.kernels ?? KERNELS) as readonly KernelName[];
  const units = specs.flatMap((spec) => kernels.map((kernel) => ({ spec, kernel })));
  const acceleration = await accelerateParts(settings.threads[0]);
  const { attempts, of, end } = others(acceleration);
  return {
    units: distinct(units.map(({ spec: { name }, kernel }) => `${name} ${kernel}`)),
    measure: (unit, without) => {
      const part = partOf(units[unit].spec, units[unit].kernel);
      return timePart(part, acceleration, { rivals: of(part), attempts, without }, settings);
    },
    end: () => {
      end();
      void restore();
    },
  };
}
