import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { inputsOf } from "../../../test/model-inputs.ts";
import { refusalOf, runModel } from "../../../test/onnx-runtime.ts";
import { operators } from "../../../test/operators.ts";
import { modelFile, modelNames } from "../../../test/shared-data.ts";
import { attribute } from "../attributes.ts";
import { modelBuilder } from "../builder.ts";
import { memorySource } from "../byte-source.ts";
import { checkModel } from "../check/check-model.ts";
import { decodeModel } from "../decode.ts";
import type { FunctionDefinition, Graph, Model } from "../model.ts";
import { ModelError } from "../model-error.ts";
import { upgradeRules } from "./rules/index.ts";
import { UPGRADE_RANGE, type Upgrade, upgradeModel } from "./upgrade-model.ts";
import { onlyWidens } from "./widening.ts";

function upgraded(upgrade: Upgrade): Model {
  if (upgrade.status === "upgraded") return upgrade.model;
  throw new Error(JSON.stringify(upgrade.refusals));
}

function builder(opset: number) {
  return modelBuilder({ operators, opsets: { "": opset } });
}

describe("every change between opset 7 and 21 is accounted for", () => {
  const steps = operators.names("").flatMap((name) => {
    const versions = operators.versions("", name);
    return versions.slice(1).map((after, index) => ({ name, before: versions[index], after }));
  });
  const inRange = steps.filter(
    ({ after }) => after.since > UPGRADE_RANGE.from && after.since <= UPGRADE_RANGE.to,
  );
  const hasRule = (name: string, version: number) =>
    upgradeRules.some((rule) => rule.operator === name && rule.version === version);

  test("by a rule, or by a schema that only allows more", () => {
    const unaccounted = inRange.filter(
      ({ name, before, after }) =>
        before !== undefined && !hasRule(name, after.since) && !onlyWidens(before, after),
    );
    expect(inRange.length).toBeGreaterThan(200);
    expect(unaccounted.map(({ name, after }) => `${name} ${after.since}`)).toEqual([]);
  });
  test("and every rule is for a version that exists", () => {
    const missing = upgradeRules.filter(
      ({ operator, version }) =>
        !inRange.some(({ name, after }) => name === operator && after.since === version),
    );
    expect(missing.map(({ operator, version }) => `${operator} ${version}`)).toEqual([]);
  });
});

describe.skipIf(modelNames.length === 0)("real models compute the same in opset 21", () => {
  // ONNX Runtime's newer AveragePool adds in another order; nothing else may differ.
  const TOLERANCE = 1e-6;
  test.each(modelNames)(
    "%s",
    async (name) => {
      const model = decodeModel(memorySource(new Uint8Array(readFileSync(modelFile(name)))));
      const now = upgraded(upgradeModel(model, { operators }));
      expect(checkModel(now, operators).filter(({ severity }) => severity === "error")).toEqual([]);
      const inputs = inputsOf(name, model, 1);
      const [before, after] = [await runModel(model, inputs), await runModel(now, inputs)];
      expect(Object.keys(after)).toEqual(Object.keys(before));
      for (const [output, { data, dims }] of Object.entries(before)) {
        expect(after[output]?.dims).toEqual(dims);
        const other = after[output]?.data ?? [];
        let most = 0;
        for (let at = 0; at < data.length; at++) {
          const difference = Math.abs(Number(data[at]) - Number(other[at]));
          most = Math.max(most, difference / Math.max(1, Math.abs(Number(data[at]))));
        }
        expect(most, output).toBeLessThanOrEqual(TOLERANCE);
      }
    },
    120_000,
  );
});

