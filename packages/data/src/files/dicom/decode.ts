// DICOM photographs from bytes: in browsers as in Node.

import type { Photograph } from "../../image.ts";
import { ImageFileError } from "../errors.ts";
import { expectFits, type ReadOptions } from "../open-picture.ts";
import { photographFrom } from "../photograph.ts";
import { openDicom } from "./file.ts";
import { isDicom } from "./head.ts";
import { dicomPicture } from "./picture.ts";

/**
 * Decodes a DICOM photograph from the bytes of a file, as `readPhotograph` of `@saunet/data/files` does from a path; browsers
 * can, too.
 *
 * In a browser, `dcmjs-codecs` gets what unpacks JPEG and its like from `dcmjs-native-codecs.wasm` beside the page, and calls
 * `eval` for that, which a content security policy may forbid.
 *
 * @param bytes the whole file; they are not changed
 * @param options `name` stands for the path in errors: default `photograph`
 * @throws ImageFileError where the file is no DICOM file, damaged, larger than `maxPixels`, or something else than a photograph
 * @example
 * import { readFile } from "node:fs/promises";
 * import { decodeDicom } from "@saunet/data/dicom";
 *
 * const { width, height } = await decodeDicom(await readFile("fixtures/dicom/jpeg-2000.dcm"));
 * console.log(width, height); // 48 40
 * try { await decodeDicom(await readFile("fixtures/dicom/tomography.dcm"), { name: "eye.dcm" }); }
 * catch (error) { console.log(error.message); } // eye.dcm: is a DICOM file, but no photograph of the eye: Ophthalmic Tomography Image
 */
export async function decodeDicom(
  bytes: Uint8Array,
  { name = "photograph", ...options }: ReadOptions & { readonly name?: string } = {},
): Promise<Photograph> {
  if (!isDicom(bytes)) throw new ImageFileError(name, "is no DICOM file");
  const picture = expectFits(name, dicomPicture(await openDicom(name, bytes)), options);
  return photographFrom(name, await picture.decode());
}
