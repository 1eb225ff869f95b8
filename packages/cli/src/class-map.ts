// Maps of classes as pictures: a PNG with indexed colours, whose numbers are the classes, and an overlay.

import { type ClassMap, overlay, type Photograph } from "@saunet/data";
import { encode } from "fast-png";

type Colour = readonly [red: number, green: number, blue: number];

/** Black, then colours that people of all kinds of sight tell apart (Okabe and Ito, 2008), from the eighth class on again. */
const COLOURS: readonly Colour[] = [
  [213, 94, 0],
  [0, 114, 178],
  [0, 158, 115],
  [240, 228, 66],
  [204, 121, 167],
  [86, 180, 233],
  [230, 159, 0],
];

function colourOf(number: number): Colour {
  return number === 0 ? [0, 0, 0] : COLOURS[(number - 1) % COLOURS.length];
}

/** The colour of a class as `#d55e00`. */
export function hexOf(number: number): string {
  return `#${colourOf(number)
    .map((part) => part.toString(16).padStart(2, "0"))
    .join("")}`;
}

/** A map as the bytes of a PNG with indexed colours, whose text says which number and colour is which class. */
export function encodeClassMap({ width, height, data }: ClassMap, names: readonly string[]): Uint8Array {
  const legend = names.map((name, number) => `${number} ${name} ${hexOf(number)}`).join("; ");
  // Texts of a PNG are Latin-1.
  const comment = `classes: ${legend}`.replace(/[^\x20-\x7e\xa0-\xff]/g, "?");
  return encode({
    width,
    height,
    data: Uint8Array.from(data),
    channels: 1,
    depth: 8,
    palette: names.map((_, number) => [...colourOf(number)]),
    text: { Comment: comment },
  });
}

/** The photograph with every class but the background in its colour. */
export function overlayClasses(
  photograph: Photograph,
  { width, height, data }: ClassMap,
  names: readonly string[],
): Photograph {
  return names.slice(1).reduce((drawn, _, at) => {
    const mask = { width, height, data: data.map((number) => (number === at + 1 ? 1 : 0)) };
    return overlay(drawn, mask, { colour: colourOf(at + 1) });
  }, photograph);
}
