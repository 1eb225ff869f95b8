// Convolutions in words: lines of shape lists, and single ones as they are typed.
//
// A list has a convolution a line, columns apart by spaces, `#` begins a comment; groups and count may be left out.
//
//   op  name  N H W C  KH KW O  stride dilation  groups count
//
// `op` is conv2d or convTranspose2d; C and O are the channels that come in and go out; padding is TensorFlow's SAME; count is
// how often the network has it.

import { type ConvolutionSpec, dimsOf } from "./convolutions/convolution.ts";
import { UsageError } from "./usage.ts";

const COLUMNS = "op name N H W C KH KW O stride dilation [groups [count]]";

/** The convolutions that a list says. `file` is for the messages. */
export function parseShapeList(file: string, text: string): ConvolutionSpec[] {
  const lines = new Map<string, number>();
  return text.split("\n").flatMap((line, index) => {
    const words = line.replace(/#.*/, "").trim().split(/\s+/);
    if (words[0] === "") return [];
    const where = `${file}, line ${index + 1}`;
    const spec = parseLine(where, words);
    const first = lines.get(spec.name);
    if (first !== undefined)
      throw new UsageError(`${where}: the name ${spec.name} is that of line ${first} already`);
    lines.set(spec.name, index + 1);
    return [spec];
  });
}

function parseLine(where: string, words: readonly string[]): ConvolutionSpec {
  const [op, name, ...rest] = words;
  const numbers = rest.map(Number);
  if (
    rest.length < 9 ||
    rest.length > 11 ||
    !numbers.every((value) => Number.isInteger(value) && value > 0)
  ) {
    throw new UsageError(`${where}: wants "${COLUMNS}" but is "${words.join(" ")}"`);
  }
  const [N, H, W, C, KH, KW, O, stride, dilation, groups = 1, count = 1] = numbers;
  return checked(where, op, { name, N, H, W, C, KH, KW, O, stride, dilation, groups, count });
}

/** Refuses what core cannot compute. */
function checked(where: string, op: string, integers: Omit<ConvolutionSpec, "op">): ConvolutionSpec {
  const plain = integers.dilation === 1 && integers.groups === 1;
  if (op !== "conv2d" && !(op === "convTranspose2d" && plain))
    throw new UsageError(
      `${where}: op wants conv2d, or convTranspose2d of dilation 1 without groups, but is ${op}`,
    );
  const spec: ConvolutionSpec = { op: op as ConvolutionSpec["op"], ...integers };
  try {
    dimsOf(spec);
  } catch (error) {
    throw new UsageError(`${where}: ${(error as Error).message}`);
  }
  return spec;
}

const INLINE =
  '"56x56x64 -> 64, 3x3", and if need be ", stride 2, dilation 2, groups 64, batch 4, transposed"';

/**
 * Reads a convolution as it is typed: rows, columns and channels that come in, channels that go out, the filter, the rest.
 *
 * @throws UsageError where it says no convolution
 */
export function parseShape(text: string): ConvolutionSpec {
  const wrong = (why: string) => new UsageError(`--shape: wants ${INLINE}, but "${text}" ${why}`);
  const [image, filter, ...rest] = text.split(",").map((word) => word.trim());
  const sizes = /^(\d+)x(\d+)x(\d+)\s*->\s*(\d+)$/.exec(image);
  if (sizes === null) throw wrong("does not begin with rows, columns and channels");
  const taps = /^(\d+)x(\d+)$/.exec(filter ?? "");
  if (taps === null) throw wrong("has no filter");
  const [H, W, C, O] = sizes.slice(1).map(Number);
  const [KH, KW] = taps.slice(1).map(Number);
  const options = { stride: 1, dilation: 1, groups: 1, batch: 1 };
  let op = "conv2d";
  for (const word of rest) {
    const found = /^(stride|dilation|groups|batch) (\d+)$/.exec(word);
    if (word === "transposed") op = "convTranspose2d";
    else if (found === null) throw wrong(`has "${word}"`);
    else options[found[1] as keyof typeof options] = Number(found[2]);
  }
  const { batch: N, ...others } = options;
  const integers = { name: text, N, H, W, C, KH, KW, O, ...others, count: 1 };
  if (!Object.values(integers).every((value) => typeof value === "string" || value > 0))
    throw wrong("has a 0");
  return checked("--shape", op, integers);
}
