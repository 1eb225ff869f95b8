// Reads shape lists: one convolution a line, columns apart by spaces, `#` begins a comment.
//
//   op  name  N H W C  KH KW O  stride dilation
//
// `op` is conv2d or convTranspose2d; C and O are the channels that come in and go out; padding is TensorFlow's SAME.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Conv2dDims, conv2dDims, convTranspose2dDims } from "@saunet/core/kernels";
import { SHAPES } from "./paths.ts";
import { oneOf, UsageError } from "./usage.ts";

/** One line of a list. */
export interface ShapeLine {
  readonly op: "conv2d" | "convTranspose2d";
  readonly name: string;
  /** For a transposed convolution these are the integers of the convolution that it mirrors, as core has them. */
  readonly dims: Conv2dDims;
}

const COLUMNS = "op name N H W C KH KW O stride dilation";

/** The names of the lists that come with the bench. */
export function shapeListNames(): string[] {
  return readdirSync(SHAPES)
    .filter((file) => file.endsWith(".txt"))
    .map((file) => file.slice(0, -".txt".length))
    .sort();
}

/**
 * Reads a list by name.
 *
 * @throws UsageError where there is none of that name, or a line does not say a convolution
 */
export function readShapeList(name: string): ShapeLine[] {
  oneOf("shape file", name, shapeListNames());
  return parseShapeList(name, readFileSync(join(SHAPES, `${name}.txt`), "utf8"));
}

/** The convolutions that a list says. `file` is for the messages. */
export function parseShapeList(file: string, text: string): ShapeLine[] {
  return text.split("\n").flatMap((line, index) => {
    const words = line.replace(/#.*/, "").trim().split(/\s+/);
    return words[0] === "" ? [] : [parseLine(`${file}, line ${index + 1}`, words)];
  });
}

function parseLine(where: string, words: readonly string[]): ShapeLine {
  const [op, name, ...rest] = words;
  const numbers = rest.map(Number);
  if (rest.length !== 9 || !numbers.every((value) => Number.isInteger(value) && value > 0)) {
    throw new UsageError(`${where}: wants "${COLUMNS}" but is "${words.join(" ")}"`);
  }
  const [N, H, W, C, KH, KW, O, stride, dilation] = numbers;
  if (op === "conv2d") {
    return { op, name, dims: conv2dDims(where, [N, H, W, C], [KH, KW, C, O], { stride, dilation }) };
  }
  if (op === "convTranspose2d" && dilation === 1) {
    return { op, name, dims: convTranspose2dDims([N, H, W, C], [KH, KW, O, C], { stride }) };
  }
  throw new UsageError(`${where}: op wants conv2d, or convTranspose2d of dilation 1, but is ${op}`);
}
