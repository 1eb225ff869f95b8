// Bytes around the pixels of a DICOM file, in each way that a transfer syntax writes them.

import { expect, it } from "vitest";
import { isCutShort } from "./whole.ts";

const EXPLICIT = "1.2.840.10008.1.2.1";
const IMPLICIT = "1.2.840.10008.1.2";

const word = (value: number) => [0, 8, 16, 24].map((shift) => (value >>> shift) & 0xff);
const explicit = (length: number) => [0xe0, 0x7f, 0x10, 0x00, 0x4f, 0x57, 0, 0, ...word(length)];
const implicit = (length: number) => [0xe0, 0x7f, 0x10, 0x00, ...word(length)];
const item = (...bytes: number[]) => [0xfe, 0xff, 0x00, 0xe0, ...word(bytes.length), ...bytes];
const end = [0xfe, 0xff, 0xdd, 0xe0, ...word(0)];

it.each<[string, string, number[]]>([
  ["explicit lengths", EXPLICIT, [...explicit(4), 1, 2, 3, 4]],
  ["implicit types", IMPLICIT, [...implicit(4), 1, 2, 3, 4]],
  ["items", EXPLICIT, [...explicit(0xffffffff), ...item(), ...item(1, 2, 3, 4), ...end]],
])("pixels by %s are whole up to their last byte, whatever stands around them", (_, syntax, pixels) => {
  const icon = syntax === EXPLICIT ? [...explicit(2), 1, 2] : [...implicit(2), 1, 2];
  // So many bytes tell a tag of pixels from what begins like it.
  const told = syntax === EXPLICIT ? 6 : 4;
  for (const before of [[], [0xe0], [0xe0, 0x7f, 0x10, 0x01], [9, 9, 9], icon]) {
    for (const after of [[], [0xe0], [0xe0, 0x7f], [0xe0, 0x7f, 0x10], [7, 0xe0, 0x7f, 0x11, 0, 0]])
      expect(isCutShort(Uint8Array.from([...before, ...pixels, ...after]), syntax)).toBe(false);
    for (let length = told; length < pixels.length; length++) {
      const cut = Uint8Array.from([...before, ...pixels.slice(0, length)]);
      expect(isCutShort(cut, syntax), `${length}`).toBe(true);
    }
  }
});
