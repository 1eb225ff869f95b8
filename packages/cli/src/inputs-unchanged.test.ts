// No exported function of data or model changes what it is given, and none depends on whose memory that is: a Buffer
// (whose `slice` is a view), a view with an offset, clamped bytes, memory shared between threads.

import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { adam, type Parameters as Dictionary, parameter, prepare, randomState, Tensor } from "@saunet/core";
import * as data from "@saunet/data";
import * as files from "@saunet/data/files";
import * as measure from "@saunet/data/measure";
import * as model from "@saunet/model";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { tiny } from "./testing.ts";
import { type Bytes, freeze, KINDS, type Memory, memoryOf } from "./testing-memory.ts";

const { image, vessels, classes, fieldOfView } = data.syntheticFundus({ seed: 4, width: 40, height: 32 });
const size = { width: 40, height: 32 };
const initial = model.initialize(tiny, randomState(3));
const probabilities = Float32Array.from({ length: 40 * 32 }, (_, i) => ((i * 37) % 101) / 101);

/** A file, for functions that take no clamped bytes. */
const fileIn = (m: Memory, content: Uint8Array): Uint8Array => {
  const array = m.bytes(content) as Bytes;
  return array instanceof Uint8Array ? array : new Uint8Array(array.buffer, array.byteOffset, array.length);
};
const photographIn = (m: Memory) => ({ ...size, data: m.bytes(image.data) as data.PlainBytes });
const vesselsIn = (m: Memory) => ({ ...size, data: m.bytes(vessels.data) as data.PlainBytes });
const fieldIn = (m: Memory) => ({ ...size, data: m.bytes(fieldOfView.data) as data.PlainBytes });
const labelledIn = (m: Memory) => {
  const labelled = data.labelledImage(image, vessels, fieldOfView);
  const levels = labelled.levels.map((level) => ({ ...level, pixels: m.bytes(level.pixels) }));
  return { ...labelled, levels };
};
const netpbmIn = (m: Memory) => m.bytes(new TextEncoder().encode("P5 2 1 255 ab"));
async function* chunksOf(bytes: Uint8Array) {
  yield bytes;
}
const samplesIn = (m: Memory, values: ArrayLike<number>) => {
  const channels = values.length === 40 * 32 ? 1 : 3;
  const samples = m.bytes(Uint8Array.from(values));
  return { ...size, data: samples, stride: channels, colours: channels, type: "bytes", white: 255 } as const;
};
const predictionIn = (m: Memory) => ({
  probability: m.floats(probabilities),
  truth: m.bytes(vessels.data),
  fieldOfView: m.bytes(fieldOfView.data),
});
const parametersIn = (m: Memory): model.Parameters =>
  Object.fromEntries(
    Object.entries(initial).map(([path, { data, shape }]) => [
      path,
      parameter(new Tensor(m.floats(data), shape)),
    ]),
  );
const weightsIn = (m: Memory): model.Weights => ({
  config: tiny,
  parameters: parametersIn(m),
  metadata: { by: "test" },
});
const featuresIn = (m: Memory, channels: number) =>
  new Tensor(m.floats(Float32Array.from({ length: 64 * channels }, (_, i) => Math.sin(i))), [
    1,
    8,
    8,
    channels,
  ]);
const filterIn = (m: Memory) =>
  new Tensor(m.floats(Float32Array.from({ length: 98 }, (_, i) => Math.cos(i))), [7, 7, 2, 1]);
const batchIn = (m: Memory) => ({
  x: new Tensor(m.floats(data.floatsOf(image)), [1, 32, 40, 3]),
  target: new Tensor(m.floats(vessels.data), [1, 32, 40, 1]),
});
const lossIn = (m: Memory) =>
  [new Tensor(m.floats(probabilities), [1, 32, 40, 1]), batchIn(m).target] as const;