describe("what cannot be kept is refused, with the node and the reason", () => {
  const x = { name: "x", dims: [1, 2, 6, 6] };
  const refusal = (opset: number, build: (g: ReturnType<typeof builder>) => void) => {
    const g = builder(opset);
    g.input(x.name, "float32", x.dims);
    build(g);
    const upgrade = upgradeModel(g.finish(), { operators });
    return upgrade.status === "refused" ? upgrade.refusals : [];
  };
  test("statistics for each position", () => {
    const refusals = refusal(7, (g) => {
      const s = g.constant("float32", { dims: [2, 6, 6], values: new Float32Array(72) });
      g.output(g.op("BatchNormalization", ["x", s, s, s, s], { spatial: 0 }));
    });
    expect(refusals).toMatchObject([
      {
        path: 'graph.node[0] "batchnormalization1" (BatchNormalization)',
        reason: expect.stringContaining("spatial = 0"),
      },
    ]);
  });
  test("a dropout mask that is read", () => {
    const refusals = refusal(9, (g) => {
      const [y = "", mask = ""] = g.ops("Dropout", ["x"], { outputs: 2 });
      g.output(y);
      g.output(mask);
    });
    expect(refusals).toMatchObject([{ reason: "the mask is read" }]);
  });
  test("a nearest resize whose scales are computed", () => {
    const refusals = refusal(10, (g) => {
      g.output(g.op("Resize", ["x", g.input("scales", "float32", [4])]));
    });
    expect(refusals).toMatchObject([{ reason: expect.stringContaining("scales are computed") }]);
  });
  test("a nearest resize that grows and shrinks", () => {
    const refusals = refusal(10, (g) => {
      const scales = g.constant("float32", { dims: [4], values: [1, 1, 2, 0.5] });
      g.output(g.op("Resize", ["x", scales]));
    });
    expect(refusals).toMatchObject([{ reason: expect.stringContaining("shrinks along another") }]);
  });
  test("a coordinate mode that was dropped", () => {
    const refusals = refusal(11, (g) => {
      const roi = g.constant("float32", { dims: [0], values: [] });
      const scales = g.constant("float32", { dims: [4], values: [1, 1, 2, 2] });
      const attributes = { coordinate_transformation_mode: "tf_half_pixel_for_nn" };
      g.output(g.op("Resize", ["x", roi, scales], attributes));
    });
    expect(refusals).toMatchObject([{ reason: expect.stringContaining("tf_half_pixel_for_nn") }]);
  });
  test("a bound whose type is not known", () => {
    const refusals = refusal(9, (g) => {
      const [y = ""] = g.ops({ type: "Custom", domain: "my.ops" }, ["x"], { outputs: 1 });
      g.output(g.op("Clip", [y], { min: 0 }));
    });
    expect(refusals).toMatchObject([{ reason: expect.stringContaining("min must have") }]);
  });
  test("every such node is named, not only the first", () => {
    const refusals = refusal(9, (g) => {
      for (const _ of [1, 2, 3]) {
        const [y = "", mask = ""] = g.ops("Dropout", ["x"], { outputs: 2 });
        g.output(y);
        g.output(mask);
      }
    });
    expect(refusals.map(({ path }) => path)).toEqual([
      'graph.node[0] "dropout1" (Dropout)',
      'graph.node[1] "dropout2" (Dropout)',
      'graph.node[2] "dropout3" (Dropout)',
    ]);
  });
  test.each([
    [6, 21, /older than 7/],
    [21, 17, /newer than 17/],
    [13, 22, /not among 7 to 21/],
    [13, 1.5, /not among 7 to 21/],
  ])("from opset %d to %d", (from, target, reason) => {
    const g = builder(from);
    g.output(g.op("Relu", [g.input("x", "float32", [1])]));
    const upgrade = upgradeModel(g.finish(), { operators, target });
    expect(upgrade).toMatchObject({
      status: "refused",
      refusals: [{ path: "opset_import", reason: expect.stringMatching(reason) }],
    });
  });
});

test("nodes inside If are upgraded too, and keep reading the graph around them", async () => {
  const g = builder(11);
  const x = g.input("x", "float32", [1, 3]);
  const yes = g.input("yes", "bool", []);
  const branch = (name: string, axes: readonly number[]) =>
    g.subGraph(name, (body) =>
      body.output(body.op("ReduceMean", [body.op("Unsqueeze", [x], { axes })])),
    );
  const attributes = { then_branch: branch("then", [0]), else_branch: branch("else", [-1]) };
  g.output(g.ops("If", [yes], { outputs: 1, attributes })[0] ?? "");
  const now = upgraded(upgradeModel(g.finish(), { operators }));
  expect(checkModel(now, operators)).toEqual([]);
  expect(await refusalOf(now)).toBeNull();
});

