// saunet import: weights that Keras or PyTorch wrote, as a weights file of this project.

import { basename } from "node:path";
import {
  expectLayout,
  ImportError,
  type Imported,
  type ImportOptions,
  importKeras,
  importTorch,
  layoutOf,
} from "@saunet/interop";
import { countParameters, loadBytes, networks, saUNetV2, writeWeights } from "@saunet/model";
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
const MAX_BYTES = 2 ** 27;

/** Reads a file of another framework and writes the weights that it holds. */
export async function importWeights(
  file: string,
  options: ImportCommandOptions,
  host: Host,
): Promise<number> {
  const given = networkOf(options);
  await refuseClashes(host, [{ file: options.out, what: "the weights", option: "--out" }], [file]);
  const imported = await withFile(host, file, (path) => convert(path, options, given));
  const metadata = { ...imported.metadata, "imported-from": basename(file) };
  const bytes = writeWeights({ ...imported, metadata }, { half: options.half ?? false });
  await writeFile(host, options.out, bytes);
  const { config, origin, assignments, assumed } = imported;
  if (options.json) {
    writeJson(host, { network: config, origin, assumed, assignments, file: options.out });
    return DONE;
  }
  print(host, `${table([["in the file", "shape", "in the network"], ...rowsOf(imported)])}\n\n`);
  printLine(
    host,
    `${config.name}, ${countParameters(config).toLocaleString("en")} parameters, from ${origin} -> ${options.out}`,
  );
  if (assumed.length > 0) {
    printLine(
      host,
      `The file does not say, and so was assumed: ${assumed.join(", ")} (--network says otherwise)`,
    );
  }
  if (config.inputChannels !== COLOURS) {
    printLine(
      host,
      `The network takes ${config.inputChannels} channels, not the ${COLOURS} of a photograph: it can be exported, but not segment`,
    );
  }
  return DONE;
}

/** Red, green, blue. */
const COLOURS = saUNetV2.inputChannels;

/** What the options ask for. */
function networkOf({ network, channels, groups }: ImportCommandOptions): ImportOptions {
  if (network === undefined && channels !== undefined) throw new UsageError("--channels needs --network");
  if (network === undefined) return { groups };
  const config = {
    ...(networks[network] ?? saUNetV2),
    ...(channels !== undefined && { channels, name: `${network}-${channels.join("-")}` }),
  };
  return { config, groups };
}

async function convert(
  path: string,
  { layout }: ImportCommandOptions,
  options: ImportOptions,
): Promise<Imported> {
  try {
    const checkHead = (head: Uint8Array) => expectLayout(head, layout);
    const bytes = await loadBytes(path, { maxBytes: MAX_BYTES, checkHead });
    return (layout ?? layoutOf(bytes)) === "torch"
      ? importTorch(bytes, options)
      : await importKeras(bytes, options);
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