/** Of three classes. */
const classNetwork = model.withClasses(tiny, ["artery", "vein"]);
const classWeightsIn = (m: Memory): model.Weights => {
  const parameters = Object.entries(model.initialize(classNetwork, randomState(3))).map(
    ([path, { data, shape }]) => [path, parameter(new Tensor(m.floats(data), shape))],
  );
  return { config: classNetwork, parameters: Object.fromEntries(parameters), metadata: {} };
};
const classPredictionIn = (m: Memory) => ({
  probability: m.floats([...probabilities].flatMap((p) => [p / 2, (1 - p) / 2, 0.5])),
  truth: m.bytes(classes.data),
  fieldOfView: m.bytes(fieldOfView.data),
});
const classLossIn = (m: Memory) => {
  const { probability } = classPredictionIn(m);
  const target = m.floats([...classes.data].flatMap((kind) => [0, 1, 2].map((k) => (k === kind ? 1 : 0))));
  return [new Tensor(probability, [1, 32, 40, 3]), new Tensor(target, [1, 32, 40, 3])] as const;
};
/** What training changes is its own: parameters, the optimiser's state, random numbers. */
const stepOf = () => {
  const parameters = model.initialize(tiny, randomState(3));
  return {
    config: tiny,
    parameters,
    optimizer: adam(parameters),
    loss: model.paperLoss(),
    random: randomState(2),
  };
};
const summaryIn = (m: Memory) => {
  const prediction = predictionIn(m);
  return {
    metrics: model.evaluate(prediction),
    counts: model.confusion(prediction),
    levels: model.levelsOf(prediction).full,
  };
};
/** A run after three steps. */
const checkpointIn = (m: Memory): Uint8Array => {
  const { optimizer, random } = stepOf();
  const state = { parameters: freeze(parametersIn(m)), optimizer, random };
  return model.writeCheckpoint(state, freeze({ step: 3 }));
};
const trained = (parameters: Dictionary) => Object.values(parameters).map((tensor) => [...tensor.data]);

const calibrationText = model.writeCalibration({
  ...{ threshold: 0.4, photographs: 1, before: 0.5, fitted: 0.6, leaveOneOut: null, warnings: [] },
  ...{ weights: "0".repeat(64), sources: [] },
});

/** What each function makes of inputs in that memory. */
type Calls = Readonly<Record<string, (m: Memory) => unknown>>;

const dataCalls: Calls = {
  augment: (m) =>
    data.augment(
      freeze(labelledIn(m)),
      freeze({
        width: 24,
        height: 24,
        rotation: 20,
        contrast: 0.2,
        blur: 0.3,
        noise: 0.1,
        orientations: true,
      }),
      randomState(1),
    ),
  bytesPerPixel: () => data.bytesPerPixel(3),
  channelsOf: (m) => data.channelsOf("test", freeze(photographIn(m))),
  boundingBox: (m) => data.boundingBox(freeze(vesselsIn(m))),
  coverage: (m) => data.coverage(freeze(vesselsIn(m)), freeze(fieldIn(m))),
  expectSameSize: (m) =>
    data.expectSameSize("test", "one", freeze(vesselsIn(m)), "other", freeze(fieldIn(m))),
  decodeNetpbm: (m) => data.decodeNetpbm(freeze(data.netpbmHeader(netpbmIn(m))!), chunksOf(netpbmIn(m))),
  fieldOfView: (m) => data.fieldOfView(freeze(photographIn(m))),
  flipValues: (m) =>
    data.flipValues(m.bytes(vessels.data), new Uint8Array(40 * 32), size, { horizontal: true }),
  floatsAtSize: (m) => data.floatsAtSize(freeze(photographIn(m)), { width: 23, height: 50 }),
  floatsOf: (m) => data.floatsOf(freeze(photographIn(m))),
  isDicom: (m) => data.isDicom(freeze(netpbmIn(m))),
  labelledImage: (m) =>
    data.labelledImage(freeze(photographIn(m)), freeze(vesselsIn(m)), freeze(fieldIn(m)), { halvings: 1 }),
  maskFrom: (m) => data.maskFrom("a", freeze(samplesIn(m, vesselsIn(m).data))),
  netpbmHeader: (m) => data.netpbmHeader(netpbmIn(m)),
  overlay: (m) => data.overlay(freeze(photographIn(m)), freeze(vesselsIn(m))),
  paperAugmentation: (m) =>
    data.paperAugmentation(freeze(photographIn(m)), freeze(vesselsIn(m)), freeze(fieldIn(m)), randomState(1)),
  photographFrom: (m) => data.photographFrom("a", freeze(samplesIn(m, photographIn(m).data))),
  photographOf: (m) => data.photographOf(m.floats(data.floatsOf(image)), 40, 32),
  photographWarnings: (m) => data.photographWarnings(freeze(photographIn(m))),
  resizeValues: (m) =>
    data.resizeValues(m.bytes(image.data), { ...size, channels: 3 }, { width: 23, height: 50 }),
  syntheticFundus: () => data.syntheticFundus(freeze({ seed: 4, width: 40, height: 32 })).image,
};

