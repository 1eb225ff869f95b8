// Which form of a convolution runs.

import type { Axis, Correlation } from "./correlation.ts";
import { POINTS, TILE } from "./winograd-matrices.ts";
import { planStrips, ROW_TILES } from "./winograd-transforms.ts";

/** Transforms of one tile, in multiply-adds of the inner loops and for each channel: fitted to bench figures. */
const TILE_TRANSFORM = 250;
/** Transform of one 3x3 filter, counted alike. */
const FILTER_TRANSFORM = 960;

/**
 * Winograd's form where it exists (3x3, no stride, no dilation) and costs less: not for an image of a few tiles, where
 * the filter's transform weighs, nor for one or two channels, where the tiles' transforms do.
 */
export function chooseConv2d(c: Correlation): "winograd" | "direct" {
  const { N, I: inChannels, O: outChannels, rows, columns } = c;
  if (!isPlain(rows) || !isPlain(columns)) return "direct";
  const direct = 9 * N * rows.outSize * columns.outSize * inChannels * outChannels;
  const { tiles, stripTiles } = planStrips(columns.outSize);
  const rowTiles = Math.ceil(stripTiles / ROW_TILES) * ROW_TILES * Math.ceil(tiles / stripTiles);
  const products = POINTS * POINTS * inChannels * Math.ceil(outChannels / 4) * 4;
  const transforms = TILE_TRANSFORM * (inChannels + outChannels);
  const winograd =
    N * Math.ceil(rows.outSize / TILE) * rowTiles * (products + transforms) +
    FILTER_TRANSFORM * inChannels * outChannels;
  return winograd < direct ? "winograd" : "direct";
}

/** Whether an axis is a correlation with three neighbouring taps. */
function isPlain({ step, phases }: Axis): boolean {
  const phase = phases[0];
  return step === 1 && phases.length === 1 && phase.taps.length === 3 && phase.spacing === 1;
}
