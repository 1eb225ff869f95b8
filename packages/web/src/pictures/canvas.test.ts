// What a canvas does for pictures, over one that is played; and DICOM, whose reader is fetched with the first file.

import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Picture } from "./testing.ts";

const asked: { width: number; height: number; options: unknown; drawn: unknown[]; isThere: boolean }[] = [];
let hasRoom = true;

class Canvas {
  readonly own: (typeof asked)[number];
  constructor(width: number, height: number) {
    this.own = { width, height, options: undefined, drawn: [], isThere: hasRoom };
    asked.push(this.own);
  }
  getContext(_: "2d", options: unknown) {
    this.own.options = options;
    if (!this.own.isThere) return null;
    return {
      drawImage: (...of: unknown[]) => this.own.drawn.push(of),
      putImageData: (...of: unknown[]) => this.own.drawn.push(of),
      getImageData: (...of: unknown[]) => ({ of, data: new Uint8ClampedArray(4) }),
    };
  }
  async convertToBlob(options: { type: string }) {
    return new Blob(["x"], options);
  }
}

beforeEach(() => {
  asked.length = 0;
  hasRoom = true;
  vi.resetModules();
  vi.stubGlobal("OffscreenCanvas", Canvas);
  vi.stubGlobal("ImageData", Picture);
  vi.stubGlobal("createImageBitmap", async (source: unknown) => ({ source }));
});
afterEach(() => void vi.unstubAllGlobals());

it("reads a bitmap's pixels over black, all of them, and says where it is too large", async () => {
  const { pixelsOf } = await import("./decode.ts");
  const bitmap = { width: 5, height: 4 } as ImageBitmap;
  expect(pixelsOf(bitmap)).toMatchObject({ of: [0, 0, 5, 4] });
  expect(asked).toMatchObject([
    { width: 5, height: 4, options: { alpha: false, willReadFrequently: true }, drawn: [[bitmap, 0, 0]] },
  ]);
  hasRoom = false;
  expect(() => pixelsOf(bitmap)).toThrow("is too large for this browser (5 × 4 pixels)");
});

it("writes a photograph as a PNG file", async () => {
  const { pngOf } = await import("./decode.ts");
  const pixels = { width: 5, height: 4 } as ImageData;
  const blob = await pngOf(pixels);
  expect(blob.type).toBe("image/png");
  expect(asked).toMatchObject([{ width: 5, height: 4, drawn: [[pixels, 0, 0]] }]);
});

/** The beginning of a DICOM file. */
const dicom = () => {
  const bytes = new Uint8Array(400);
  bytes.set(new TextEncoder().encode("DICM"), 128);
  return new Blob([bytes]);
};

it("reads DICOM by the reader that is fetched with the first file, and says where that failed", async () => {
  const picture = { width: 1, height: 1, data: Uint8ClampedArray.of(1, 2, 3, 255) };
  vi.doMock("./dicom.ts", () => ({ decodeDicomFile: async () => picture }));
  const { decodePicture } = await import("./decode.ts");
  expect(await decodePicture(dicom())).toEqual({ source: new Picture(picture.data, 1, 1) });
  vi.resetModules();
  vi.doMock("./dicom.ts", () => {
    throw new Error("offline");
  });
  const later = await import("./decode.ts");
  await expect(later.decodePicture(dicom())).rejects.toThrow(
    "is a DICOM file, and what reads those is fetched with the first one, which failed",
  );
  vi.doUnmock("./dicom.ts");
});

it("says where a packed file unpacks to too much", async () => {
  vi.doMock("./gzip.ts", () => ({ isGzip: () => true, unpack: async () => undefined }));
  const { decodePicture } = await import("./decode.ts");
  await expect(decodePicture(new Blob(["x"]))).rejects.toThrow(
    "unpacks to more than 512 MB; unpack it before",
  );
  vi.doUnmock("./gzip.ts");
});
