// Models made to hurt: whatever they hold, inference comes to an end and hands back shapes that are
// shapes.

import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { modelFile, modelNames } from "../../../test/shared-data.ts";
import {
  floats,
  graph,
  ints,
  model,
  node,
  type SmallAttributes,
} from "../../../test/small-model.ts";
import { memorySource } from "../byte-source.ts";
import { decodeModel } from "../decode.ts";
import type { Attribute, FunctionDefinition, Graph, Model, Node } from "../model.ts";
import { inferShapes } from "./infer.ts";
import type { GraphShapes, InferredShapes } from "./inferred-shapes.ts";
import { OPERATORS } from "./operators.ts";

function expectShapes({ graph: main, faults, uninferred }: InferredShapes): void {
  const check = ({ values, bodies }: GraphShapes): void => {
    for (const [name, type] of values) {
      if (type.kind !== "tensor" || type.shape === null) continue;
      for (const size of type.shape) {
        const possible = typeof size !== "number" || (Number.isSafeInteger(size) && size >= 0);
        if (!possible) throw new Error(`"${name}" has a size of ${size}`);
      }
    }
    for (const { shapes } of [...bodies.values()].flat()) check(shapes);
  };
  check(main);
  expect(faults.length).toBeLessThanOrEqual(100);
  expect(Array.isArray(uninferred)).toBe(true);
}

const allOperators = Object.entries(OPERATORS).flatMap(([domain, rules]) =>
  Object.keys(rules).map((opType) => ({ domain, opType })),
);

const integer = fc.oneof(
  fc.integer({ min: -5, max: 9 }),
  fc.constantFrom(2 ** 31, -(2 ** 31), 2 ** 53, -(2 ** 63), 2 ** 62),
);

const attributeName = fc.constantFrom(
  ..."axis axes perm kernel_shape strides pads dilations group ceil_mode keepdims to shape split num_heads kv_num_heads batch_dims".split(
    " ",
  ),
  ..."num_outputs blocksize value_ints start end hidden_size num_scan_inputs scan_input_axes output_shape k allowzero N channels_last".split(
    " ",
  ),
);

const attributes: fc.Arbitrary<SmallAttributes> = fc.dictionary(
  attributeName,
  fc.oneof(integer, fc.array(integer, { maxLength: 5 })),
  { maxKeys: 4 },
);

const values = ["x", "image", "vector", "none", "ids", "small", "a", "b", "c", "d"];

const anyNode = fc
  .record({
    operator: fc.constantFrom(...allOperators),
    inputs: fc.array(fc.constantFrom(...values, "", "undefined"), { maxLength: 9 }),
    outputs: fc.uniqueArray(fc.constantFrom("a", "b", "c", "d"), { minLength: 1, maxLength: 3 }),
    attributes,
  })
  .map(({ operator, inputs, outputs, attributes: named }) =>
    node(operator.opType, [inputs, outputs], named, operator.domain),
  );

test("nodes of every operator with operands and attributes that make no sense", () => {
  fc.assert(
    fc.property(
      fc.array(anyNode, { minLength: 1, maxLength: 12 }),
      fc.array(integer, { maxLength: 8 }),
      fc.constantFrom(1, 7, 9, 11, 13, 18, 23),
      (nodes, numbers, opset) => {
        const inputs = {
          x: ["batch", 3, "W"],
          image: [2, 4, 8, 8],
          vector: [7],
          none: [],
          ids: ints(numbers),
          small: floats([0.5, -1, 2]),
        };
        expectShapes(inferShapes(model({ inputs, nodes }, opset)));
      },
    ),
    { numRuns: 3000 },
  );
});

describe.skipIf(modelNames.length === 0)("real models, damaged", () => {
  const names = [
    "gtcrn_stream.onnx",
    "silero_vad_v5.onnx",
    "magika_standard_v3_3.onnx",
    "tiny_random_gpt2_past.onnx",
    "mnist_8.onnx",
  ];
  const models = names
    .filter((name) => modelNames.includes(name))
    .map((name) => decodeModel(memorySource(new Uint8Array(readFileSync(modelFile(name))))));

  const damage = fc.record({
    kind: fc.constantFrom(
      "drop",
      "swap",
      "rename",
      "attribute",
      "input",
      "constant",
      "opset",
      "operator",
    ),
    at: fc.nat(),
    other: fc.nat(),
    number: integer,
    operator: fc.constantFrom(...allOperators),
  });

  test("end in shapes or in reasons", () => {
    fc.assert(
      fc.property(fc.nat(), fc.array(damage, { minLength: 1, maxLength: 4 }), (pick, damages) => {
        const whole = models[pick % models.length];
        if (whole?.graph === undefined) return;
        expectShapes(inferShapes(damages.reduce(damaged, whole)));
      }),
      { numRuns: 300 },
    );
  });

  function damaged(
    whole: Model,
    {
      kind,
      at,
      other,
      number,
      operator,
    }: {
      readonly kind: string;
      readonly at: number;
      readonly other: number;
      readonly number: number;
      readonly operator: { readonly domain: string; readonly opType: string };
    },
  ): Model {
    const main = whole.graph;
    if (main === undefined || main.nodes.length === 0) return whole;
    const index = at % main.nodes.length;
    const twin = other % main.nodes.length;
    const [chosen, partner] = [main.nodes[index], main.nodes[twin]];
    if (chosen === undefined || partner === undefined) return whole;
    const withNode = (changed: Node): Model => ({
      ...whole,
      graph: { ...main, nodes: main.nodes.with(index, changed) },
    });
    switch (kind) {
      case "drop":
        return { ...whole, graph: { ...main, nodes: main.nodes.toSpliced(index, 1) } };
      case "swap":
        return {
          ...whole,
          graph: { ...main, nodes: main.nodes.with(index, partner).with(twin, chosen) },
        };
      case "rename":
        return withNode({ ...chosen, inputs: chosen.inputs.map(() => partner.outputs[0] ?? "") });
      case "attribute":
        return withNode({
          ...chosen,
          attributes: chosen.attributes.map((attribute) => withNumber(attribute, number)),
        });
      case "operator":
        return withNode({ ...chosen, ...operator });
      case "input":
        return {
          ...whole,
          graph: {
            ...main,
            inputs: main.inputs.map((input) =>
              input.type?.kind === "tensor"
                ? { ...input, type: { ...input.type, shape: [{ value: BigInt(number) }, {}] } }
                : input,
            ),
          },
        };
      case "constant":
        return {
          ...whole,
          graph: {
            ...main,
            initializers: main.initializers.map((tensor, place) =>
              place === other % main.initializers.length
                ? { ...tensor, dims: [BigInt(number)] }
                : tensor,
            ),
          },
        };
      default:
        return { ...whole, opsetImports: [{ domain: "", version: BigInt(number) }] };
    }
  }

  function withNumber(attribute: Attribute, number: number): Attribute {
    if (attribute.kind === "int") return { ...attribute, value: BigInt(number) };
    if (attribute.kind === "ints")
      return { ...attribute, value: attribute.value.map(() => BigInt(number)) };
    return attribute;
  }
});

