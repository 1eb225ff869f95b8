// config.json of a run: everything that `--resume` needs besides the checkpoint. People read it, and some edit it.

import { DATASET_KINDS } from "@saunet/data/files";
import { areClasses, type NetworkConfig, sizeMultiple } from "@saunet/model";
import { z } from "zod";
import { WorkError } from "./errors.ts";
import type { Settings } from "./settings.ts";
import { validate } from "./validate.ts";

/** SHA-256 of the files that a run was started with, as hexadecimal digits. */
export interface Contents {
  /** Of each picture's files together, in the order of the names. */
  readonly training: readonly string[];
  readonly validation: readonly string[];
  readonly weights?: string | undefined;
}

/** The settings with whole paths, the network, and which pictures train and which validate. */
export interface RunConfig extends Omit<Settings, "steps"> {
  readonly steps: number;
  readonly network: NetworkConfig;
  readonly training: readonly string[];
  readonly validation: readonly string[];
  /** Left out by version 0.1.0's first runs. */
  readonly contents?: Contents;
  /** Whether the run ends with a report; it does where this is left out. */
  readonly report?: boolean;
}

const count = z.int().min(1);
const positive = z.number().positive();
const share = z.number().min(0).lt(1);
const factors = z.tuple([positive, positive]);

/** The data sets of a run. */
export const setsSchema = z.array(z.object({ dataset: z.enum(DATASET_KINDS), data: z.string() }));

const networkSchema = z.object({
  name: z.string(),
  inputChannels: count.max(4096),
  channels: z.array(count.max(4096)).min(2).max(8),
  normalization: z.enum(["none", "batch", "group"]),
  groups: count.max(4096),
  activation: z.enum(["relu", "silu"]),
  dropBlock: z.object({ rate: share, size: count.max(4096) }),
  bottleneckAttention: z.boolean(),
  skipAttention: z.enum(["none", "spatial", "cross-scale"]),
  epsilon: z.number().min(0).exactOptional(),
  transposedPadding: z.literal([0, 1]).exactOptional(),
  classes: z
    .array(z.string())
    .refine(areClasses, "Invalid input: expected different names, background first")
    .exactOptional(),
});

const hashes = z.array(z.string().regex(/^[0-9a-f]{64}$/, "Invalid input: expected a SHA-256"));

const schema: z.ZodType<RunConfig> = z.object({
  recipe: z.enum(["best", "paper"]),
  epochs: count,
  steps: count,
  learningRate: positive,
  crops: z
    .array(z.object({ until: z.number().min(0).max(1), side: count.max(8192), batch: count, scale: factors }))
    .min(1)
    .exactOptional(),
  batch: count,
  microBatch: count.exactOptional(),
  dropBlockRate: share.exactOptional(),
  averageDecay: share.exactOptional(),
  clipNorm: positive.exactOptional(),
  schedule: z.enum(["cosine", "plateau"]),
  scale: z.literal(["auto", 1]),
  select: z.enum(["f1", "accuracy"]),
  sets: setsSchema,
  weights: z.string().exactOptional(),
  keepBack: z.int().min(0).exactOptional(),
  validateEvery: count,
  pictureSize: z.int().min(32),
  minutes: positive.exactOptional(),
  seed: z.int().min(0),
  maxPixels: count,
  network: networkSchema,
  training: z.array(z.string()),
  validation: z.array(z.string()),
  contents: z
    .object({ training: hashes, validation: hashes, weights: z.string().exactOptional() })
    .exactOptional(),
  report: z.boolean().exactOptional(),
});

/**
 * Checks what config.json holds.
 *
 * @throws WorkError naming the first setting that no run has
 */
export function checkConfig(value: unknown): RunConfig {
  const config = validate(schema, value);
  const { crops, sets, schedule, validation, network } = config;
  const multiple = sizeMultiple(network);
  const side = crops?.find((stage) => stage.side % multiple !== 0)?.side;
  if (side !== undefined) throw new WorkError(`crops: ${side} is no multiple of ${multiple}`);
  if (sets.length > 0 && network.classes !== undefined) {
    throw new WorkError("network.classes: only a run on synthetic pictures tells classes apart");
  }
  if (sets.length === 0 && crops === undefined) throw new WorkError("sets: a run without crops needs one");
  if (schedule === "plateau" && validation.length === 0) {
    throw new WorkError("schedule: plateau follows the loss on pictures kept back, and there are none");
  }
  return config;
}
