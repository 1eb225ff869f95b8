// Where the page has the model's weights from, in place of the model's own `#host`: a file of its own, which the build stores in
// 16 bits. The model would bring a module, of which every worker here that is built by itself would get a copy.

/** The weights that the page ships. */
export async function readBundledWeights(): Promise<Uint8Array> {
  const url = new URL("../../model/weights/sa-unet-v2.safetensors", import.meta.url);
  const response = await fetch(url);
  if (!response.ok) throw new Error(`the weights did not come: ${response.status} ${response.statusText}`);
  return new Uint8Array(await response.arrayBuffer());
}

/** A browser has no paths: everything is fetched. */
export async function readLocal(): Promise<undefined> {
  return undefined;
}
