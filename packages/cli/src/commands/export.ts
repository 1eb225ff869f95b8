// saunet export: a network for other programs, as ONNX or as a weights file.

import { exportOnnx } from "@saunet/interop";
import { loadSegmenter, sizeMultiple, type Weights, writeWeights } from "@saunet/model";
import { DONE, UsageError } from "../errors.ts";
import { BUNDLED, openWeights, writeFile } from "../files.ts";
import type { Size } from "../options.ts";
import { type Host, printLine, writeJson } from "../output.ts";
import { refuseClashes, weightsFile } from "../outputs.ts";

/** Options of `saunet export`. */
export interface ExportOptions {
  readonly onnx?: string;
  readonly safetensors?: string;
  readonly weights?: string;
  readonly size?: Size;
  readonly dynamic?: boolean;
  readonly batch?: number;
  readonly opset?: number;
  readonly half?: boolean;
  readonly json?: boolean;
}

/** A file that was written. */
interface Written {
  readonly file: string;
  readonly format: "onnx" | "safetensors";
  readonly bytes: number;
  /** What is to be known of it, in words. */
  readonly holds: string;
}

/** Writes a network in the formats that are asked for. */
export async function exportNetwork(options: ExportOptions, host: Host): Promise<number> {
  const { onnx, safetensors, weights = BUNDLED } = options;
  expectSense(options);
  await refuseClashes(
    host,
    [
      ...(onnx === undefined ? [] : [{ file: onnx, what: "the ONNX model", option: "--onnx" }]),
      ...(safetensors === undefined
        ? []
        : [{ file: safetensors, what: "the weights file", option: "--safetensors" }]),
    ],
    [weightsFile(options.weights)],
  );
  const network: Weights = await (options.weights === undefined
    ? loadSegmenter()
    : openWeights(host, options.weights));
  const files: Written[] = [];
  const write = async (format: Written["format"], file: string, bytes: Uint8Array, holds: string) => {
    await writeFile(host, file, bytes);
    files.push({ file, format, bytes: bytes.length, holds });
  };
  if (onnx !== undefined) {
    const { size, batch, opset } = options;
    const bytes = exportOnnx(network, {
      ...size,
      ...(batch !== undefined && { batch }),
      ...(opset !== undefined && { opset }),
    });
    const multiple = sizeMultiple(network.config);
    const sizes =
      size === undefined
        ? `any height and width that are multiples of ${multiple}`
        : `${size.height} x ${size.width} pixels`;
    await write("onnx", onnx, bytes, `ONNX, ${sizes}`);
  }
  if (safetensors !== undefined) {
    const { half = false } = options;
    await write("safetensors", safetensors, writeWeights(network, { half }), `${half ? 16 : 32}-bit floats`);
  }
  if (options.json) writeJson(host, { network: network.config, weights, files });
  else {
    for (const { file, bytes, holds } of files) {
      printLine(
        host,
        `${network.config.name} (weights ${weights}) -> ${file}: ${holds}, ${(bytes / 1e6).toFixed(2)} MB`,
      );
    }
  }
  return DONE;
}

/** Meaningless combinations are errors. */
function expectSense({ onnx, safetensors, size, dynamic, batch, opset, half }: ExportOptions): void {
  if (onnx === undefined && safetensors === undefined) {
    throw new UsageError("nothing to write: --onnx or --safetensors names a file");
  }
  if (size !== undefined && dynamic) throw new UsageError("--size and --dynamic exclude each other");
  const ofOnnx = Object.entries({ "--size": size, "--dynamic": dynamic, "--batch": batch, "--opset": opset });
  const [stray] = ofOnnx.filter(([, value]) => value !== undefined);
  if (onnx === undefined && stray !== undefined) throw new UsageError(`${stray[0]} needs --onnx`);
  if (half && safetensors === undefined) throw new UsageError("--half needs --safetensors");
}
