import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { refusalOf } from "../../../test/onnx-runtime.ts";
import { operators } from "../../../test/operators.ts";
import { modelFile, modelNames } from "../../../test/shared-data.ts";
import { attribute } from "../attributes.ts";
import { modelBuilder } from "../builder.ts";
import { memorySource } from "../byte-source.ts";
import { decodeModel } from "../decode.ts";
import { encodeModel } from "../encode.ts";
import type { FunctionDefinition, Graph, Model, Node, Tensor } from "../model.ts";
import { ModelError } from "../model-error.ts";
import { tensorOf } from "../tensor-of.ts";
import { tensorType } from "../value-type.ts";
import { checkModel } from "./check-model.ts";

const read = (name: string) =>
  decodeModel(memorySource(new Uint8Array(readFileSync(modelFile(name)))));
const errorsOf = (model: Model) =>
  checkModel(model, operators).filter(({ severity }) => severity === "error");

describe.skipIf(modelNames.length === 0)("real models have no errors", () => {
  test.each(modelNames)("%s", (name) => {
    expect(errorsOf(read(name))).toEqual([]);
  });
});

/** conv1 and relu1, with a weight. */
function healthy(): Model {
  const g = modelBuilder({ operators });
  const x = g.input("x", "float32", [1, 2, 5, 5]);
  const w = g.constant("float32", { name: "w", dims: [3, 2, 3, 3], values: new Float32Array(54) });
  g.output(g.op("Relu", [g.op("Conv", [x, w], { strides: [1, 1] })]), { name: "y" });
  return g.finish();
}

const inGraph = (change: (graph: Graph) => Partial<Graph>): Model => {
  const model = healthy();
  const graph = model.graph as Graph;
  return { ...model, graph: { ...graph, ...change(graph) } };
};
const inNode = (index: number, change: (node: Node) => Partial<Node>): Model =>
  inGraph(({ nodes }) => ({
    nodes: nodes.map((node, at) => (at === index ? { ...node, ...change(node) } : node)),
  }));
const inWeight = (change: Partial<Tensor>): Model =>
  inGraph(({ initializers }) => ({
    initializers: initializers.map((of) => ({ ...of, ...change })),
  }));
const value = (name: string) => ({ name, type: tensorType("float32", [1]), metadata: [] });
const abs = (input: string, output: string): Node => ({
  opType: "Abs",
  name: output,
  inputs: [input],
  outputs: [output],
  attributes: [],
  metadata: [],
});
const branch = (nodes: readonly Node[], output: string): Graph => ({
  name: "branch",
  nodes,
  inputs: [],
  outputs: [{ name: output, metadata: [] }],
  initializers: [],
  sparseInitializers: [],
  valueInfos: [],
  metadata: [],
});
/** An If on a constant. */
const withIf = (of: Graph, other = branch([abs("x", "r")], "r")): Model =>
  inGraph(({ nodes, initializers }) => ({
    initializers: [...initializers, tensorOf("bool", { name: "yes", dims: [], values: [1] })],
    nodes: [
      ...nodes,
      {
        opType: "If",
        name: "if1",
        inputs: ["yes"],
        outputs: ["z"],
        attributes: [attribute.graph("then_branch", of), attribute.graph("else_branch", other)],
        metadata: [],
      },
    ],
  }));

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

describe("hostile models take bounded time and memory", () => {
  const nodes = (count: number, of: (index: number) => Node): Model =>
    inGraph(() => ({ nodes: Array.from({ length: count }, (_, index) => of(index)) }));

  test("a hundred thousand faults are not all kept", () => {
    const findings = checkModel(
      nodes(100_000, () => abs("nothing", "y")),
      operators,
    );
    expect(findings.length).toBe(1001);
    expect(findings.at(-1)?.code).toBe("more");
  });
  test("a chain of a hundred thousand nodes in the wrong order", () => {
    const last = 100_000;
    const chain = nodes(last, (index) =>
      abs(index === last - 1 ? "x" : `v${index + 1}`, index === 0 ? "y" : `v${index}`),
    );
    expect(errorsOf(chain)[0]?.code).toBe("order");
  });
  test("a cycle through a hundred thousand nodes", () => {
    const model = nodes(100_000, (index) => abs(`v${index}`, `v${(index + 1) % 100_000}`));
    const cycle = errorsOf({ ...model, graph: { ...(model.graph as Graph), outputs: [] } });
    expect(cycle.some(({ code }) => code === "order" || code === "cycle")).toBe(true);
  });
  test("graphs nested a thousand deep", () => {
    let graph = branch([abs("x", "r")], "r");
    for (let depth = 0; depth < 1000; depth++) {
      const inner = withIf(graph).graph as Graph;
      graph = branch([inner.nodes.at(-1) as Node], "z");
    }
    expect(errorsOf(withIf(graph)).some(({ code }) => code === "nesting")).toBe(true);
  });
  test("names of a megabyte are cut", () => {
    const findings = checkModel(
      inNode(1, () => ({ inputs: ["n".repeat(1 << 20)] })),
      operators,
    );
    expect(JSON.stringify(findings).length).toBeLessThan(2000);
  });
  test.each(["__proto__", "constructor", "toString", "hasOwnProperty"])("the name %s", (name) => {
    const model = inNode(1, () => ({
      opType: name,
      domain: "",
      outputs: [name],
      attributes: [attribute.int(name, 1)],
    }));
    expect(errorsOf(model)[0]?.code).toBe("unknown-operator");
    const domain = inNode(1, () => ({ domain: name }));
    expect(errorsOf(domain)[0]?.code).toBe("opset-import");
  });
});

