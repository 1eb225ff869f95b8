// Draws the photograph and what was found, and writes the pictures that can be downloaded. It owns the page's canvas,
// so that neither zooming nor a new threshold ever keeps the page waiting.

import { expose } from "comlink";
import { calledVessel } from "../pictures/called.ts";
import { decodePicture } from "../pictures/decode.ts";
import { type Layer, type Painted, paint, paintMask } from "../pictures/paint.ts";
import { maskPng, probabilityPng } from "../pictures/png.ts";
import { type Tally, tallyOf } from "../pictures/tally.ts";
import { type Brush, brushOf, type Changed, type Point } from "./brush.ts";

/** What is to be seen. A picture without probabilities is shown as it is. */
export interface PictureToShow {
  /** Tells photographs apart: an equal one need not be decoded again. */
  readonly id: number;
  readonly file: Blob;
  readonly found?: FoundBlobs | undefined;
}

/** Results as the page keeps them: outside its own memory. */
export interface FoundBlobs {
  readonly probability: Blob;
  readonly field: Blob;
  readonly truth?: Blob | undefined;
}

/** How it is to be seen. */
export interface Look {
  readonly layer: Layer;
  /** 0 … 1 */
  readonly threshold: number;
  readonly opacity: number;
  readonly fieldOnly: boolean;
}

/** Which part, where: one pixel of the photograph is `scale` pixels of the canvas. */
export interface Viewport {
  /** Of the canvas, in its own pixels. */
  readonly width: number;
  readonly height: number;
  readonly scale: number;
  /** Where the photograph's left top corner lies within a pane. */
  readonly x: number;
  readonly y: number;
  /** `side`: two panes, the photograph alone and with the layer. `compare`: the layer right of `split`. */
  readonly mode: "compare" | "side" | "overlay";
  /** 0 … 1 */
  readonly split: number;
}

/** What was found at one pixel. */
export interface Finding {
  readonly x: number;
  readonly y: number;
  readonly probability: number;
  readonly isInField: boolean;
}

/** A photograph with its result, to be saved. */
export interface Saved {
  readonly file: Blob;
  readonly width: number;
  readonly height: number;
  readonly found: FoundBlobs;
}

/** What can be downloaded. */
export type Download = "mask" | "probability" | "overlay" | "truth";

/** A piece of a stroke on the mask. */
export interface Stroke {
  readonly from: Point;
  readonly to: Point;
  readonly radius: number;
  readonly isMarking: boolean;
  /** Whether another stroke begins. */
  readonly isFirst: boolean;
}

/** Kept, since Firefox gives the context of a canvas that a page has handed over only once. */
let context: OffscreenCanvasRenderingContext2D | undefined;
let photograph: ImageBitmap | undefined;
let shownId: number | undefined;
let found: Painted | undefined;
/** The mask that is drawn on, and its photograph. */
let correcting: { readonly brush: Brush; readonly id: number } | undefined;
let layer: OffscreenCanvas | undefined;
let look: Look = { layer: "mask", threshold: 0.5, opacity: 0.8, fieldOnly: true };
let viewport: Viewport | undefined;
/** Counts calls of `show`: a later one overtakes an earlier. */
let turn = 0;

/** Above this scale single pixels are worth seeing. */
const PIXELS_FROM = 3;

function repaint(): void {
  if (found === undefined) {
    layer = undefined;
    return;
  }
  const { width, height } = found;
  if (layer?.width !== width || layer.height !== height) layer = new OffscreenCanvas(width, height);
  const drawing = layer.getContext("2d")!;
  if (correcting === undefined || correcting.id !== shownId)
    drawing.putImageData(paint(found, look.layer, look.threshold, look.fieldOnly), 0, 0);
  else repaintMask({ x: 0, y: 0, width, height });
}

/** Only what a stroke has changed. */
function repaintMask({ x, y, width, height }: Changed): void {
  if (correcting === undefined || correcting.id !== shownId || width === 0 || layer === undefined) return;
  layer.getContext("2d")!.putImageData(paintMask(correcting.brush.mask, { x, y, width, height }), x, y);
}

function redraw(): void {
  if (context === undefined || viewport === undefined) return;
  const { width, height, mode, split } = viewport;
  const { canvas } = context;
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  context.reset();
  if (photograph === undefined) return;
  const panes = mode === "side" ? 2 : 1;
  for (let pane = 0; pane < panes; pane++) {
    const left = (pane * width) / panes;
    const from = mode === "compare" ? split * width : pane === panes - 1 ? left : width;
    drawPane(context, viewport, { left, right: left + width / panes, layerFrom: from });
  }
}

/** @param pane where it lies on the canvas, and from where on the layer covers it */
function drawPane(
  context: OffscreenCanvasRenderingContext2D,
  { height, scale, x, y }: Viewport,
  { left, right, layerFrom }: { left: number; right: number; layerFrom: number },
): void {
  const draw = (image: CanvasImageSource, from: number, alpha: number) => {
    context.save();
    context.beginPath();
    context.rect(from, 0, right - from, height);
    context.clip();
    context.setTransform(scale, 0, 0, scale, left + x, y);
    context.globalAlpha = alpha;
    context.imageSmoothingEnabled = scale < PIXELS_FROM;
    context.imageSmoothingQuality = "medium";
    context.drawImage(image, 0, 0);
    context.restore();
  };
  draw(photograph!, left, 1);
  if (layer !== undefined && layerFrom < right) draw(layer, layerFrom, look.opacity);
}

