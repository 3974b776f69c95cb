import { Tensor } from "onnxruntime-node";
import { describe, expect, test } from "vitest";
import { runModel } from "../../test/onnx-runtime.ts";
import { operators } from "../../test/operators.ts";
import { attribute } from "./attributes.ts";
import { modelBuilder } from "./builder.ts";
import { checkModel } from "./check/check-model.ts";
import { inlineFunctions } from "./inline-functions.ts";
import type { Attribute, FunctionDefinition, Graph, Model, Node } from "./model.ts";

const node = (
  opType: string,
  [inputs, outputs]: readonly [readonly string[], readonly string[]],
  attributes: readonly Attribute[] = [],
): Node => ({ opType, inputs, outputs, attributes, metadata: [] });
const own = (of: Node): Node => ({ ...of, domain: "my" });

function definition(
  name: string,
  nodes: readonly Node[],
  rest: Partial<FunctionDefinition> = {},
): FunctionDefinition {
  return {
    name,
    domain: "my",
    inputs: ["x"],
    outputs: ["y"],
    attributes: [],
    attributeDefaults: [],
    nodes,
    opsetImports: [
      { domain: "", version: 21n },
      { domain: "my", version: 1n },
    ],
    valueInfos: [],
    metadata: [],
    ...rest,
  };
}

/** A model that calls `my.F` twice, one call after the other. */
function callTwice(functions: readonly FunctionDefinition[], alpha?: number): Model {
  const g = modelBuilder({ operators });
  const attributes: Record<string, { kind: "float"; value: number }> =
    alpha === undefined ? {} : { alpha: { kind: "float", value: alpha } };
  const first = g.op({ type: "F", domain: "my" }, [g.input("x", "float32", [3])], attributes);
  g.output(g.op({ type: "F", domain: "my" }, [first]), { name: "out" });
  return { ...g.finish(), functions };
}

async function expectSame(model: Model): Promise<Model> {
  const inlined = inlineFunctions(model);
  expect(inlined.functions).toEqual([]);
  expect(checkModel(inlined, operators).filter(({ code }) => code !== "unknown-domain")).toEqual(
    [],
  );
  const x = { x: new Tensor("float32", [-1, 0.5, 2], [3]) };
  const [before, after] = [await runModel(model, x), await runModel(inlined, x)];
  expect(after["out"]?.data).toEqual(before["out"]?.data);
  return inlined;
}

const leaky = definition(
  "F",
  [
    node(
      "LeakyRelu",
      [["x"], ["h"]],
      [{ name: "alpha", kind: "reference", value: "alpha", type: 1 }],
    ),
    node("Add", [["h", "x"], ["y"]]),
  ],
  { attributeDefaults: [attribute.float("alpha", 0.25)] },
);

// Oracle: ONNX Runtime inlines functions by itself.
describe("the model computes the same without its functions", () => {
  test("with attributes given and by default, under names of their own", async () => {
    const inlined = await expectSame(callTwice([leaky], 0.5));
    expect(inlined.graph?.nodes.map(({ opType, name }) => `${opType} ${name}`)).toEqual([
      "LeakyRelu f1/leakyrelu",
      "Add f1/add",
      "LeakyRelu f2/leakyrelu",
      "Add f2/add",
    ]);
  });
  test("when functions call functions", async () => {
    const inner = definition("G", [node("Exp", [["x"], ["y"]])]);
    const outer = definition("F", [
      own(node("G", [["x"], ["h"]])),
      own(node("G", [["h"], ["k"]])),
      node("Tanh", [["k"], ["y"]]),
    ]);
    const inlined = await expectSame(callTwice([outer, inner]));
    expect(inlined.graph?.nodes.map(({ opType }) => opType).join(" ")).toBe(
      "Exp Exp Tanh Exp Exp Tanh",
    );
  });
  test("when a sub-graph of the function reads its values", async () => {
    const branch = (opType: string): Graph => ({
      name: opType,
      nodes: [node(opType, [["h"], ["r"]])],
      inputs: [],
      outputs: [{ name: "r", metadata: [] }],
      initializers: [],
      sparseInitializers: [],
      valueInfos: [],
      metadata: [],
    });
    await expectSame(
      callTwice([
        definition("F", [
          node("Neg", [["x"], ["h"]]),
          node("ReduceSum", [["x"], ["sum"]], [attribute.int("keepdims", 0)]),
          node("Cast", [["sum"], ["positive"]], [attribute.int("to", 9)]),
          node(
            "If",
            [["positive"], ["y"]],
            [
              attribute.graph("then_branch", branch("Abs")),
              attribute.graph("else_branch", branch("Exp")),
            ],
          ),
        ]),
      ]),
    );
  });
});

test("a function that hands on its input becomes a copy", () => {
  const inlined = inlineFunctions(callTwice([definition("F", [], { outputs: ["x"] })]));
  expect(inlined.graph?.nodes.map(({ opType }) => opType)).toEqual(["Identity", "Identity"]);
  expect(checkModel(inlined, operators).filter(({ severity }) => severity === "error")).toEqual([]);
});

describe("refused", () => {
  test("recursion, with the circle", () => {
    const f = definition("F", [own(node("G", [["x"], ["y"]]))]);
    const g = definition("G", [own(node("F", [["x"], ["y"]]))]);
    expect(() => inlineFunctions(callTwice([f, g]))).toThrow(/F -> G -> F/);
  });
  test("another opset", () => {
    const old = { ...leaky, opsetImports: [{ domain: "", version: 15n }] };
    expect(() => inlineFunctions(callTwice([old]))).toThrow(/ai.onnx 15 where the model speaks 21/);
  });
  const chain = (levels: number, calls: 1 | 2) =>
    Array.from({ length: levels }, (_, level) =>
      definition(
        level === 0 ? "F" : `F${level}`,
        level === levels - 1
          ? [node("Neg", [["x"], ["y"]])]
          : [
              own(node(`F${level + 1}`, [["x"], ["h"]])),
              calls === 2
                ? own(node(`F${level + 1}`, [["h"], ["y"]]))
                : node("Abs", [["h"], ["y"]]),
            ],
      ),
    );
  test("functions that double forty times over", () => {
    expect(() => inlineFunctions(callTwice(chain(40, 2)))).toThrow(/more than 1000000 nodes/);
  });
  test("a chain of ten thousand calls", () => {
    expect(() => inlineFunctions(callTwice(chain(10_000, 1)))).toThrow(/nested deeper than 64/);
  });
});