const modelCalls: Calls = {
  areClasses: () => model.areClasses(freeze(["background", "vein"])),
  autoScale: (m) => model.autoScale(freeze(photographIn(m))),
  averageWeights: (m) => model.averageWeights(freeze([weightsIn(m), weightsIn(m)])),
  fitCalibration: (m) => model.fitCalibration(freeze([model.f1ByThreshold(predictionIn(m))])),
  readCalibration: () => model.readCalibration(calibrationText).threshold,
  writeCalibration: () => model.writeCalibration(freeze(model.readCalibration(calibrationText))),
  bootstrapMean: () => model.bootstrapMean(freeze([0.1, 0.3, 0.2])),
  calibrationError: (m) => model.calibrationError(freeze(model.reliabilityBins(predictionIn(m)))),
  reliabilityBins: (m) => model.reliabilityBins(freeze(predictionIn(m))),
  sumOfBins: (m) => model.sumOfBins(freeze([model.reliabilityBins(predictionIn(m))])),
  bootstrapIntervals: (m) => model.bootstrapIntervals(freeze([summaryIn(m), summaryIn(m)])),
  captureInference: (m) => {
    const { x } = batchIn(m);
    return prepare(model.captureInference(freeze(weightsIn(m)), x)).runSync([x]);
  },
  captureTrainStep: (m) => {
    const [step, batch] = [stepOf(), batchIn(m)];
    const [loss] = model.captureTrainStep(step, batch).runSync([batch.x, batch.target]);
    return [loss, trained(step.parameters)];
  },
  checkpointWeights: (m) =>
    model.checkpointWeights(fileIn(m, checkpointIn(m)), { config: tiny, metadata: {} }),
  classCrossEntropyLoss: (m) => model.classCrossEntropyLoss(...classLossIn(m)),
  classLoss: (m) => model.classLoss()(...classLossIn(m)),
  classMccLoss: (m) => model.classMccLoss(...classLossIn(m)),
  classSegmenterOf: (m) => model.classSegmenterOf(freeze(classWeightsIn(m))).segment(freeze(photographIn(m))),
  confusion: (m) => model.confusion(freeze(predictionIn(m))),
  countParameters: () => model.countParameters(freeze({ ...tiny })),
  crossEntropyLoss: (m) => model.crossEntropyLoss(...lossIn(m)),
  crossScaleAttention: (m) => model.crossScaleAttention(featuresIn(m, 4), featuresIn(m, 4), filterIn(m)),
  depthOf: () => model.depthOf(freeze({ ...tiny })),
  diceLoss: (m) => model.diceLoss(...lossIn(m)),
  expectFinite: (m) => model.expectFinite("test", freeze(parametersIn(m))),
  expectOneOutput: () => model.expectOneOutput("test", freeze({ ...tiny })),
  expectWeightsFile: (m) => model.expectWeightsFile(fileIn(m, model.writeWeights(weightsIn(m)))),
  fileKind: (m) => model.fileKind(fileIn(m, model.writeWeights(weightsIn(m)))),
  loadBytes: (m) => model.loadBytes(fileIn(m, model.writeWeights(weightsIn(m)))),
  nameOfKind: () => model.nameOfKind("keras"),
  evaluate: (m) => model.evaluate(freeze(predictionIn(m))),
  evaluateClasses: (m) => model.evaluateClasses(freeze(classPredictionIn(m)), freeze(["a", "b", "c"])),
  f1ByThreshold: (m) => model.f1ByThreshold(freeze(predictionIn(m))),
  fitThreshold: (m) => model.fitThreshold(freeze([model.f1ByThreshold(predictionIn(m))])),
  forward: (m) => model.forward(tiny, freeze(parametersIn(m)), batchIn(m).x),
  initialize: () => model.initialize(freeze({ ...tiny }), randomState(1)),
  inspectNetwork: () => model.inspectNetwork(freeze({ ...tiny }), { height: 32, width: 32 }),
  isCheckpointFile: (m) => model.isCheckpointFile(fileIn(m, checkpointIn(m))),
  jaccardLoss: (m) => model.jaccardLoss(...lossIn(m)),
  layersOf: (m) => {
    const weights = freeze(weightsIn(m));
    return model.layersOf(model.captureInference(weights, batchIn(m).x), weights.parameters);
  },
  levelsOf: (m) => model.levelsOf(freeze(predictionIn(m))),
  loadSegmenter: async (m) => {
    const segmenter = await model.loadSegmenter({ weights: fileIn(m, model.writeWeights(weightsIn(m))) });
    return segmenter.segment(freeze(photographIn(m)), freeze({ scale: 1.5 }));
  },
  loadWeights: (m) => model.loadWeights(fileIn(m, model.writeWeights(weightsIn(m)))),
  lossOf: (m) => model.lossOf(freeze(classNetwork))(...classLossIn(m)),
  macroAverage: (m) => model.macroAverage(freeze([model.evaluate(predictionIn(m))])),
  mccLoss: (m) => model.mccLoss(...lossIn(m)),
  memoryOf: (m) => {
    const weights = freeze(weightsIn(m));
    return model.memoryOf(prepare(model.captureInference(weights, batchIn(m).x)), weights.parameters).parts;
  },
  metricsFromConfusion: (m) => model.metricsFromConfusion(freeze(model.confusion(predictionIn(m)))),
  maskOf: (m) => model.maskOf({ ...size, probability: predictionIn(m).probability }, 0.5),
  microAverage: (m) => model.microAverage(freeze([predictionIn(m), predictionIn(m)])),
  mostLikely: (m) => model.mostLikely(classPredictionIn(m).probability, 3),
  movingAverage: (m) => {
    const average = model.movingAverage(freeze(parametersIn(m)), 0.9);
    average.update(0);
    return average.parameters;
  },
  outputChannels: () => model.outputChannels(freeze(classNetwork)),
  padFloats: (m) => model.padFloats(m.floats(data.floatsOf(image)), 40, 32, 40, 40),
  paperLoss: (m) => model.paperLoss()(...lossIn(m)),
  parameterSpecs: () => model.parameterSpecs(freeze({ ...tiny })),
  parametersFrom: (m) => model.parametersFrom(tiny, freeze(parametersIn(m))),
  pooledRocAuc: (m) => model.pooledRocAuc(freeze([model.rankPixels(predictionIn(m))])),
  probabilitiesOf: (m) => model.probabilitiesOf(freeze(classNetwork), classLossIn(m)[0]),
  rankPixels: (m) => model.rankPixels(freeze(predictionIn(m))).starts,
  rankedRocAuc: (m) => model.rankedRocAuc(freeze(model.rankPixels(predictionIn(m)))),
  readCheckpoint: (m) => {
    // What it fills is its own.
    const { parameters, optimizer, random } = stepOf();
    const position = model.readCheckpoint(fileIn(m, checkpointIn(m)), { parameters, optimizer, random });
    return [position, trained(parameters)];
  },
  readWeights: (m) => model.readWeights(fileIn(m, model.writeWeights(weightsIn(m)))),
  rocAuc: (m) => model.rocAuc(freeze(predictionIn(m))),
  segmentWithFlips: (m) => model.segmentWithFlips(model.segmenterOf(weightsIn(m)), freeze(photographIn(m))),
  segmenterOf: (m) => model.segmenterOf(freeze(weightsIn(m))).segment(freeze(photographIn(m))),
  sizeMultiple: () => model.sizeMultiple(freeze({ ...tiny })),
  spatialAttention: (m) => model.spatialAttention(featuresIn(m, 4), filterIn(m)),
  sumConfusions: (m) => model.sumConfusions(freeze([model.confusion(predictionIn(m))])),
  train: async (m) => {
    const [step, batch] = [stepOf(), batchIn(m)];
    const run = { ...step, epochs: 1, stepsPerEpoch: 2, nextBatch: () => batch };
    const losses: unknown[] = [];
    for await (const event of model.train(run)) losses.push(event);
    return [losses, trained(step.parameters)];
  },
  trainStep: (m) => {
    const step = stepOf();
    return [model.trainStep(step, batchIn(m)), trained(step.parameters)];
  },
  writeCheckpoint: (m) => checkpointIn(m),
  withClasses: () => model.withClasses(freeze({ ...tiny }), freeze(["vein"])),
  writeWeights: (m) => model.writeWeights(freeze(weightsIn(m))),
};

