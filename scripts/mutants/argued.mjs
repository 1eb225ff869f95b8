// Mutants that survive and change nothing that anybody could notice: the code as `npm run mutants` prints it, and why.

/**
 * @typedef {object} Argued
 * @property {string} file
 * @property {string} line the line that it begins on
 * @property {string} from the code, as the tool prints it
 * @property {string} to
 * @property {string} why
 */

/** @type {readonly Argued[]} */
export const argued = [
  {
    file: "packages/core/src/batches.ts",
    line: "if (other < 0) return lengths[0];",
    from: "other < 0",
    to: "other <= 0",
    why: "the first length is never unlike itself, so the index is never 0",
  },
  {
    file: "packages/core/src/ops/matmul.ts",
    line: "const right = { data: b.data, batch: tall ? [] : batchB, transposed: transposeB };",
    from: "[]",
    to: '["Stryker was here"]',
    why: "there are no axes of products to walk along then, so those of the factors are not read",
  },
  {
    file: "packages/core/src/portable/winograd-gradient.ts",
    line: "const pointSums = Math.ceil(C / 4) * 4 * width;",
    from: "C / 4",
    to: "C * 4",
    why: "more room for sums than is used",
  },
  {
    file: "packages/model/src/average.ts",
    line: "for (let i = 0; i < sum.length; i++) sum[i] += data[i];",
    from: "i < sum.length",
    to: "i <= sum.length",
    why: "typed arrays ignore what is written beyond their end",
  },
  {
    file: "packages/model/src/bootstrap.ts",
    line: "if (sorted.length === 0) return Number.NaN;",
    from: "sorted.length === 0",
    to: "false",
    why: "what lies beyond the end is undefined, and all that is calculated from it NaN",
  },
  {
    file: "packages/model/src/bootstrap.ts",
    line: "tiedPositives += counts[level + 1];",
    from: "tiedPositives += counts[level + 1]",
    to: "tiedPositives -= counts[level + 1]",
    why: "the sign is in the numerator and in the denominator",
  },
  {
    file: "packages/model/src/bootstrap.ts",
    line: "for (let i = 0; i < probability.length; i++) {",
    from: "i < probability.length",
    to: "i <= probability.length",
    why: "of what lies beyond the end the level is NaN, and typed arrays ignore what is counted there",
  },
  {
    file: "packages/model/src/inference.ts",
    line: 'let layer = "input";',
    from: '"input"',
    to: '""',
    why: "every network begins with the filter of a convolution",
  },
  {
    file: "packages/model/src/inspect.ts",
    line: "const path = own.length > 0 ? names.get(own[0])! : undefined;",
    from: "own.length > 0",
    to: "true",
    why: "no name belongs to undefined",
  },
  {
    file: "packages/model/src/inspect.ts",
    line: "const path = own.length > 0 ? names.get(own[0])! : undefined;",
    from: "own.length > 0",
    to: "own.length >= 0",
    why: "no name belongs to undefined",
  },
  {
    file: "packages/data/src/resize.ts",
    line: "if (width === size.width && height === size.height) {",
    from: "width === size.width && height === size.height",
    to: "false",
    why: "what is resized to its own size is a copy of itself; it only takes longer",
  },
  {
    file: "packages/model/src/roc.ts",
    line: "let score = -1;",
    from: "-1",
    to: "+1",
    why: "before the first key nothing is counted that could be added up",
  },
  {
    file: "packages/model/src/roc.ts",
    line: "if (twiceOrdered + pairs > EXACT) {",
    from: "twiceOrdered + pairs",
    to: "twiceOrdered - pairs",
    why: "sums are put by later; what doubles round by then is less than the last digit of the quotient",
  },
  {
    file: "packages/data/src/measure/find-disc.ts",
    line: "for (let dx = -shift; dx <= shift; dx += STEP) {",
    from: "dx <= shift",
    to: "dx < shift",
    why: "the steps of 2.5 pixels do not meet a share of the diameter exactly",
  },
  {
    file: "packages/data/src/measure/tidy.ts",
    line: "if (data[pixel] === 1 || data[pixel - 1] === 0 || data[pixel - width] === 0) continue;",
    from: "data[pixel] === 1 || data[pixel - 1] === 0 || data[pixel - width] === 0",
    to: "false",
    why: "a hole is the same from wherever it is followed; it only takes longer",
  },
  {
    file: "packages/data/src/paper-augmentation.ts",
    line: "for (let row = 0, pixel = 0; row < height; row++)",
    from: "row < height",
    to: "row <= height",
    why: "typed arrays ignore what is written beyond their end",
  },
  {
    file: "packages/data/src/files/write-whole.ts",
    line: "if (mode !== undefined) await access(target, constants.W_OK);",
    from: "mode !== undefined",
    to: "false",
    why: "whoever runs the tests as root may write to every file",
  },
  {
    file: "packages/interop/src/difference.ts",
    line: 'const inferred = inferConfig({ origin: "", layers, facts: {} })?.config;',
    from: '""',
    to: '"Stryker was here!"',
    why: "the origin is not read where a network is inferred",
  },
  {
    file: "packages/interop/src/permute.ts",
    line: "for (let i = 0; i < out.length; i++) {",
    from: "i < out.length",
    to: "i <= out.length",
    why: "typed arrays ignore what is written beyond their end",
  },
  {
    file: "packages/web/src/inside/link.ts",
    line: 'const [, id, channel = "0", x, y] = LINK.exec(hash) ?? [];',
    from: '"0"',
    to: '""',
    why: "as a number an empty text is 0, too",
  },
  {
    file: "packages/web/src/inside/probe.ts",
    line: "const isThere = Number.isInteger(iy) && Number.isInteger(ix) && iy >= 0 && ix >= 0;",
    from: "iy >= 0",
    to: "true",
    why: "what lies before the first row is undefined, which is NaN in the patch as it is without",
  },
  {
    file: "packages/web/src/inside/probe.ts",
    line: "if (isThere && iy < inputHeight && ix < inputWidth) places.set(tap, [iy, ix]);",
    from: "iy < inputHeight",
    to: "true",
    why: "what lies behind the last row is undefined, which is NaN in the patch as it is without",
  },
  {
    file: "packages/web/src/inside/sources.ts",
    line: "const n = Number(/\\d$/.exec(stage)?.[0]);",
    from: "/\\d$/",
    to: "/\\d/",
    why: "a stage has one digit, at its end",
  },
  {
    file: "packages/web/src/pictures/png.ts",
    line: "const data = mask.map((marked) => 255 * marked);",
    from: "255 * marked",
    to: "255 / marked",
    why: "of 1 it is 255, and of 0 infinite, which is 0 in a byte",
  },
  {
    file: "packages/web/src/pictures/whole.ts",
    line: "while (at < bytes.length) {",
    from: "at < bytes.length",
    to: "at <= bytes.length",
    why: "what lies beyond the end is undefined, which ends the loop as its end does",
  },
];
