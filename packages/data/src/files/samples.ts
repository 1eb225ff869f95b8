// A decoded picture as its file holds it, before anybody says what is black and what is white.

/** Numbers of the types that pictures are made of. */
export type SampleArray =
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | Int8Array
  | Int16Array
  | Int32Array
  | Float32Array;

/** The samples of an upright picture, row by row from the top left. */
export interface Samples {
  readonly width: number;
  readonly height: number;
  readonly data: SampleArray;
  /** Samples per pixel in `data`. */
  readonly stride: number;
  /** How many of them, from the first on, are colours: grey or RGB. */
  readonly colours: 1 | 3;
  /** Which of them is alpha. */
  readonly alpha?: number | undefined;
  /** What the numbers are, in words: `unsigned integers of 16 bits`. */
  readonly type: string;
  /** The sample of full brightness; undefined where the type has none that is agreed on. */
  readonly white: number | undefined;
}

/** A function that gives the opacity of a pixel, 0 … 1. */
export function opacityOf({ data, stride, alpha, white = 1 }: Samples): (pixel: number) => number {
  if (alpha === undefined) return () => 1;
  return (pixel) => data[pixel * stride + alpha] / white;
}