const eye = { width: 48, height: 40 };
const when = { date: new Date(0) };
const dicom = () => readFile(new URL("../../../fixtures/dicom/explicit.dcm", import.meta.url));

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "saunet-inputs-"));
});
afterAll(() => rm(folder, { recursive: true }));

/** Writers, by what is read back; readers are given nothing but a path. */
const fileCalls: Calls = {
  readPhotograph: async (m) => {
    const path = join(folder, "photograph.png");
    await files.writePng(path, freeze(photographIn(m)));
    return files.readPhotograph(path);
  },
  decodePhotograph: async (m) => files.decodePhotograph(fileIn(m, await files.encodePng(image))),
  readMask: async (m) => {
    const path = join(folder, "mask.png");
    await files.writePng(path, freeze(vesselsIn(m)));
    return files.readMask(path);
  },
  writePng: async (m) => {
    const path = join(folder, "levels.png");
    await files.writePng(path, freeze({ ...size, levels: m.bytes(image.data.subarray(0, 40 * 32)) }));
    return files.readPhotograph(path);
  },
  writeWhole: async (m) => {
    const path = join(folder, "whole.png");
    await files.writePng(path, image);
    const bytes = fileIn(m, await readFile(path));
    await files.writeWhole(path, bytes);
    return files.readPhotograph(path);
  },
  encodePng: (m) => files.encodePng(freeze(photographIn(m))),
  filesOf: () => undefined,
  picturesByStem: () => undefined,
  temporaryName: () => undefined,
  readDataset: () => undefined,
  dicomOverlay: async (m) =>
    files.dicomOverlay(
      fileIn(m, await dicom()),
      freeze({ ...eye, data: m.bytes(new Uint8Array(3 * 48 * 40)) }),
      when,
    ),
  dicomSegmentation: async (m) =>
    files.dicomSegmentation(
      fileIn(m, await dicom()),
      freeze({ ...eye, data: m.bytes(new Uint8Array(48 * 40)) }),
      when,
    ),
  readDicomFacts: () => undefined,
  readSize: () => undefined,
  knownSystemReason: () => undefined,
};

