// A convolution's numbers as a file, for contenders that cannot make them.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Tensor, writeSafetensors } from "@saunet/core";
import type { ConvolutionFiles } from "../contenders/process.ts";
import { type ConvolutionSpec, makeConvolution } from "./convolution.ts";
import { surroundOf } from "./surround.ts";

/** Writes the file for as long as the body takes. */
export async function withOperands(
  spec: ConvolutionSpec,
  body: (files: ConvolutionFiles) => Promise<void>,
): Promise<void> {
  const { dims, x, w } = makeConvolution(spec);
  const { op, N, H, W, C, KH, KW, O, groups } = spec;
  const filter = op === "conv2d" ? [KH, KW, C / groups, O] : [KH, KW, O, C];
  const folder = mkdtempSync(join(tmpdir(), "saunet-bench-"));
  const operands = join(folder, "operands.safetensors");
  try {
    writeFileSync(operands, writeSafetensors({ x: new Tensor(x, [N, H, W, C]), w: new Tensor(w, filter) }));
    const result = op === "conv2d" ? [dims.OH, dims.OW] : [dims.H, dims.W];
    await body({ operands, pads: surroundOf(spec, dims).pads, result });
  } finally {
    rmSync(folder, { recursive: true });
  }
}
