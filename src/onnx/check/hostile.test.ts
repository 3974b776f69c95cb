import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  abs,
  branch,
  errorsOf,
  healthy,
  inGraph,
  inNode,
  withIf,
} from "../../../test/broken-models.ts";
import { refusalOf } from "../../../test/onnx-runtime.ts";
import { operators } from "../../../test/operators.ts";
import { modelFile, modelNames } from "../../../test/shared-data.ts";
import { attribute } from "../attributes.ts";
import { memorySource } from "../byte-source.ts";
import { decodeModel } from "../decode.ts";
import { encodeModel } from "../encode.ts";
import type { Graph, Model, Node } from "../model.ts";
import { ModelError } from "../model-error.ts";
import { checkModel } from "./check-model.ts";

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
});
