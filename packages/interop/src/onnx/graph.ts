// Collects the operators and constants of an ONNX graph. Values are known by name: an operator takes the names of
// what it reads and gives the name of what it makes.

import type { Shape } from "@saunet/core";
import { sizeOf } from "@saunet/core/kernels";
import {
  type AttributeProto,
  AttributeType,
  ElementType,
  type NodeProto,
  type TensorProto,
} from "./schema.ts";

/** What an attribute may be: an integer, a list of them, or a float (said so, for 1 is both). */
export type AttributeValue = number | readonly number[] | { readonly float: number };

/** The graph so far. */
export class GraphBuilder {
  readonly nodes: NodeProto[] = [];
  readonly initializers: TensorProto[] = [];
  readonly #names = new Set<string>();

  /** Adds an operator with one result; the result has the operator's name. */
  node(
    opType: string,
    name: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, AttributeValue>> = {},
  ): string {
    const attribute = Object.entries(attributes).map(([key, value]) => attributeOf(key, value));
    this.nodes.push({ name, opType, input: inputs, output: [this.#claim(name)], attribute });
    return name;
  }

  /** Adds constant floats. */
  floats(name: string, shape: Shape, values: Float32Array): string {
    if (values.length !== sizeOf(shape)) {
      throw new RangeError(`onnx: ${name} wants ${sizeOf(shape)} numbers but has ${values.length}`);
    }
    const rawData = new Uint8Array(4 * values.length);
    const view = new DataView(rawData.buffer);
    values.forEach((value, i) => {
      view.setFloat32(4 * i, value, true);
    });
    return this.#constant({ name, dims: shape, dataType: ElementType.float, rawData });
  }

  /** Adds constant integers of 64 bits, as shapes and axes have them. */
  integers(name: string, values: readonly number[]): string {
    const rawData = new Uint8Array(8 * values.length);
    const view = new DataView(rawData.buffer);
    values.forEach((value, i) => {
      view.setBigInt64(8 * i, BigInt(value), true);
    });
    return this.#constant({ name, dims: [values.length], dataType: ElementType.int64, rawData });
  }

  #constant(tensor: TensorProto): string {
    this.initializers.push(tensor);
    return this.#claim(tensor.name);
  }

  #claim(name: string): string {
    if (this.#names.has(name)) throw new Error(`onnx: the graph has two values named ${name}`);
    this.#names.add(name);
    return name;
  }
}

function attributeOf(name: string, value: AttributeValue): AttributeProto {
  if (typeof value === "number") return { name, type: AttributeType.int, i: value };
  if ("float" in value) return { name, type: AttributeType.float, f: value.float };
  return { name, type: AttributeType.ints, ints: value };
}
