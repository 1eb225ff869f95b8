// What an option may hold. Each parser refuses in words that end the line "option '--epochs <n>' argument 'x' is
// invalid."

import { SYNTHETIC_CLASSES } from "@saunet/data";
import type { Scale } from "@saunet/model";
import { InvalidArgumentError } from "commander";

/** Parses a number for which `accepts` holds. */
function number(wanted: string, accepts: (value: number) => boolean): (text: string) => number {
  return (text) => {
    const value = text.trim() === "" ? Number.NaN : Number(text);
    if (!accepts(value)) throw new InvalidArgumentError(`It must be ${wanted}.`);
    return value;
  };
}

/** An integer of at least `minimum`. */
export function integer(minimum: number): (text: string) => number {
  return number(
    `an integer of at least ${minimum}`,
    (value) => Number.isSafeInteger(value) && value >= minimum,
  );
}

/** Synthetic pictures that no run learns from: seeds from 1000 on are learned from, and the first hundred are examples. */
export const MOST_SYNTHETIC_SAMPLES = 900;

/** An integer from `minimum` to `maximum`. */
export function upTo(minimum: number, maximum: number): (text: string) => number {
  return number(
    `an integer from ${minimum} to ${maximum}`,
    (value) => Number.isSafeInteger(value) && value >= minimum && value <= maximum,
  );
}

/** A number from 0 to 1. */
export const share = number("a number from 0 to 1", (value) => value >= 0 && value <= 1);

/** A number above 0. */
export const positive = number("a number above 0", (value) => value > 0 && value < Number.POSITIVE_INFINITY);

/** A factor to resize photographs by, or `auto`. */
export function scale(text: string): Scale {
  if (text.trim() === "auto") return "auto";
  return number("auto or a number from 1/16 to 16", (value) => value >= 1 / 16 && value <= 16)(text);
}

/** Height and width in pixels. */
export interface Size {
  readonly height: number;
  readonly width: number;
}

/** Where no network of the family has a reason to look further, and a layer table would only run out of memory. */
const LARGEST_SIDE = 4096;

/** `592x704`, height first, in multiples of `multiple`. */
export function size(multiple: number): (text: string) => Size {
  const accepts = (side: number) => side >= multiple && side <= LARGEST_SIDE && side % multiple === 0;
  return (text) => {
    const [, height, width] = (/^(\d+)x(\d+)$/i.exec(text.trim()) ?? []).map(Number);
    if (accepts(height) && accepts(width)) return { height, width };
    throw new InvalidArgumentError(
      `It must be HEIGHTxWIDTH, such as 592x592, both multiples of ${multiple} up to ${LARGEST_SIDE}.`,
    );
  };
}

/** Channels of two to eight stages: `16,32,48,64`. */
export function counts(text: string): number[] {
  const values = text.split(",").map(integer(1));
  if (values.length >= 2 && values.length <= 8) return values;
  throw new InvalidArgumentError("It must be two to eight integers, such as 16,32,48,64.");
}

/** Names of classes that synthetic pictures know, without the background: `artery,vein`. */
export function classNames(text: string): string[] {
  const [, ...known] = SYNTHETIC_CLASSES.map(String);
  const names = text.split(",").map((name) => name.trim());
  if (names.every((name) => known.includes(name)) && new Set(names).size === names.length) return names;
  throw new InvalidArgumentError(`It must be ${known.join(",")} or one of them.`);
}

/** Adds to what earlier uses of the same option gave; one of the `choices`, where there are any. */
export function oneMore(choices?: readonly string[]): (text: string, before?: readonly string[]) => string[] {
  return (text, before = []) => {
    if (choices !== undefined && !choices.includes(text)) {
      throw new InvalidArgumentError(`Allowed choices are ${choices.join(", ")}.`);
    }
    return [...before, text];
  };
}

/** Three numbers: centre and radius of the optic disc, in pixels; or `auto`. */
export function disc(
  text: string,
): { readonly x: number; readonly y: number; readonly radius: number } | "auto" {
  if (text.trim() === "auto") return "auto";
  const [x, y, radius, ...rest] = text
    .split(",")
    .map((part) => (part.trim() === "" ? Number.NaN : Number(part)));
  if (rest.length === 0 && x >= 0 && y >= 0 && radius > 0 && [x, y, radius].every(Number.isFinite))
    return { x, y, radius };
  throw new InvalidArgumentError("It must be X,Y,RADIUS in pixels, such as 512.5,480,62, or auto.");
}
