// saunet import: weights that Keras or PyTorch wrote, as a weights file of this project.

import { readFile, stat } from "node:fs/promises";
import { basename } from "node:path";
import {
  ImportError,
  type Imported,
  type ImportOptions,
  importKeras,
  importTorch,
  layoutOf,
} from "@saunet/interop";
import { networks, saUNetV2, writeWeights } from "@saunet/model";
import { DONE, UsageError, WorkError } from "../errors.ts";
import { withFile, writeFile } from "../files.ts";
import { type Host, print, printLine, table, writeJson } from "../output.ts";
import { refuseClashes } from "../outputs.ts";

/** Options of `saunet import`. */
export interface ImportCommandOptions {
  readonly out: string;
  readonly layout?: "keras" | "torch";
  readonly network?: string;
  readonly channels?: readonly number[];
  readonly groups?: number;
  readonly half?: boolean;
  readonly json?: boolean;
}

/** Larger files hold no network of this family. */
const MAX_BYTES = 2 ** 30;

/** Reads a file of another framework and writes the weights that it holds. */
export async function importWeights(
  file: string,
  options: ImportCommandOptions,
  host: Host,
): Promise<number> {
  const given = networkOf(options);
  await refuseClashes(host, [{ file: options.out, what: "the weights", option: "--out" }], [file]);
  const imported = await withFile(host, file, async (path) => {
    const { size } = await stat(path);
    if (size > MAX_BYTES) throw new WorkError(`has ${size} bytes; files of up to ${MAX_BYTES} are read`);
    return convert(await readFile(path), options, given);
  });
  const metadata = { ...imported.metadata, "imported-from": basename(file) };
  const bytes = writeWeights({ ...imported, metadata }, { half: options.half ?? false });
  await writeFile(host, options.out, bytes);
  const { config, origin, assignments, assumed } = imported;
  if (options.json) {
    writeJson(host, { network: config, origin, assumed, assignments, file: options.out });
    return DONE;
  }
  const numbers = assignments.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);
  print(host, `${table([["in the file", "shape", "in the network"], ...rowsOf(imported)])}\n\n`);
  printLine(
    host,
    `${config.name}, ${numbers.toLocaleString("en")} parameters, from ${origin} -> ${options.out}`,
  );
  if (assumed.length > 0) {
    printLine(
      host,
      `The file does not say, and so was assumed: ${assumed.join(", ")} (--network and --groups say otherwise)`,
    );
  }
  return DONE;
}

/** The network that the options ask for, if they ask for one. */
function networkOf({ network, channels, groups }: ImportCommandOptions): ImportOptions {
  if (network === undefined && channels === undefined && groups === undefined) return {};
  if (network === undefined) throw new UsageError("--channels and --groups need --network");
  const config = {
    ...(networks[network] ?? saUNetV2),
    ...(channels !== undefined && { channels, name: `${network}-${channels.join("-")}` }),
    ...(groups !== undefined && { groups }),
  };
  return { config };
}

async function convert(
  bytes: Uint8Array,
  { layout = layoutOf(bytes) }: ImportCommandOptions,
  options: ImportOptions,
): Promise<Imported> {
  if (layout === undefined) {
    throw new WorkError("is neither Keras's (HDF5 or .keras) nor a safetensors file");
  }
  try {
    return layout === "torch" ? importTorch(bytes, options) : await importKeras(bytes, options);
  } catch (error) {
    if (error instanceof ImportError) throw new WorkError(error.message, { cause: error });
    throw error;
  }
}

/** A line for each array, the layer named once. */
function rowsOf({ assignments }: Imported): string[][] {
  let last: string | undefined;
  return assignments.map(({ layer, entry, shape }) => {
    const name = layer === last ? "" : layer;
    last = layer;
    return [name, shape.join("x"), entry];
  });
}
