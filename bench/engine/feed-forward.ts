// The feed-forward block of a small transformer: two dense layers, 18.9 MB of weights.

import { createRandom } from "../../src/core/index.ts";
import { graphLiteral, node, port } from "../../src/engine/graph-literal.ts";
import { type Model, tensorOf } from "../../src/onnx/index.ts";

const [WIDTH, INNER] = [768, 3072];

/** The block for a batch, weights drawn at random. */
export function feedForward(batch: number): Model {
  const random = createRandom(1);
  const weights = (name: string, dims: readonly [number, number]) =>
    tensorOf("float32", {
      name,
      dims,
      values: Float32Array.from({ length: dims[0] * dims[1] }, () => 0.02 * random.normal()),
    });
  return graphLiteral(
    [
      node("MatMul", ["x", "w1"], ["h"]),
      node("Relu", ["h"], ["r"]),
      node("MatMul", ["r", "w2"], ["y"]),
    ],
    [port("x", "float32", [batch, WIDTH])],
    [port("y", "float32", [batch, WIDTH])],
    [weights("w1", [WIDTH, INNER]), weights("w2", [INNER, WIDTH])],
  );
}
