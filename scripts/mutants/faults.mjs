// Faults of our own: those that went unnoticed once, and those of generated kernels, whose mistakes lie in the code that they
// write. Each is put in by itself, and the test beside it must notice.

/**
 * @typedef {object} Fault
 * @property {string} name
 * @property {string} file
 * @property {string} from what stands there, once
 * @property {string} to
 * @property {readonly [file: string, name: string]} test its name is a part of the whole one
 */

const DATA = "packages/data/src";
const MODEL = "packages/model/src";
const CLI = "packages/cli/src";
const WASM = "packages/wasm/src";
const WEB = "packages/web/src";
const RESUME = `${CLI}/commands/train-resume.test.ts`;

/** @type {readonly Fault[]} */
export const faults = [
  {
    name: "validation on pictures that are trained on",
    file: `${CLI}/training-data.ts`,
    from: "syntheticSeed(seed, -1 - i)",
    to: "syntheticSeed(seed, i)",
    test: [`${CLI}/training-data.test.ts`, "synthetic pictures to validate with"],
  },
  {
    name: "resume without random state",
    file: `${MODEL}/checkpoint.ts`,
    from: "state.random.set(random);",
    to: "",
    test: [RESUME, "killed after it had logged more than it saved"],
  },
  {
    name: "resume without learning rate",
    file: `${MODEL}/checkpoint.ts`,
    from: "state.optimizer.learningRate[0] = learningRate;",
    to: "",
    test: [RESUME, "with its learning rate"],
  },
  {
    name: "resume without the plateau's watch",
    file: `${CLI}/learn.ts`,
    from: "plateau: plateau.state, stopping: stopping.state",
    to: "plateau: { ...plateau.state }, stopping: stopping.state",
    test: [RESUME, "with the epochs that the plateau has lasted"],
  },
  {
    name: "resume without early stopping's watch",
    file: `${CLI}/learn.ts`,
    from: "plateau: plateau.state, stopping: stopping.state",
    to: "plateau: plateau.state, stopping: { ...stopping.state }",
    test: [RESUME, "with the epochs that it has waited for progress"],
  },
  {
    name: "resume without the minutes so far",
    file: `${CLI}/learn.ts`,
    from: " - 1000 * position.seconds",
    to: "",
    test: [RESUME, "with the time that it has taken"],
  },
  {
    name: "resume without rewinding the log",
    file: `${CLI}/learn.ts`,
    from: "await run.rewindLog(position.step);",
    to: "",
    test: [RESUME, "killed after it had logged more than it saved"],
  },
  {
    name: "a tie counts as better than the best",
    file: `${CLI}/learn.ts`,
    from: "found[settings.select] > (position.best?.score ?? -1)",
    to: "found[settings.select] >= (position.best?.score ?? -1)",
    test: [RESUME, "the first of two that are equally good"],
  },
  {
    name: "accuracy of the paper's validation divided by batches",
    file: `${CLI}/validation.ts`,
    from: "right / (augmented.length * side * side)",
    to: "right / (batch * side * side)",
    test: [`${CLI}/validation.test.ts`, "paper: loss and accuracy"],
  },
  {
    name: "accuracy of classes without the divisor of pictures",
    file: `${CLI}/validation.ts`,
    from: "right / classes.data.length / pictures.length",
    to: "right / classes.data.length",
    test: [`${CLI}/validation.test.ts`, "classes: accuracy"],
  },
  {
    name: "a file is not brought to the disk before it takes its name",
    file: `${DATA}/files/write-whole.ts`,
    from: "await file.sync();",
    to: "",
    test: [`${DATA}/files/write-whole.test.ts`, "on the disk before they take the name"],
  },
  {
    name: "a picture of 16 bits that was cut off is read",
    file: `${DATA}/files/decode.ts`,
    from: 'failOn: "error"',
    to: 'failOn: "none"',
    test: [`${DATA}/files/read.test.ts`, "refuses a truncated"],
  },
  {
    name: "the surround is read from one corner",
    file: `${DATA}/field-of-view.ts`,
    from: "return Math.min(...means);",
    to: "return means[0];",
    test: [`${DATA}/field-of-view.test.ts`, "whichever corner is dark"],
  },
  {
    name: "the field of view is found in green alone",
    file: `${DATA}/field-of-view.ts`,
    from: "Math.max(data[i], data[i + 1], data[i + 2])",
    to: "data[i + 1]",
    test: [`${DATA}/field-of-view.test.ts`, "shows in channel"],
  },
  {
    name: "a vessel's row by the height",
    file: `${DATA}/augment/geometry.ts`,
    from: "Math.floor(vessel / labelled.width)",
    to: "Math.floor(vessel / labelled.height)",
    test: [`${DATA}/augment.test.ts`, "holds a vessel whatever else happens"],
  },
  {
    name: "the limit of pixels counts what the network sees alone",
    file: `${MODEL}/photograph-runner.ts`,
    from: "Math.max(width * height, H * W) > maxPixels",
    to: "H * W > maxPixels",
    test: [`${MODEL}/segmenter.test.ts`, "refuses what is too large"],
  },
  {
    name: "the limit of pixels counts the photograph alone",
    file: `${MODEL}/photograph-runner.ts`,
    from: "Math.max(width * height, H * W) > maxPixels",
    to: "width * height > maxPixels",
    test: [`${MODEL}/segmenter.test.ts`, "refuses what is too large"],
  },
  {
    name: "a probability equal to the threshold is no vessel in a mask",
    file: `${MODEL}/photograph-runner.ts`,
    from: "probability[pixel] >= threshold",
    to: "probability[pixel] > threshold",
    test: [`${MODEL}/segmenter.test.ts`, "takes RGBA, and a threshold"],
  },
  {
    name: "a probability equal to the threshold is no vessel in a count",
    file: `${MODEL}/metrics.ts`,
    from: "probability[i] >= threshold",
    to: "probability[i] > threshold",
    test: [`${MODEL}/metrics.test.ts`, "of a small picture, by hand"],
  },
  {
    name: "a probability equal to the threshold is no vessel on the page",
    file: `${WEB}/pictures/paint.ts`,
    from: "p >= threshold",
    to: "p > threshold",
    test: [`${WEB}/pictures/paint.test.ts`, "equal to the threshold"],
  },
  {
    name: "the eye's diameter is its width",
    file: `${MODEL}/scale.ts`,
    from: "Math.max(width, height)",
    to: "width",
    test: [`${MODEL}/scale.test.ts`, "cut off left and right"],
  },
  {
    name: "running statistics learn after loading",
    file: `${MODEL}/weights.ts`,
    from: "trainable ? parameter(tensors[name]) : tensors[name]",
    to: "parameter(tensors[name])",
    test: [`${MODEL}/network.test.ts`, "runs, trains and round-trips"],
  },
  {
    name: "an endless download goes on behind its refusal",
    file: `${MODEL}/load-weights.ts`,
    from: "await reader.cancel().catch(() => {});",
    to: "",
    test: [`${MODEL}/load-weights.test.ts`, "what never ends"],
  },
  {
    name: "IR version of opset 19 onwards",
    file: "packages/interop/src/onnx/export.ts",
    from: "if (opset < 19) return 8;",
    to: "",
    test: ["packages/interop/src/onnx/export.test.ts", "writes opset"],
  },
  {
    name: "bench: a tolerance 100 times as large",
    file: "bench/verify.ts",
    from: "TOLERANCE = 2e-4",
    to: "TOLERANCE = 2e-2",
    test: ["bench/verify.test.ts", "1.01 times as large"],
  },
  {
    name: "bench: who is wrong is timed",
    file: "bench/matmul.ts",
    from: "if (error <= TOLERANCE) right",
    to: "if (true) right",
    test: ["bench/matmul.test.ts", "no one who is wrong"],
  },
  {
    name: "bench: a contender whose output is wrong is timed",
    file: "bench/race.ts",
    from: "if (!(error <= TOLERANCE)) return",
    to: "if (false) return",
    test: ["bench/verify.test.ts", "is refused for another loss"],
  },
  {
    name: "bench: a contender whose gradients are wrong is timed",
    file: "bench/race.ts",
    from: "if (!(ofGradients <= GRADIENT_TOLERANCE)) return",
    to: "if (false) return",
    test: ["bench/verify.test.ts", "is refused for gradients of another size"],
  },
  {
    name: "the page's table has the AUC of the other region",
    file: `${WEB}/segment/csv.ts`,
    from: "auc: fieldOnly ? tally.auc.field : tally.auc.frame",
    to: "auc: fieldOnly ? tally.auc.frame : tally.auc.field",
    test: [`${WEB}/segment/csv.test.ts`, "counts in the field of view, or in the whole picture"],
  },
  {
    name: "the page's list has the AUC of the other region",
    file: `${WEB}/segment/sorting.ts`,
    from: "auc: fieldOnly ? tally.auc.field : tally.auc.frame",
    to: "auc: fieldOnly ? tally.auc.frame : tally.auc.field",
    test: [`${WEB}/segment/sorting.test.ts`, "has the figures of the field of view"],
  },
  {
    name: "a program is in use for ever after a run that failed",
    file: "packages/core/src/run.ts",
    from: "if (hasBegun) this.#isRunning = false;",
    to: "",
    test: ["packages/core/src/run.test.ts", "go on after a run that failed"],
  },
  {
    name: "a photograph without vessels takes part in a calibration",
    file: `${MODEL}/calibration.ts`,
    from: "curves.filter((curve) => fitThreshold([curve]) !== undefined)",
    to: "curves",
    test: [`${MODEL}/calibration.test.ts`, "leaves out photographs without vessels"],
  },
  {
    name: "kernels: doubles run as 32-bit floats",
    file: `${WASM}/accelerate.ts`,
    from: "!(array instanceof Float64Array)",
    to: "array !== null",
    test: [`${WASM}/accelerate.test.ts`, "leaves doubles to the references"],
  },
  {
    name: "kernels: a gate of channels is fused as one of pixels",
    file: `${WASM}/fusions/gate-concat.ts`,
    from: 'gate === "1,0"',
    to: "true",
    test: [`${WASM}/fusions/fusions.test.ts`, "what only looks alike"],
  },
  {
    name: "kernels: a maximum of rows that starts at 0",
    file: `${WASM}/kernels/lines.ts`,
    from: 'f.constant("least", Number.NEGATIVE_INFINITY)',
    to: 'f.constant("least", 0)',
    test: [`${WASM}/kernels/reduce.test.ts`, "the maximum hands on NaN, from every lane, and -∞"],
  },
  {
    name: "kernels: a maximum of rows that passes over NaN",
    file: `${WASM}/kernels/lines.ts`,
    from: "f.set(largest, v128.or(largest, unordered));",
    to: "",
    test: [`${WASM}/kernels/reduce.test.ts`, "the maximum hands on NaN, from every lane, and -∞"],
  },
  {
    name: "kernels: products of few rows forget all chunks but the last",
    file: `${WASM}/kernels/matmul-rows.ts`,
    from: "f32x4.add(f.loadLanes(out, lanes), sum)",
    to: "f.get(sum)",
    test: [`${WASM}/kernels/matmul.test.ts`, "1 of 4x482 by 482x1030"],
  },
  {
    name: "kernels: products of few rows with a transposed matrix forget all chunks but the last",
    file: `${WASM}/kernels/matmul-rows.ts`,
    from: "f32x4.add(v128.load32_zero(out, { offset }), sum)",
    to: "f.get(sum)",
    test: [`${WASM}/kernels/matmul.test.ts`, "1 of 14x1027 by 1027x26ᵀ"],
  },
  {
    name: "kernels: a pooling that passes over NaN",
    file: `${WASM}/kernels/pool.ts`,
    from: "v128.andnot(f32x4.eq(best, best), f32x4.le(x4, best))",
    to: "f32x4.gt(x4, best)",
    test: [`${WASM}/kernels/pool.test.ts`, "the first NaN of a window wins"],
  },
  {
    name: "kernels: noise of exactly the rate is dropped",
    file: `${WASM}/kernels/drop-block.ts`,
    from: "f.f32x4.lt(noise, limit)",
    to: "f.f32x4.le(noise, limit)",
    test: [`${WASM}/kernels/drop-block.test.ts`, "dropout of"],
  },
  {
    name: "kernels: a rate between two 32-bit numbers is rounded to the nearer",
    file: `${WASM}/kernels/drop-block.ts`,
    from: 'f.constant("limit", roundUp(rate))',
    to: 'f.constant("limit", rate)',
    test: [`${WASM}/kernels/drop-block.test.ts`, "dropout of"],
  },
  {
    name: "kernels: the last rows of DropBlock reach over the edge",
    file: `${WASM}/kernels/drop-block.ts`,
    from: "f.cut(height, row, H + (BH >> 1), BH);",
    to: "f.set(height, BH);",
    test: [`${WASM}/kernels/drop-block.test.ts`, `"blockSize":7`],
  },
];
