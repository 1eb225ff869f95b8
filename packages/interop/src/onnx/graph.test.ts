import { describe, expect, it } from "vitest";
import { GraphBuilder } from "./graph.ts";

describe("GraphBuilder", () => {
  it.each<[string, (graph: GraphBuilder) => string, Error]>([
    [
      "fewer numbers than a shape has",
      (graph) => graph.floats("scale", [2, 3], new Float32Array(5)),
      new RangeError("onnx: scale wants 6 numbers but has 5"),
    ],
    [
      "more numbers than a shape has",
      (graph) => graph.floats("scale", [], new Float32Array(2)),
      new RangeError("onnx: scale wants 1 numbers but has 2"),
    ],
    [
      "a name for a second operator",
      (graph) => graph.node("Relu", "known", ["image"]),
      new Error("onnx: the graph has two values named known"),
    ],
    [
      "a name for a constant of floats as well",
      (graph) => graph.floats("known", [1], Float32Array.of(1)),
      new Error("onnx: the graph has two values named known"),
    ],
    [
      "a name for a constant of integers as well",
      (graph) => graph.integers("known", [1]),
      new Error("onnx: the graph has two values named known"),
    ],
  ])("refuses %s", (_, add, error) => {
    const graph = new GraphBuilder();
    graph.node("Sigmoid", "known", ["image"]);
    expect(() => add(graph)).toThrow(error);
  });
});
