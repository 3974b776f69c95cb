import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import {
  abs,
  branch,
  errorsOf,
  healthy,
  inGraph,
  inNode,
  inWeight,
  value,
  withIf,
} from "../../../test/broken-models.ts";
import { refusalOf } from "../../../test/onnx-runtime.ts";
import { operators } from "../../../test/operators.ts";
import { modelFile, modelNames } from "../../../test/shared-data.ts";
import { attribute } from "../attributes.ts";
import { memorySource } from "../byte-source.ts";
import { decodeModel } from "../decode.ts";
import type { FunctionDefinition, Graph, Model } from "../model.ts";
import { tensorOf } from "../tensor-of.ts";
import { tensorType } from "../value-type.ts";
import { checkModel } from "./check-model.ts";

const read = (name: string) =>
  decodeModel(memorySource(new Uint8Array(readFileSync(modelFile(name)))));
describe.skipIf(modelNames.length === 0)("real models have no errors", () => {
  test.each(modelNames)("%s", (name) => {
    expect(errorsOf(read(name))).toEqual([]);
  });
});

type Broken = readonly [fault: string, model: Model, code: string, path: string, message: RegExp];

const CONV = 'graph.node[0] "conv1" (Conv)';
const RELU = 'graph.node[1] "relu1" (Relu)';

