// Options that several commands have.

import { DATASET_KINDS } from "@saunet/data/files";
import { DEFAULT_THRESHOLD, networks, saUNetV2, sizeMultiple } from "@saunet/model";
import { Option } from "commander";
import { integer, scale, share, size } from "./options.ts";

export const json = ["--json", "print one JSON document instead of text"] as const;
export const weights = [
  "--weights <file>",
  "a safetensors file (default: the weights that come with saunet)",
] as const;
export const threshold = [
  "--threshold <p>",
  `probability from which a pixel is vessel, 0 to 1 (default: ${DEFAULT_THRESHOLD})`,
  share,
] as const;
export const padTo = ["--pad-to <n>", "pad with black to at least n rows and columns", integer(1)] as const;
export const scaling = [
  "--scale <s>",
  "resize photographs for the network: a factor, or auto by their field of view (default: as the weights ask)",
  scale,
] as const;
export const maxPixels = ["--max-pixels <n>", "refuse larger photographs", integer(1), 10_000_000] as const;
export const threads = ["--threads <n>", "threads that compute (default: one a core)", integer(1)] as const;
export const network = (purpose: string) =>
  new Option("--network <name>", purpose).choices(Object.keys(networks));
export const photographSize = (purpose = "height and width of the photograph") =>
  new Option("--size <HxW>", purpose).argParser(size(sizeMultiple(saUNetV2)));
export const dataset = (...others: string[]) =>
  new Option("--dataset <kind>", "how the photographs and masks are laid out")
    .choices([...DATASET_KINDS, ...others])
    .makeOptionMandatory();
export const data = ["--data <folder>", "where the photographs and masks are"] as const;
export const calibration = [
  "--calibration <file>",
  "the threshold of a camera or an observer, as saunet calibrate wrote it",
] as const;
export const split = (purpose: string) =>
  new Option("--split <part>", purpose).choices(["test", "train", "all"]);
export const limit = [
  "--limit <n>",
  "how many of the labelled photographs (default: all)",
  integer(1),
] as const;
export const observer = [
  "--observer <name>",
  "whose vessels, as evaluate names the observers (default: the reference's)",
] as const;
export const observers = [
  "--observer <name>",
  "whose vessels, as evaluate names the observers, or all: each photograph once for each of them (default: the reference's)",
] as const;