/** Number of mutated files; more of the same by FUZZ_RUNS. */
const FUZZ_RUNS = Number(process.env["FUZZ_RUNS"] ?? 3000);
const small = modelNames.filter((name) => readFileSync(modelFile(name)).length < 100_000);
test.skipIf(small.length === 0)(
  `${FUZZ_RUNS} mutations of real models are checked without a crash`,
  () => {
    const originals = small.map((name) => new Uint8Array(readFileSync(modelFile(name))));
    const edit = fc.record({
      at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      byte: fc.nat(255),
    });
    const edits = fc.array(edit, { minLength: 1, maxLength: 12 });
    let decoded = 0;
    fc.assert(
      fc.property(fc.nat(originals.length - 1), edits, (file, changes) => {
        const bytes = originals[file]?.slice() ?? new Uint8Array(0);
        for (const { at, byte } of changes) bytes[Math.floor(at * bytes.length)] = byte;
        let model: Model;
        try {
          model = decodeModel(memorySource(bytes));
        } catch (error) {
          if (error instanceof ModelError) return;
          throw error;
        }
        decoded++;
        checkModel(model, operators);
      }),
      { numRuns: FUZZ_RUNS },
    );
    expect(decoded).toBeGreaterThan(FUZZ_RUNS / 20);
  },
  120_000,
);

/** A change of one thing in a model as data, which a file could hold. */
const mutation = fc.record({
  kind: fc.constantFrom(
    "input",
    "output",
    "operator",
    "drop",
    "repeat",
    "swap",
    "attribute",
    "opset",
  ),
  at: fc.nat(),
  name: fc.constantFrom("x", "y", "conv1", "relu1", "w", "", "new"),
  operator: fc.constantFrom("Relu", "Conv", "Concat", "If", "Split", "Nothing"),
});

test("models that are broken as data never crash the checker, and valid ones load", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(mutation, { maxLength: 4 }), async (mutations) => {
      let model = healthy();
      for (const { kind, at, name, operator } of mutations) {
        const graph = model.graph as Graph;
        const index = graph.nodes.length === 0 ? 0 : at % graph.nodes.length;
        const node = graph.nodes[index];
        if (node === undefined) continue;
        const replace = (by: readonly Node[]) => graph.nodes.toSpliced(index, 1, ...by);
        const nodes = {
          input: () => replace([{ ...node, inputs: [name, ...node.inputs.slice(1)] }]),
          output: () => replace([{ ...node, outputs: [name] }]),
          operator: () => replace([{ ...node, opType: operator }]),
          drop: () => replace([]),
          repeat: () => replace([node, { ...node, outputs: [`again${graph.nodes.length}`] }]),
          swap: () => [...graph.nodes].reverse(),
          attribute: () => replace([{ ...node, attributes: [attribute.int("group", at % 3)] }]),
          opset: () => graph.nodes,
        }[kind]();
        const opsetImports = kind === "opset" ? [{ version: BigInt(at % 30) }] : model.opsetImports;
        model = { ...model, opsetImports, graph: { ...graph, nodes } };
      }
      const errors = errorsOf(decodeModel(memorySource(encodeModel(model))));
      const refusal = await refusalOf(model);
      // What ONNX Runtime finds beyond the rules of form: shapes, opsets without kernels, values of attributes.
      const beyond = /shape|group|channel|implement|kernel|rank|dimension|support/i;
      if (errors.length === 0 && refusal !== null) expect(refusal).toMatch(beyond);
      const forgiven = errors.every(({ code }) => code === "order" || code === "opset-import");
      if (!forgiven) expect(refusal, JSON.stringify(errors)).not.toBeNull();
    }),
    { numRuns: 300 },
  );
}, 60_000);