/** Faults that ONNX Runtime refuses too. */
const refusedByBoth: readonly Broken[] = [
  [
    "two nodes of one name",
    inNode(1, () => ({ name: "conv1" })),
    "duplicate-node",
    'graph.node[1] "conv1" (Relu)',
    /another node/,
  ],
  [
    "no version of the format",
    { ...healthy(), irVersion: undefined } as unknown as Model,
    "ir-version",
    "ir_version",
    /does not say/,
  ],
  [
    "a format of the future",
    { ...healthy(), irVersion: 99n },
    "ir-version",
    "ir_version",
    /1 to 13 are known/,
  ],
  [
    "no operator set",
    { ...healthy(), opsetImports: [] },
    "opset-import",
    "opset_import",
    /no operator set/,
  ],
  [
    "an opset of the future",
    { ...healthy(), opsetImports: [{ version: 99n }] },
    "opset-import",
    "opset_import",
    /1 to 26/,
  ],
  [
    "an unknown operator",
    inNode(1, () => ({ opType: "Rleu" })),
    "unknown-operator",
    'graph.node[1] "relu1" (Rleu)',
    /no operator "Rleu"/,
  ],
  [
    "an operator of another opset",
    {
      ...healthy(),
      opsetImports: [{ version: 12n }],
      graph: {
        ...(healthy().graph as Graph),
        nodes: [...(healthy().graph as Graph).nodes, { ...abs("y", "z"), opType: "HardSwish" }],
      },
    },
    "unknown-operator",
    'graph.node[2] "z" (HardSwish)',
    /in version 12/,
  ],
  [
    "an operator past its life",
    {
      ...healthy(),
      graph: {
        ...(healthy().graph as Graph),
        nodes: [{ ...abs("x", "y"), opType: "Upsample", inputs: ["x", "w"] }],
      },
    },
    "deprecated-operator",
    'graph.node[0] "y" (Upsample)',
    /no operator any more from opset 10/,
  ],
  [
    "too few inputs",
    inNode(0, () => ({ inputs: ["x"] })),
    "arity",
    CONV,
    /1 inputs where Conv \(since opset 11\) has 2 to 3/,
  ],
  [
    "too many inputs",
    inNode(1, ({ inputs }) => ({ inputs: [...inputs, "x"] })),
    "arity",
    RELU,
    /2 inputs where Relu .* has 1/,
  ],
  [
    "too many outputs",
    inNode(1, ({ outputs }) => ({ outputs: [...outputs, "z"] })),
    "arity",
    RELU,
    /2 outputs/,
  ],
  [
    "a required input that is left out",
    inNode(0, () => ({ inputs: ["x", ""] })),
    "arity",
    CONV,
    /input "W" is left out/,
  ],
  [
    "an attribute of no operator",
    inNode(0, () => ({ attributes: [attribute.ints("stride", [1, 1])] })),
    "attribute",
    CONV,
    /no attribute "stride"/,
  ],
  [
    "an attribute of another kind",
    inNode(0, () => ({ attributes: [attribute.int("strides", 1)] })),
    "attribute",
    CONV,
    /of kind int where Conv .* has ints/,
  ],
  [
    "an attribute twice",
    inNode(0, () => ({ attributes: [attribute.int("group", 1), attribute.int("group", 1)] })),
    "attribute",
    CONV,
    /"group" stands twice/,
  ],
  [
    "a required attribute that is missing",
    inNode(1, () => ({ opType: "Concat" })),
    "attribute",
    'graph.node[1] "relu1" (Concat)',
    /"axis" is missing/,
  ],
  [
    "a value that nothing makes",
    inNode(1, () => ({ inputs: ["h"] })),
    "undefined-value",
    RELU,
    /reads "h", which nothing makes/,
  ],
  [
    "a value made twice",
    inNode(1, () => ({ outputs: ["conv1"] })),
    "duplicate-value",
    RELU,
    /makes "conv1", which exists already/,
  ],
  [
    "an input made again",
    inNode(1, () => ({ outputs: ["x"] })),
    "duplicate-value",
    RELU,
    /makes "x"/,
  ],
  [
    "a graph output that nothing makes",
    inGraph(() => ({ outputs: [value("z")] })),
    "undefined-value",
    'graph.output[0] "z"',
    /nothing makes/,
  ],
  [
    "two inputs of one name",
    inGraph(({ inputs }) => ({ inputs: [...inputs, ...inputs] })),
    "duplicate-value",
    'graph.input[1] "x"',
    /stands twice/,
  ],
  [
    "an input without a type",
    inGraph(() => ({ inputs: [{ name: "x", metadata: [] }] })),
    "type",
    'graph.input[0] "x"',
    /without a type/,
  ],
  [
    "a cycle",
    inGraph(({ nodes }) => ({ nodes: [...nodes, abs("b", "a"), abs("a", "b")] })),
    "cycle",
    "graph",
    /"b" \(Abs\) -> "a" \(Abs\) -> "b"|"a" \(Abs\) -> "b" \(Abs\) -> "a"/,
  ],
  [
    "weights that are too short",
    inWeight({ dims: [4n, 2n, 3n, 3n] }),
    "tensor",
    'graph.initializer[0] "w"',
    /216 bytes where the dimensions \[4, 2, 3, 3\] say 288/,
  ],
  [
    "a negative dimension",
    inWeight({ dims: [-3n, 2n, 3n, 3n] }),
    "tensor",
    'graph.initializer[0] "w"',
    /a dimension of -3/,
  ],
  [
    "billions of elements",
    inWeight({ dims: [2n ** 62n, 2n ** 62n] }),
    "tensor",
    'graph.initializer[0] "w"',
    /more elements than 2\^53/,
  ],
  [
    "weights of an unknown type",
    inWeight({ dataType: null, dataTypeNumber: 99 }),
    "tensor",
    'graph.initializer[0] "w"',
    /unknown type 99/,
  ],
  [
    "a type that is not allowed",
    inNode(1, () => ({ opType: "Not" })),
    "type",
    'graph.node[1] "relu1" (Not)',
    /"X" is float32, and may be bool/,
  ],
  [
    "types that differ",
    inWeight({ ...tensorOf("float64", { dims: [3, 2, 3, 3], values: new Float64Array(54) }) }),
    "type",
    CONV,
    /"W" is float64 while "X" is float32/,
  ],
  [
    "an output of another type than stated",
    inGraph(() => ({ outputs: [{ ...value("y"), type: tensorType("int64") }] })),
    "type",
    RELU,
    /as float32 where the file says int64/,
  ],
  [
    "a branch that hands on a value from outside",
    withIf(branch([], "conv1")),
    "undefined-value",
    'graph.node[2] "if1" (If).then_branch.output[0] "conv1"',
    /of an enclosing graph/,
  ],
  [
    "a branch that reads what nothing makes",
    withIf(branch([abs("h", "r")], "r")),
    "undefined-value",
    'graph.node[2] "if1" (If).then_branch.node[0] "r" (Abs)',
    /reads "h"/,
  ],
];

