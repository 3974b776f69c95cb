import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { modelFile, modelNames } from "../../../test/shared-data.ts";
import {
  attribute,
  decodeModel,
  type Graph,
  type Model,
  memorySource,
  type Node,
  tensorOf,
} from "../../onnx/index.ts";
import { nodeOf } from "./node-of.ts";
import { nodesWithSubGraphs, reasonLeft } from "./sub-graphs.ts";

const weights = (name: string, count: number) =>
  tensorOf("float32", { name, dims: [count], values: new Float32Array(count) });

const graphOf = (nodes: readonly Node[], stored: readonly number[] = []): Graph => ({
  ...{ name: "graph", nodes, inputs: [], outputs: [], sparseInitializers: [], valueInfos: [] },
  initializers: stored.map((count, at) => weights(`w${at}`, count)),
  metadata: [],
});

const modelOf = (graph: Graph): Model => ({
  ...{ irVersion: 10n, opsetImports: [{ domain: "", version: 21n }], metadata: [], functions: [] },
  graph,
});

describe("nodes that others lie inside of", () => {
  test("are counted with all that is inside, whatever the depth", () => {
    const body = graphOf([nodeOf("Relu", ["x"], { outputs: ["y"] })], [5]);
    const loop = nodeOf("Loop", ["n", ""], {
      outputs: ["z"],
      attributes: [attribute.graph("body", body)],
    });
    const constant = nodeOf("Constant", [], {
      outputs: ["c"],
      attributes: [attribute.tensor("value", weights("c", 7))],
    });
    const branches = nodeOf("If", ["condition"], {
      outputs: ["out"],
      attributes: [
        attribute.graph("then_branch", graphOf([loop], [2, 3])),
        attribute.graph("else_branch", graphOf([constant])),
      ],
    });
    const model = modelOf(graphOf([nodeOf("Relu", ["a"], { outputs: ["b"] }), branches], [100]));
    const [found, ...more] = nodesWithSubGraphs(model);
    expect(more).toEqual([]);
    expect(found).toEqual({ name: "out", opType: "If", nodes: 3, weights: 5 + 2 + 3 + 7 });
    expect(found && reasonLeft(found)).toBe(
      "3 nodes and 17 weights lie inside of If, which no pass changes",
    );
  });

  test.skipIf(!modelNames.includes("silero_vad_v5.onnx"))("are nearly all of Silero", () => {
    const model = decodeModel(memorySource(readFileSync(modelFile("silero_vad_v5.onnx"))));
    const [found, ...more] = nodesWithSubGraphs(model);
    expect(more).toEqual([]);
    expect(found?.opType).toBe("If");
    // 25 If in all, one of which is the node itself; 545,286 parameters and the constants of shapes.
    expect(found?.weights).toBeGreaterThanOrEqual(545_286);
    expect(found?.weights).toBeLessThan(546_000);
  });
});
