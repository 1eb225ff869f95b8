import { draw, type RandomState } from "@saunet/core";

/** What may vary. Sizes of a change are shares: 0.2 multiplies by anything from 1 / 1.2 to 1.2. */
export interface AugmentOptions {
  /** Size of the crop; default: the picture's own. A larger one is filled up with black. */
  readonly width?: number;
  readonly height?: number;
  /** Whether the crop must show a vessel, as long as the picture has one. */
  readonly holdsVessel?: boolean;
  /** Flips and quarter turns, all equally likely; quarter turns only of square crops. */
  readonly orientations?: boolean;
  /** Turns by up to so many degrees either way. */
  readonly rotation?: number;
  /** Zooms by a factor between these two; factors in the middle are likelier than those at the ends. */
  readonly scale?: readonly [low: number, high: number];
  /** Makes the picture wider or narrower than it is, at the same area. */
  readonly stretch?: number;
  /** Scales all channels together. */
  readonly brightness?: number;
  /** Scales the distance from each channel's mean. */
  readonly contrast?: number;
  /** Raises to a power. */
  readonly gamma?: number;
  /** Scales each channel on its own. */
  readonly colour?: number;
  /** Mixes up to so much of the other channels into each channel: towards grey and back, other hues. */
  readonly mixing?: number;
  /** Lights one side, or the middle, by a share more than the rest. */
  readonly illumination?: number;
  /** Blurs or sharpens: up to this share of a pixel goes to its neighbours. */
  readonly blur?: number;
  /** Adds noise of up to this standard deviation (1 is white). */
  readonly noise?: number;
}

/** A varied part of a labelled photograph. */
export interface Crop {
  readonly width: number;
  readonly height: number;
  /** `[height, width, 3]`, from 0 to 1. */
  readonly image: Float32Array;
  /** `[height, width]`: how much of the pixel is vessel, 0 to 1. */
  readonly vessels: Float32Array;
  /** `[height, width, classes - 1]`: how much of the pixel is of each class but the background, 0 to 1. */
  readonly labels: Float32Array;
  /** `[height, width]`: how much of the pixel shows the eye, 0 to 1. */
  readonly fieldOfView: Float32Array;
}

/** A factor from `1 / (1 + share)` to `1 + share`, as likely above 1 as below. */
export function factor(share: number | undefined, state: RandomState): number {
  return (1 + (share ?? 0)) ** (2 * draw(state) - 1);
}

/** A number from `-size` to `size`. */
export function offset(size: number | undefined, state: RandomState): number {
  return (size ?? 0) * (2 * draw(state) - 1);
}
