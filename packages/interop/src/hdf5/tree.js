// What an HDF5 file holds, as plain objects. This runs in a worker: h5wasm is the HDF5 library itself, compiled from
// C, and a damaged file may exhaust or abort it, or send it in circles. Nothing of that reaches the caller's thread.
//
// It is JavaScript, with its types in comments, because the host loads a worker by itself, also in tests, where
// nothing compiles what it loads.

import h5wasm from "h5wasm";
import { takeTrace } from "./surroundings.js";

/**
 * @typedef {{ path: string, attributes: Record<string, string | string[]> }} Hdf5Group attributes that hold text
 * @typedef {{ path: string, shape: number[], values: Float32Array | undefined }} Hdf5Dataset values where they are floats
 * @typedef {{ groups: Hdf5Group[], datasets: Hdf5Dataset[] }} Hdf5Tree
 * @typedef {{ tree: Hdf5Tree } | { fault: string }} Hdf5Answer
 */

/** What a file of this purpose stays below (the first U-Net had 31 million numbers); a damaged one may claim anything. */
const MAX_OBJECTS = 50_000;
const MAX_DEPTH = 20;
const MAX_NUMBERS = 2 ** 25;
const MAX_TEXTS = 100_000;
const MAX_TEXT_BYTES = 2 ** 25;

/** HDF5's numbers for the classes of types. */
const FLOAT = 1;
const TEXT = 3;

/** A reason to refuse a file, in words for whoever named it. */
class Fault extends Error {}

/**
 * Reads every group and dataset but those below `skip`.
 *
 * @param {Uint8Array} bytes
 * @param {readonly string[]} skip names at the top
 * @returns {Promise<Hdf5Answer>}
 */
export async function readTree(bytes, skip) {
  const { FS } = await h5wasm.ready;
  takeTrace();
  try {
    FS.writeFile("/file.h5", bytes);
    const file = new h5wasm.File("/file.h5", "r");
    if (file.file_id < 0n) throw new Fault(innermost() ?? "cannot be opened");
    try {
      return { tree: walk(file, skip) };
    } finally {
      file.close();
    }
  } catch (error) {
    // Whatever else is thrown stems from a library that was fed a damaged file: its trace says more.
    const reason = error instanceof Fault ? error.message : (innermost() ?? String(error));
    return { fault: reason };
  }
}

/** The deepest message of the first trace: `  #006: …/H5Fsuper.c line 577 in H5F__super_read(): truncated file: …`. */
function innermost() {
  const [, first] = takeTrace().split("HDF5-DIAG");
  return first
    ?.split("\n")
    .findLast((line) => /^\s+#\d+:/.test(line))
    ?.replace(/^.*?\(\): /, "");
}

/**
 * h5wasm hands out whatever lay in its memory where reading failed, and tells nobody but the console.
 *
 * @param {string} path
 */
function expectNoTrace(path) {
  const reason = innermost();
  if (reason !== undefined) throw new Fault(`${path}: ${reason}`);
}

/**
 * @param {import("h5wasm").File} file
 * @param {readonly string[]} skip
 * @returns {Hdf5Tree}
 */
function walk(file, skip) {
  /** @type {Hdf5Tree} */
  const tree = { groups: [], datasets: [] };
  let numbers = 0;
  /** @type {(group: import("h5wasm").Group, path: string, depth: number) => void} */
  const visit = (group, path, depth) => {
    if (depth > MAX_DEPTH) throw new Fault(`nests groups deeper than ${MAX_DEPTH}`);
    if (tree.groups.length + tree.datasets.length > MAX_OBJECTS)
      throw new Fault(`holds more than ${MAX_OBJECTS} objects`);
    tree.groups.push({ path, attributes: textAttributes(group, path) });
    for (const name of group.keys()) {
      if (depth === 0 && skip.includes(name)) continue;
      const child = group.get(name);
      const childPath = path === "" ? name : `${path}/${name}`;
      if (child instanceof h5wasm.Dataset) {
        const dataset = readDataset(child, childPath, MAX_NUMBERS - numbers);
        numbers += dataset.values?.length ?? 0;
        tree.datasets.push(dataset);
      } else if (child instanceof h5wasm.Group) visit(child, childPath, depth + 1);
      else if (child === null) throw new Fault(`${childPath} cannot be read`);
    }
  };
  visit(file, "", 0);
  expectNoTrace("something in it");
  return tree;
}

/**
 * @param {import("h5wasm").Dataset} dataset
 * @param {string} path
 * @param {number} allowed how many numbers may still come
 * @returns {Hdf5Dataset}
 */
function readDataset(dataset, path, allowed) {
  const { type, size } = dataset.metadata;
  const shape = dataset.metadata.shape ?? [];
  if (type !== FLOAT) return { path, shape, values: undefined };
  if (size !== 4 && size !== 8) throw new Fault(`${path} has floats of ${8 * size} bits; 32 and 64 are read`);
  const count = shape.reduce((product, length) => product * length, 1);
  if (!(count <= allowed)) throw new Fault(`${path} claims a shape of [${shape}], more than is read`);
  const found = dataset.value;
  expectNoTrace(path);
  const values =
    typeof found === "number"
      ? Float32Array.of(found)
      : found instanceof Float32Array || found instanceof Float64Array
        ? Float32Array.from(found)
        : undefined;
  if (values?.length !== count)
    throw new Fault(`${path} does not hold the ${count} numbers of its shape [${shape}]`);
  return { path, shape, values };
}

/**
 * @param {import("h5wasm").Group} group
 * @param {string} path
 * @returns {Record<string, string | string[]>}
 */
function textAttributes(group, path) {
  /** @type {Record<string, string | string[]>} */
  const texts = {};
  for (const [name, attribute] of Object.entries(group.attrs)) {
    const { type, shape, size } = attribute.metadata;
    if (type !== TEXT) continue;
    const count = (shape ?? []).reduce((product, length) => product * length, 1);
    if (!(count <= MAX_TEXTS && count * size <= MAX_TEXT_BYTES))
      throw new Fault(`${path} claims ${count} texts of ${size} bytes in its attribute ${name}`);
    const { value } = attribute;
    expectNoTrace(path);
    if (typeof value === "string") texts[name] = value;
    else if (Array.isArray(value) && value.every((entry) => typeof entry === "string")) texts[name] = value;
    else throw new Fault(`${path} has an attribute ${name} that cannot be read`);
  }
  return texts;
}