const measured = (m: Memory) =>
  measure.measureVessels(freeze(vesselsIn(m)), freeze({ fieldOfView: vesselsIn(m), micrometresPerPixel: 6 }));
const measureCalls: Calls = {
  centralEquivalent: () => measure.centralEquivalent(freeze([6, 5, 4, 3, 2, 1]), "vein"),
  clDice: (m) => measure.clDice(freeze(fieldIn(m)), freeze(vesselsIn(m))),
  brokenPieces: (m) => measure.brokenPieces(freeze(fieldIn(m)), freeze(vesselsIn(m))),
  countPieces: (m) => measure.countPieces(freeze(vesselsIn(m))),
  distanceToBackground: (m) => measure.distanceToBackground(freeze(vesselsIn(m))),
  findDisc: (m) => measure.findDisc(freeze(photographIn(m)), freeze(vesselsIn(m)), freeze(fieldIn(m))),
  fractalDimensions: (m) => measure.fractalDimensions(freeze(vesselsIn(m))),
  measureVessels: measured,
  overlayMeasures: (m) => measure.overlayMeasures(freeze(photographIn(m)), measured(m)),
  skeletonize: (m) => measure.skeletonize(freeze(vesselsIn(m))),
  vesselColumns: (m) => measure.vesselColumns(freeze(measured(m).figures)),
  vesselGraph: (m) => measure.vesselGraph(measure.skeletonize(freeze(vesselsIn(m)))),
};

/** Results as numbers and words, whatever arrays they are in. */
function plain(value: unknown): unknown {
  if (value instanceof Tensor) return [value.shape, plain(value.data)];
  if (ArrayBuffer.isView(value)) return Array.from(value as unknown as ArrayLike<number>);
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return typeof value === "function" ? "function" : value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, plain(inner)]));
}

describe.each([
  ["data", data, dataCalls],
  ["data/files", files, fileCalls],
  ["data/measure", measure, measureCalls],
  ["model", model, modelCalls],
] as const)("%s", (_, module, calls) => {
  it("has a call here for every function that it exports", () => {
    const functions = Object.entries(module)
      .filter(([, value]) => typeof value === "function" && !(value.prototype instanceof Error))
      .map(([name]) => name);
    expect(Object.keys(calls).sort()).toEqual(functions.sort());
  });

  it.each(Object.keys(calls))("%s leaves its inputs as they were, in any memory", async (name) => {
    const wanted = plain(await calls[name](memoryOf("plain arrays")));
    for (const kind of Object.keys(KINDS)) {
      const memory = memoryOf(kind);
      expect(plain(await calls[name](memory)), kind).toEqual(wanted);
      memory.expectUnchanged();
    }
  });
});
