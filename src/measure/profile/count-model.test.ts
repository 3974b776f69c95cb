import { describe, expect, it } from "vitest";
import { floats, graph, ints, model, node, scalar } from "../../../test/small-model.ts";
import type { Graph, Model } from "../../onnx/index.ts";
import { countModel } from "./count-model.ts";
import { nodesIn } from "./entry.ts";
import { totalsBy } from "./totals.ts";

/** A body that multiplies a 4-vector of the graph around it by so many columns. */
const branch = (columns: number): Graph =>
  graph({
    inputs: { w: floats(new Array(4 * columns).fill(1), [4, columns]) },
    nodes: [node("MatMul", [["x", "w"], ["y"]])],
  });

const choice = (condition: Parameters<typeof graph>[0]["inputs"]): Model =>
  model({
    inputs: { x: [1, 4], ...condition },
    nodes: [node("If", [["c"], ["z"]], { then_branch: branch(2), else_branch: branch(5) })],
  });

describe("control flow", () => {
  it("bounds what hangs on a branch by the smaller and the larger", () => {
    const { totals, parameters } = countModel(choice({ c: { type: "bool", shape: [] } }));
    expect(totals.macs).toEqual({ least: 8, most: 20 });
    // Both branches are stored, whichever runs.
    expect(parameters.total).toBe(8 + 20);
  });

  it("counts the branch that is taken when the condition is known", () => {
    const known = {
      ...scalar(1),
      dataType: "bool" as const,
      data: { kind: "int32" as const, values: Int32Array.of(0) },
    };
    expect(countModel(choice({ c: known })).totals.macs).toEqual({ least: 20, most: 20 });
  });

  it("multiplies a loop's body by its trips, or by a symbol for them", () => {
    const body = graph({
      inputs: {
        i: { type: "int64", shape: [] },
        go: { type: "bool", shape: [] },
        h: [1, 4],
        w: floats(new Array(16).fill(1), [4, 4]),
      },
      nodes: [
        node("MatMul", [["h", "w"], ["h2"]]),
        node("Identity", [["go"], ["go2"]]),
        node("Identity", [["h2"], ["each"]]),
      ],
      outputs: ["go2", "h2", "each"],
    });
    const loop = (trips: Parameters<typeof graph>[0]["inputs"]): Model =>
      model({
        inputs: { ...trips, x: [1, 4] },
        nodes: [
          node(
            "Loop",
            [
              ["m", "", "x"],
              ["last", "all"],
            ],
            { body },
          ),
        ],
      });
    expect(countModel(loop({ m: scalar(7) })).totals.macs).toEqual({ least: 7 * 16, most: 7 * 16 });
    const open = countModel(loop({ m: { type: "int64", shape: [] } }));
    expect(open.symbols).toHaveLength(1);
  });

  it("multiplies a scan's body by the length that it goes along", () => {
    const body = graph({
      inputs: { s: [4], x: [4] },
      nodes: [node("Add", [["s", "x"], ["t"]]), node("Identity", [["t"], ["u"]])],
      outputs: ["t", "u"],
    });
    const scan = model({
      inputs: { s: [4], xs: ["steps", 4] },
      nodes: [
        node(
          "Scan",
          [
            ["s", "xs"],
            ["last", "all"],
          ],
          { body, num_scan_inputs: 1 },
        ),
      ],
    });
    expect(countModel(scan).totals.flops?.most).toMatchObject({ key: "4*steps" });
  });
});