test("one opset at a time or all at once, the end is the same", () => {
  const g = builder(9);
  const x = g.input("x", "float32", [1, 2, 4, 4]);
  const up = g.op("Upsample", [x, g.constant("float32", { dims: [4], values: [1, 1, 2, 2] })]);
  g.output(g.op("Softmax", [g.op("ReduceSum", [g.op("Clip", [up], { min: 0 })], { axes: [1] })]));
  const model = g.finish();
  let steps = model;
  for (let target = 10; target <= 21; target++) {
    steps = upgraded(upgradeModel(steps, { operators, target }));
    expect(checkModel(steps, operators)).toEqual([]);
  }
  const types = (of: Model) => of.graph?.nodes.map(({ opType }) => opType);
  expect(types(steps)).toEqual(types(upgraded(upgradeModel(model, { operators }))));
});

describe("weights of files before format 4", () => {
  const g = builder(8);
  const x = g.input("x", "float32", [2, 2]);
  const w = g.constant("float32", { name: "w", dims: [2, 2], values: [1, 2, 3, 4] });
  g.output(g.op("MatMul", [x, w]));
  const model = g.finish();
  const input = {
    name: "w",
    type: { kind: "tensor", elementType: "float32" },
    metadata: [],
  } as const;
  const graph: Graph = {
    ...(model.graph as Graph),
    inputs: [...(model.graph?.inputs ?? []), input],
  };

  test("stop being inputs, as they could never be replaced", () => {
    const now = upgraded(upgradeModel({ ...model, irVersion: 3n, graph }, { operators }));
    expect(now.graph?.inputs.map(({ name }) => name)).toEqual(["x"]);
    expect(now.irVersion).toBe(10n);
  });
  test("stay inputs in newer files, where callers may replace them", () => {
    const now = upgraded(upgradeModel({ ...model, irVersion: 4n, graph }, { operators }));
    expect(now.graph?.inputs.map(({ name }) => name)).toEqual(["x", "w"]);
  });
});

test("functions are upgraded from their own opset, with constants of their own", async () => {
  const mean: FunctionDefinition = {
    name: "Mean2",
    domain: "my",
    inputs: ["a"],
    outputs: ["b"],
    attributes: [],
    attributeDefaults: [],
    nodes: [
      {
        opType: "ReduceMean",
        inputs: ["a"],
        outputs: ["b"],
        attributes: [attribute.ints("axes", [1])],
        metadata: [],
      },
    ],
    opsetImports: [{ domain: "", version: 17n }],
    valueInfos: [],
    metadata: [],
  };
  const g = builder(17);
  const [y = ""] = g.ops({ type: "Mean2", domain: "my" }, [g.input("x", "float32", [2, 3])], {
    outputs: 1,
  });
  g.output(y);
  const now = upgraded(upgradeModel({ ...g.finish(), functions: [mean] }, { operators }));
  expect(now.functions[0]?.nodes.map(({ opType }) => opType)).toEqual(["Constant", "ReduceMean"]);
  expect(now.functions[0]?.opsetImports).toEqual([{ domain: "", version: 21n }]);
  expect(await refusalOf(now)).toBeNull();
});

test("bounds get the element type of what they bound, however far its source", () => {
  const g = builder(9);
  const doubles = g.op("Cast", [g.input("x", "float32", [3])], { to: 11 });
  g.output(g.op("Clip", [g.op("Neg", [g.op("Abs", [doubles])])], { min: -1.5, max: 2 }));
  const now = upgraded(upgradeModel(g.finish(), { operators }));
  expect(now.graph?.initializers.map(({ dataType }) => dataType)).toEqual(["float64", "float64"]);
  expect(checkModel(now, operators)).toEqual([]);
});

const hasErrors = (model: Model) =>
  checkModel(model, operators).some(({ severity }) => severity === "error");

const small = modelNames.filter((name) => readFileSync(modelFile(name)).length < 100_000);
test.skipIf(small.length === 0)(
  "mutated models are upgraded or refused, and valid ones stay valid",
  () => {
    const originals = small.map((name) => new Uint8Array(readFileSync(modelFile(name))));
    const edit = fc.record({
      at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      byte: fc.nat(255),
    });
    const edits = fc.array(edit, { minLength: 1, maxLength: 12 });
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
        const upgrade = upgradeModel(model, { operators });
        const valid = !hasErrors(model);
        if (upgrade.status === "upgraded" && valid) expect(hasErrors(upgrade.model)).toBe(false);
      }),
      { numRuns: 1000 },
    );
  },
  60_000,
);
