// Weights as a person brings them: of any network of the family, as a weights file or in the checkpoint of a run.

import {
  checkpointWeights,
  type DescribedNetwork,
  expectWeightsFile,
  isCheckpointFile,
  readWeights,
  type Weights,
} from "@saunet/model";

/** Networks as their papers write them; those of one's own keep their name. */
export const titleOf = (name: string): string =>
  ({ "sa-unet-v2": "SA-UNetv2", "sa-unet": "SA-UNet", "u-net": "U-Net" })[name] ?? name;

/**
 * The weights in a file.
 *
 * @param fallback the network of a checkpoint that does not say it
 * @throws an error that says why the page cannot use them
 */
export function weightsIn(bytes: Uint8Array, fallback?: DescribedNetwork): Weights {
  const weights = parse(bytes, fallback);
  const { classes, inputChannels, name } = weights.config;
  if (classes !== undefined) {
    const list = classes.join(", ");
    throw new Error(
      `${titleOf(name)} tells ${classes.length} classes apart here (${list}), but this page shows one: vessel`,
    );
  }
  if (inputChannels !== PHOTOGRAPH_CHANNELS) {
    const wanted = `${inputChannels} ${inputChannels === 1 ? "channel" : "channels"}`;
    throw new Error(
      `${titleOf(name)} takes pictures of ${wanted} here, but photographs have ${PHOTOGRAPH_CHANNELS}`,
    );
  }
  return weights;
}

const PHOTOGRAPH_CHANNELS = 3;

/**
 * The SHA-256 of a file, 64 hexadecimal digits.
 *
 * @throws an error that says where browsers do not hash
 */
export async function sha256(bytes: Uint8Array): Promise<string> {
  if (globalThis.crypto?.subtle === undefined) {
    throw new Error("its weights cannot be told, since browsers hash on secure pages only (https)");
  }
  const digest = await crypto.subtle.digest("SHA-256", new Uint8Array(bytes));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function parse(bytes: Uint8Array, fallback: DescribedNetwork | undefined): Weights {
  try {
    expectWeightsFile(bytes, bytes.length);
    return isCheckpointFile(bytes) ? checkpointWeights(bytes, fallback) : readWeights(bytes);
  } catch (error) {
    // Which function of the engine found the fault is of no use to a person.
    throw new Error((error as Error).message.replace(/^(weights|safetensors): /, ""), { cause: error });
  }
}