describe("parameters", () => {
  it("counts a tensor that two nodes read once, for the first of them", () => {
    const tied = model({
      inputs: { x: [2, 4], w: floats(new Array(16).fill(1), [4, 4]) },
      nodes: [node("MatMul", [["x", "w"], ["y"]]), node("MatMul", [["y", "w"], ["z"]])],
    });
    const counted = countModel(tied);
    expect(counted.parameters).toEqual({ total: 16, trainable: 16, buffer: 0, dead: 0, index: 0 });
    expect([...nodesIn(counted.entries)].map(({ parameters }) => parameters.trainable)).toEqual([
      16, 0,
    ]);
    expect(counted.bytesByType).toEqual({ float32: 64 });
  });

  it("tells statistics, constants of formulas, sizes and dead weights from what is trained", () => {
    const mixed = model({
      inputs: {
        x: [1, 2, 3],
        scale: floats([1, 1]),
        shift: floats([0, 0]),
        mean: floats([0, 0]),
        var: floats([1, 1]),
        three: floats([3], []),
        shape: ints([1, 6]),
        unread: floats([1, 2, 3, 4, 5]),
      },
      nodes: [
        node("BatchNormalization", [["x", "scale", "shift", "mean", "var"], ["n"]]),
        node("Add", [["n", "three"], ["a"]]),
        node("Reshape", [["a", "shape"], ["y"]]),
      ],
    });
    expect(countModel(mixed).parameters).toEqual({
      total: 14,
      trainable: 4,
      buffer: 5,
      dead: 5,
      index: 2,
    });
  });

  it("counts a weight that only a dead node reads as dead", () => {
    const dead = model({
      inputs: { x: [4], w: floats([1, 2, 3, 4]) },
      nodes: [node("Mul", [["x", "w"], ["unused"]]), node("Relu", [["x"], ["y"]])],
      outputs: ["y"],
    });
    expect(countModel(dead).parameters).toMatchObject({ trainable: 0, dead: 4 });
  });
});

describe("memory", () => {
  const chain = model({
    inputs: { x: [100] },
    nodes: [
      node("Relu", [["x"], ["a"]]),
      node("Reshape", [["a", "s"], ["b"]]),
      node("Relu", [["b"], ["c"]]),
      node("Relu", [["c"], ["y"]]),
    ],
  });

  it("keeps two vectors of a chain at once when memory is used again, four otherwise", () => {
    const withShape = {
      ...chain,
      graph: { ...(chain.graph as Graph), initializers: [{ ...ints([100]), name: "s" }] },
    };
    const { activations } = countModel(withShape);
    // x, a, c and y; b is a view of a.
    expect(activations.withoutReuse).toBe(4 * 400);
    expect(activations.withReuse).toBe(2 * 400);
  });

  it("holds a value for the last of its readers", () => {
    const residual = model({
      inputs: { x: [100] },
      nodes: [
        node("Relu", [["x"], ["a"]]),
        node("Relu", [["a"], ["b"]]),
        node("Relu", [["b"], ["c"]]),
        node("Add", [["c", "x"], ["y"]]),
      ],
    });
    expect(countModel(residual).activations.withReuse).toBe(3 * 400);
  });

  it("reads of a table what it picks, and moves nothing for a view", () => {
    const lookup = model({
      inputs: {
        table: floats(new Array(4000).fill(0), [1000, 4]),
        ids: { type: "int64", shape: [2] },
      },
      nodes: [node("Gather", [["table", "ids"], ["g"]]), node("Flatten", [["g"], ["y"]])],
    });
    const { totals } = countModel(lookup);
    expect(totals.reads).toEqual({ least: 32 + 16, most: 32 + 16 });
    expect(totals.writes).toEqual({ least: 32, most: 32 });
  });
});

describe("grouping", () => {
  it("sums up to the whole by node, by operator and by scope", () => {
    const named = (name: string, ...of: Parameters<typeof node>) => ({ ...node(...of), name });
    const nested = model({
      inputs: { x: [2, 4], w: floats(new Array(16).fill(1), [4, 4]) },
      nodes: [
        named("/encoder/layer0/MatMul", "MatMul", [["x", "w"], ["a"]]),
        named("/encoder/layer0/Relu", "Relu", [["a"], ["b"]]),
        named("/head/MatMul", "MatMul", [["b", "w"], ["y"]]),
      ],
    });
    const { entries } = countModel(nested);
    const scopes = totalsBy(entries, ({ scope }) =>
      scope.map((_, at) => scope.slice(0, at + 1).join("/")),
    );
    expect(scopes.get("encoder")?.flops).toEqual({ least: 64 + 8, most: 64 + 8 });
    expect(scopes.get("encoder/layer0")?.flops).toEqual({ least: 72, most: 72 });
    expect(scopes.get("head")?.macs).toEqual({ least: 32, most: 32 });
    const operators = totalsBy(entries, ({ operator }) => [operator]);
    expect(operators.get("MatMul")).toMatchObject({
      nodes: 2,
      parameters: 16,
      macs: { least: 64, most: 64 },
    });
  });
});
