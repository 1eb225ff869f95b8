// Shape lists in files: those that come with the bench, and any other by its path.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import type { ConvolutionSpec } from "./convolutions/convolution.ts";
import { SHAPES } from "./paths.ts";
import type { Settings } from "./settings.ts";
import { parseShape, parseShapeList } from "./shapes.ts";
import { UsageError } from "./usage.ts";

/** The names of the lists that come with the bench. */
export function shapeListNames(): string[] {
  return readdirSync(SHAPES)
    .filter((file) => file.endsWith(".txt"))
    .map((file) => file.slice(0, -".txt".length))
    .sort();
}

/**
 * Reads a list by its name or its path.
 *
 * @throws UsageError where there is none, or a line does not say a convolution
 */
export function readShapeList(nameOrPath: string): ConvolutionSpec[] {
  const names = shapeListNames();
  const path = names.includes(nameOrPath) ? join(SHAPES, `${nameOrPath}.txt`) : nameOrPath;
  if (!existsSync(path))
    throw new UsageError(`unknown shape list "${nameOrPath}": wants a path, or ${names.join(", ")}`);
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    throw new UsageError(`${path}: ${(error as Error).message.split("\n")[0]}`);
  }
  const lines = parseShapeList(basename(path), text);
  if (lines.length === 0) throw new UsageError(`${path}: has no convolution`);
  return lines;
}

/** What the user chose: single shapes, a list, or the usual list where nothing was said. */
export function chosenShapes({ shape, shapes }: Settings, usual: string): ConvolutionSpec[] {
  const single = shape.map(parseShape);
  return [...single, ...(shapes === undefined && single.length > 0 ? [] : readShapeList(shapes ?? usual))];
}