/** Faults by the specification that ONNX Runtime forgives. */
const refusedByUs: readonly Broken[] = [
  [
    "a domain that is not imported",
    inNode(1, () => ({ domain: "com.microsoft", opType: "QuickGelu" })),
    "opset-import",
    'graph.node[1] "relu1" (QuickGelu)',
    /imports no operators of "com.microsoft"/,
  ],
  [
    "a reference outside of a function",
    inNode(0, () => ({ attributes: [{ name: "group", kind: "reference", value: "g", type: 2 }] })),
    "attribute",
    CONV,
    /no attribute of an enclosing function/,
  ],
  [
    "nodes out of order",
    inGraph(({ nodes }) => ({ nodes: [...nodes].reverse() })),
    "order",
    'graph.node[0] "relu1" (Relu)',
    /reads "conv1" before node\[1\] makes it/,
  ],
  [
    "a domain imported twice",
    { ...healthy(), opsetImports: [{ version: 21n }, { domain: "ai.onnx", version: 20n }] },
    "opset-import",
    "opset_import",
    /twice/,
  ],
  [
    "an empty name",
    inGraph(({ inputs }) => ({ inputs: [...inputs, value("")] })),
    "empty-name",
    'graph.input[1] ""',
    /no name/,
  ],
  [
    "two initializers of one name",
    inGraph(({ initializers }) => ({ initializers: [...initializers, ...initializers] })),
    "duplicate-value",
    'graph.initializer[1] "w"',
    /stands twice/,
  ],
];

const functionOf = (name: string, calls: string): FunctionDefinition => ({
  name,
  domain: "my",
  inputs: ["a"],
  outputs: ["b"],
  attributes: [],
  attributeDefaults: [],
  nodes: [{ ...abs("a", "b"), opType: calls, domain: calls === "Abs" ? "" : "my" }],
  opsetImports: [{ version: 21n }, { domain: "my", version: 1n }],
  valueInfos: [],
  metadata: [],
});

describe("every fault is found, once, where it is, with a remedy", () => {
  test.each([...refusedByBoth, ...refusedByUs])("%s", (_, model, code, path, message) => {
    const errors = errorsOf(model).filter((of) => of.code === code && of.path === path);
    expect(errorsOf(model).map(({ code }) => code)).toContain(code);
    expect(
      errors.some((of) => message.test(of.message)),
      JSON.stringify(errorsOf(model)),
    ).toBe(true);
    for (const { remedy } of errors) expect(remedy.length).toBeGreaterThan(10);
  });
  test("functions that call each other in a circle", () => {
    const functions = [functionOf("F", "G"), functionOf("G", "F")];
    expect(errorsOf({ ...healthy(), functions })).toMatchObject([
      { code: "function", message: 'functions that call themselves: "F" -> "G" -> "F"' },
    ]);
  });
  test("a function defined twice", () => {
    const functions = [functionOf("F", "Abs"), functionOf("F", "Abs")];
    expect(errorsOf({ ...healthy(), functions })).toMatchObject([{ code: "function" }]);
  });
  test("a function whose output nothing makes", () => {
    const functions = [{ ...functionOf("F", "Abs"), outputs: ["c"] }];
    expect(errorsOf({ ...healthy(), functions })).toMatchObject([{ code: "undefined-value" }]);
  });
});

// Oracle: what the checker calls an error, ONNX Runtime does not load either.
describe("ONNX Runtime refuses it too", () => {
  test.each(refusedByBoth)("%s", async (_, model) => {
    expect(await refusalOf(model)).not.toBeNull();
  });
});

describe("what is valid has no errors", () => {
  test("the model that the faults are made from", () => {
    expect(checkModel(healthy(), operators)).toEqual([]);
  });
  test("a branch that reads values of the graph around it", () => {
    expect(checkModel(withIf(branch([abs("conv1", "r")], "r")), operators)).toEqual([]);
  });
  test("an operator of an unknown domain, with a warning", () => {
    const model = inNode(1, () => ({ opType: "Mine", domain: "my.ops" }));
    const known = {
      ...model,
      opsetImports: [...model.opsetImports, { domain: "my.ops", version: 1n }],
    };
    expect(checkModel(known, operators)).toMatchObject([
      { severity: "warning", code: "unknown-domain" },
    ]);
  });
  test("initializers that callers may replace, with a warning", () => {
    const model = inGraph(({ inputs }) => ({
      inputs: [...inputs, { name: "w", type: tensorType("float32", [3, 2, 3, 3]), metadata: [] }],
    }));
    expect(checkModel(model, operators)).toMatchObject([
      { severity: "warning", code: "overridable-initializer" },
    ]);
  });
});