function clear(): void {
  photograph?.close();
  photograph = undefined;
  shownId = undefined;
  found = undefined;
  repaint();
  redraw();
}

async function openFound(
  { width, height }: { width: number; height: number },
  blobs: FoundBlobs,
): Promise<Painted> {
  const bytes = (blob: Blob) => blob.arrayBuffer();
  const truth = blobs.truth === undefined ? undefined : new Uint8Array(await bytes(blobs.truth));
  return {
    width,
    height,
    probability: new Float32Array(await bytes(blobs.probability)),
    field: new Uint8Array(await bytes(blobs.field)),
    truth,
  };
}

const api = {
  up(): void {},
  async start(): Promise<void> {},

  attach(own: OffscreenCanvas): void {
    context = own.getContext("2d")!;
    redraw();
  },

  /** Shows another picture, or none. Until it has been read, nothing is shown: the one before is another's. */
  async show(picture: PictureToShow | undefined): Promise<void> {
    const own = ++turn;
    if (picture?.id !== shownId) clear();
    const bitmap = picture && (photograph ?? (await decodePicture(picture.file)));
    const opened = bitmap && picture?.found && (await openFound(bitmap, picture.found));
    if (own !== turn) {
      if (bitmap !== photograph) bitmap?.close();
      return;
    }
    photograph = bitmap;
    shownId = picture?.id;
    found = opened && { ...opened, width: bitmap!.width, height: bitmap!.height };
    repaint();
    redraw();
  },

  setLook(next: Look): void {
    const before = look;
    look = next;
    const repaints =
      before.layer !== next.layer ||
      before.threshold !== next.threshold ||
      before.fieldOnly !== next.fieldOnly;
    if (repaints) repaint();
    redraw();
  },

  setViewport(next: Viewport): void {
    viewport = next;
    redraw();
  },

  /** What was found at a pixel of the photograph that is shown; undefined outside of it, or where nothing was found. */
  at(x: number, y: number): Finding | undefined {
    if (found === undefined || x < 0 || y < 0 || x >= found.width || y >= found.height) return undefined;
    const pixel = y * found.width + x;
    return { x, y, probability: found.probability[pixel], isInField: found.field[pixel] === 1 };
  },

  /** Begins to draw on a copy of the truth of the photograph that is shown, or of what was found in it. */
  beginCorrecting(): boolean {
    if (found === undefined || shownId === undefined) return false;
    const { width, height } = found;
    const data = found.truth ?? calledVessel(found, look.threshold, look.fieldOnly);
    correcting = { brush: brushOf({ width, height, data }), id: shownId };
    repaint();
    redraw();
    return true;
  },

  stroke({ from, to, radius, isMarking, isFirst }: Stroke): void {
    if (correcting === undefined) return;
    if (isFirst) correcting.brush.begin();
    repaintMask(correcting.brush.line(from, to, radius, isMarking));
    redraw();
  },

  /** Takes the last stroke back. */
  undo(): void {
    if (correcting === undefined) return;
    repaintMask(correcting.brush.undo());
    redraw();
  },

  /** Ends it, and gives the mask, a byte a pixel. */
  endCorrecting(): Blob | undefined {
    const mask = correcting?.brush.mask;
    correcting = undefined;
    repaint();
    redraw();
    return mask && new Blob([mask.data as Uint8Array<ArrayBuffer>]);
  },

  /** Counts anew, where a truth or a field of view has been added. */
  async judge(blobs: FoundBlobs): Promise<Tally> {
    return tallyOf(await openFound({ width: 0, height: 0 }, blobs));
  },

  /** Writes a result as a PNG file, in the photograph's own size. */
  async png({ file, width, height, found: blobs }: Saved, kind: Download, style: Look): Promise<Blob> {
    const own = await openFound({ width, height }, blobs);
    if (kind === "truth") return maskPng(width, height, own.truth ?? new Uint8Array(width * height));
    if (kind === "probability") return probabilityPng(width, height, own.probability);
    if (kind === "mask") return maskPng(width, height, calledVessel(own, style.threshold, style.fieldOnly));
    const over = new OffscreenCanvas(width, height);
    over.getContext("2d")!.putImageData(paint(own, style.layer, style.threshold, style.fieldOnly), 0, 0);
    const whole = new OffscreenCanvas(width, height);
    const drawing = whole.getContext("2d", { alpha: false })!;
    const bitmap = await decodePicture(file);
    drawing.drawImage(bitmap, 0, 0);
    bitmap.close();
    drawing.globalAlpha = style.opacity;
    drawing.drawImage(over, 0, 0);
    return whole.convertToBlob({ type: "image/png" });
  },
};

/** What the page may ask of this worker. */
export type ViewWorker = typeof api;

expose(api);
