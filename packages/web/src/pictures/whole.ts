// Whether a picture's file is all there. Browsers differ: Firefox draws the part of a JPEG that has come and leaves the
// rest grey, and such a picture must not be segmented. Each kind of file tells by its structure where it ends; whatever
// follows that end (cameras add previews) is ignored. TIFF and Netpbm are checked where they are decoded.

type Check = (bytes: Uint8Array, view: DataView) => boolean;

const text = (bytes: Uint8Array, at: number, length: number): string =>
  String.fromCharCode(...bytes.subarray(at, at + length));

/** Segments with a length each, scans of coded data after SOS, and EOI at the end (ITU-T T.81, annex B). */
const isWholeJpeg: Check = (bytes, view) => {
  const [END_OF_IMAGE, START_OF_SCAN] = [0xd9, 0xda];
  const standsAlone = (marker: number) => marker === 0x01 || (marker >= 0xd0 && marker <= 0xd8);
  let at = 2;
  while (at + 1 < bytes.length) {
    if (bytes[at] !== 0xff) return false;
    const marker = bytes[at + 1];
    if (marker === END_OF_IMAGE) return true;
    // Any number of FF may stand before a marker.
    at += marker === 0xff ? 1 : 2;
    if (marker === 0xff || standsAlone(marker)) continue;
    if (at + 2 > bytes.length) return false;
    at += view.getUint16(at);
    if (marker === START_OF_SCAN) at = endOfScan(bytes, at);
  }
  return false;
};

/** Why such a picture is not read. */
export const INKS =
  "holds amounts of inks (CMYK): no two browsers make the same colours of them; save it as RGB";

/**
 * Whether a JPEG holds four amounts of ink a pixel: its frame (SOF) says of how many components it is.
 */
export function isCmykJpeg(bytes: Uint8Array): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const START_OF_SCAN = 0xda;
  // C4, C8 and CC lie between the markers of frames, and are none.
  const isFrame = (marker: number) =>
    marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
  let at = 2;
  while (at + 10 <= bytes.length && bytes[at] === 0xff && bytes[at + 1] !== START_OF_SCAN) {
    if (isFrame(bytes[at + 1])) return bytes[at + 9] === 4;
    at += bytes[at + 1] === 0xff ? 1 : 2 + view.getUint16(at + 2);
  }
  return false;
}

/** Coded data holds FF only before 00 and in restart markers. */
function endOfScan(bytes: Uint8Array, start: number): number {
  let at = bytes.indexOf(0xff, start);
  while (at !== -1) {
    const next = bytes[at + 1];
    if (next !== 0x00 && !(next >= 0xd0 && next <= 0xd7)) return at;
    at = bytes.indexOf(0xff, at + 2);
  }
  return bytes.length;
}

/** Chunks of length, type, data and CRC, the last one IEND. */
const isWholePng: Check = (bytes, view) => {
  for (let at = 8; at + 12 <= bytes.length; at += 12 + view.getUint32(at))
    if (text(bytes, at + 4, 4) === "IEND") return true;
  return false;
};

/** Blocks up to the end of the first picture, which is the one that is shown. */
const isWholeGif: Check = (bytes) => {
  const [EXTENSION, IMAGE] = [0x21, 0x2c];
  const colours = (flags: number) => (flags & 0x80 ? 3 * 2 ** ((flags & 7) + 1) : 0);
  let at = 13 + colours(bytes[10]);
  while (at < bytes.length) {
    const kind = bytes[at];
    if (kind !== EXTENSION && kind !== IMAGE) return false;
    at += kind === EXTENSION ? 2 : 11 + colours(bytes[at + 9]);
    // Data comes in blocks that begin with their length; one of length 0 ends them.
    while (bytes[at] > 0) at += 1 + bytes[at];
    if (kind === IMAGE) return at < bytes.length;
    at++;
  }
  return false;
};

const isWholeWebp: Check = (bytes, view) => 8 + view.getUint32(4, true) <= bytes.length;

const isWholeBmp: Check = (bytes, view) => {
  const [start, headerSize] = [view.getUint32(10, true), view.getUint32(14, true)];
  // The header of OS/2 is shorter, and says nothing of the data's size.
  if (headerSize < 40) return start < bytes.length;
  const [width, height] = [Math.abs(view.getInt32(18, true)), Math.abs(view.getInt32(22, true))];
  const [bits, compression] = [view.getUint16(28, true), view.getUint32(30, true)];
  // Rows are padded to four bytes where they are not compressed (0), nor in bit fields (3).
  const isPlain = compression === 0 || compression === 3;
  const size = isPlain ? 4 * Math.ceil((width * bits) / 32) * height : view.getUint32(34, true);
  return start + size <= bytes.length;
};

/**
 * Boxes of size and type (ISO/IEC 14496-12), the picture's data among them. A size of 1 stands for one of 64 bits, 0 for
 * the rest of the file.
 */
const isWholeAvif: Check = (bytes, view) => {
  let at = 0;
  let hasData = false;
  while (at + 16 <= bytes.length) {
    const size = view.getUint32(at);
    hasData ||= text(bytes, at + 4, 4) === "mdat";
    if (size === 0) return hasData;
    at += size === 1 ? Number(view.getBigUint64(at + 8)) : size;
  }
  return hasData && at === bytes.length;
};

const CHECKS: Readonly<Record<string, Check>> = {
  jpg: isWholeJpeg,
  png: isWholePng,
  gif: isWholeGif,
  webp: isWholeWebp,
  bmp: isWholeBmp,
  avif: isWholeAvif,
};

/** Whether nothing is missing at the end of a file of this kind; true for kinds that are checked elsewhere. */
export function isWhole(kind: string, bytes: Uint8Array): boolean {
  try {
    return CHECKS[kind]?.(bytes, new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)) ?? true;
  } catch (error) {
    // A number was to be read past the end.
    if (error instanceof RangeError) return false;
    throw error;
  }
}
