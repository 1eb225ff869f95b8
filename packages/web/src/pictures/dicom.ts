// DICOM, in which eye clinics keep their photographs: decoded by the command's own reader, with the libraries beneath it.

import { decodeDicom } from "@saunet/data/dicom";
import codecs from "dcmjs-codecs/build/dcmjs-native-codecs.wasm?url";
import { opaque } from "./paint.ts";

/** The library would fetch its codecs within an eval, which the page's policy forbids. */
async function fetchCodecs(): Promise<ArrayBuffer> {
  const response = await fetch(codecs);
  if (!response.ok) throw new Error(`${response.status} ${response.statusText}`);
  return response.arrayBuffer();
}

/**
 * The photograph.
 *
 * @throws ImageFileError where it is damaged, too large, or something else than a photograph
 */
export async function decodeDicomFile(bytes: Uint8Array): Promise<ImageData> {
  const { NativeCodecs } = await import("dcmjs-codecs");
  Object.assign(NativeCodecs, { _getWebAssemblyBytes: fetchCodecs });
  return opaque(await decodeDicom(bytes));
}
