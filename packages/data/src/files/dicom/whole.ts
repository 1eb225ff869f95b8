// Whether the pixels of a DICOM file are all there. dcmjs fills up with zeros what a file that was cut short lacks, and a decoder
// that gets half of a JPEG paints the rest grey: both would be segmented like any photograph.

const IMPLICIT = "1.2.840.10008.1.2";
const UNDEFINED = 0xffffffff;
/** Pixel Data (7FE0,0010), an item (FFFE,E000) and the end of a sequence (FFFE,E0DD), as little-endian words. */
const [PIXEL_DATA, ITEM, END] = [0x00107fe0, 0xe000fffe, 0xe0ddfffe];
/** The VRs that Pixel Data may have; explicit syntaxes write them behind the tag. */
const VRS = ["OB", "OW"];

/** Whether a file ends within an element of pixels: its own, or an icon's. */
export function isCutShort(bytes: Uint8Array, transferSyntax: string): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const isExplicit = transferSyntax !== IMPLICIT;
  const header = isExplicit ? 12 : 8;
  let at = 0;
  for (;;) {
    // The first byte of the tag, which the engine searches for faster than a loop does.
    at = bytes.indexOf(0xe0, at);
    if (at === -1 || at + 4 > bytes.length) return false;
    const isPixels =
      view.getUint32(at, true) === PIXEL_DATA &&
      (!isExplicit || VRS.includes(String.fromCharCode(...bytes.subarray(at + 4, at + 6))));
    if (!isPixels) {
      at++;
      continue;
    }
    if (at + header > bytes.length) return true;
    const length = view.getUint32(at + header - 4, true);
    at = length === UNDEFINED ? endOfItems(view, at + header) : at + header + length;
    if (at > bytes.length) return true;
  }
}

/** Where a sequence of items ends; beyond the file where that lacks its end. */
function endOfItems(view: DataView, start: number): number {
  let at = start;
  while (at + 8 <= view.byteLength) {
    const tag = view.getUint32(at, true);
    if (tag === END) return at + 8;
    if (tag !== ITEM) break;
    at += 8 + view.getUint32(at + 4, true);
  }
  return Number.POSITIVE_INFINITY;
}