describe("what grows", () => {
  test("a chain of 50,000 additions that a shape asks for at its end", () => {
    const chain = Array.from({ length: 50_000 }, (_, index) =>
      node("Add", [[`v${index}`, "one"], [`v${index + 1}`]]),
    );
    const end = node("Reshape", [["x", "v50000"], ["y"]]);
    const { graph: main } = inferShapes(
      model({ inputs: { x: [50_001], v0: ints([1]), one: ints([1]) }, nodes: [...chain, end] }),
    );
    expect(main.values.get("y")).toEqual({
      kind: "tensor",
      elementType: "float32",
      shape: [50_001],
    });
  });

  test("a size squared a hundred times", () => {
    const chain = Array.from({ length: 100 }, (_, index) =>
      node("Mul", [[`v${index}`, `v${index}`], [`v${index + 1}`]]),
    );
    const nodes = [
      node("Shape", [["x"], ["s"]]),
      node("ReduceSum", [["s"], ["v0"]], { keepdims: 1 }),
      ...chain,
      node("ConstantOfShape", [["v100"], ["y"]]),
    ];
    const inferred = inferShapes(model({ inputs: { x: ["a", "b", "c", "d"] }, nodes }));
    expectShapes(inferred);
  });

  test("Concat that doubles a size again and again stays one size", () => {
    const chain = Array.from({ length: 60 }, (_, index) =>
      node("Concat", [[`v${index}`, `v${index}`], [`v${index + 1}`]], { axis: 0 }),
    );
    const inferred = inferShapes(model({ inputs: { v0: ["n", 2] }, nodes: chain }));
    expectShapes(inferred);
    expect(inferred.faults).toEqual([]);
    const numbers = inferShapes(model({ inputs: { v0: [3, 2] }, nodes: chain }));
    expectShapes(numbers);
    expect(numbers.faults[0]?.message).toContain("an output has an axis of size 13510798882111488");
  });

  test("10,000 axes", () => {
    const wide = new Array<number>(10_000).fill(1);
    const inferred = inferShapes(
      model({ inputs: { x: wide }, nodes: [node("Relu", [["x"], ["y"]])] }),
    );
    expect(inferred.uninferred.map(({ reason }) => reason)).toEqual([
      'the rank of "x" is not known',
    ]);
  });

  test("functions that call two functions that call two functions ...", () => {
    const levels = Array.from(
      { length: 40 },
      (_, index): FunctionDefinition => ({
        name: `f${index}`,
        domain: "mine",
        inputs: ["a"],
        outputs: ["c"],
        attributes: [],
        attributeDefaults: [],
        nodes: [
          node(`f${index + 1}`, [["a"], ["b"]], {}, "mine"),
          node(`f${index + 1}`, [["b"], ["c"]], {}, "mine"),
        ],
        opsetImports: [],
        valueInfos: [],
        metadata: [],
      }),
    );
    const whole = {
      ...model({ inputs: { x: [1] }, nodes: [node("f0", [["x"], ["y"]], {}, "mine")] }),
      functions: levels,
    };
    expectShapes(inferShapes(whole));
  });

  test("loops inside loops inside loops", () => {
    let body: Graph = graph({
      inputs: { i: [], go: [], s: [] },
      nodes: [node("Concat", [["s", "s"], ["t"]], { axis: 0 })],
      outputs: ["go", "t"],
    });
    for (let level = 0; level < 12; level++) {
      body = graph({
        inputs: { i: [], go: [], s: [] },
        nodes: [
          node("Loop", [["", "", "s"], ["t"]], { body }),
          node("Concat", [["t", "t"], ["u"]], { axis: 0 }),
        ],
        outputs: ["go", "u"],
      });
    }
    expectShapes(
      inferShapes(
        model({ inputs: { x: ["n"] }, nodes: [node("Loop", [["", "", "x"], ["y"]], { body })] }),
      ),
    );
  });

  test("a model without a graph", () => {
    const { graph: _, ...nothing } = model({ nodes: [] });
    expect(inferShapes(nothing).faults.map(({ message }) => message)).toEqual(["no graph"]);
  });

  test("names that objects have by birth", () => {
    const nodes = [
      node("constructor", [["__proto__"], ["toString"]], {}, "__proto__"),
      node("hasOwnProperty", [[], ["y"]]),
    ];
    expect(inferShapes(model({ nodes })).uninferred.length).toBe(2);
  });
});
