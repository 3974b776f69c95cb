import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { operators } from "../../test/operators.ts";
import { modelBuilder } from "./builder.ts";
import {
  deadNodes,
  freshNames,
  indexGraph,
  liveNodes,
  namesIn,
  outsideReads,
  readsOf,
} from "./graph-index.ts";
import type { Graph, Node } from "./model.ts";
import { sortGraph, sortNodes } from "./sort.ts";

/** y = If(yes, Neg(x + w), x), with a dead Exp beside it. */
function conditional(): Graph {
  const g = modelBuilder({ operators });
  const x = g.input("x", "float32", ["n"]);
  const yes = g.input("yes", "bool", []);
  const w = g.constant("float32", { name: "w", dims: [1], values: [1] });
  const sum = g.op({ type: "Add", name: "sum" }, [x, w]);
  g.op({ type: "Exp", name: "dead" }, [sum]);
  const [y = ""] = g.ops({ type: "If", name: "choice" }, [yes], {
    outputs: 1,
    attributes: {
      then_branch: g.subGraph("then", (body) =>
        body.output(body.op({ type: "Neg", name: "negated" }, [sum])),
      ),
      else_branch: g.subGraph("else", (body) =>
        body.output(body.op({ type: "Identity", name: "kept" }, [x])),
      ),
    },
  });
  g.output(y, { name: "y" });
  return g.finish().graph as Graph;
}

describe("a graph answers", () => {
  const graph = conditional();
  const index = indexGraph(graph);
  const named = (name: string) => graph.nodes.find((node) => node.name === name) as Node;

  test("who makes a value", () => {
    expect(index.producer("sum")).toBe(named("sum"));
    expect(index.producer("x")).toBeNull();
    expect(index.origin("x").kind).toBe("input");
    expect(index.origin("w").kind).toBe("initializer");
    expect(index.origin("nothing").kind).toBe("outside");
    expect(index.origin("").kind).toBe("outside");
  });
  test("who reads a value, sub-graphs included", () => {
    expect(index.uses("sum")).toEqual([
      { node: named("dead"), input: 0 },
      { node: named("choice"), input: null },
    ]);
    expect(index.uses("x").map(({ node }) => node.name)).toEqual(["sum", "choice"]);
    expect(index.uses("y")).toEqual([]);
    expect(index.isOutput("y")).toBe(true);
  });
  test("what is dead", () => {
    expect(deadNodes(graph)).toEqual([named("dead")]);
    expect(liveNodes(graph).has(named("sum"))).toBe(true);
  });
  test("what a sub-graph takes from outside", () => {
    const [thenBranch] = named("choice").attributes;
    expect(thenBranch?.kind === "graph" && [...outsideReads(thenBranch.value)]).toEqual(["sum"]);
    expect([...readsOf(named("choice"))].sort()).toEqual(["sum", "x", "yes"]);
    expect([...outsideReads(graph)]).toEqual([]);
  });
  test("which values never change", () => {
    expect(index.constant("w")?.dims).toEqual([1n]);
    expect(index.constant("sum")).toBeNull();
    const input = { name: "w", metadata: [] };
    expect(indexGraph({ ...graph, inputs: [...graph.inputs, input] }).constant("w")).toBeNull();
  });
  test("which names are taken, in sub-graphs too", () => {
    const names = namesIn(graph);
    for (const name of ["x", "w", "sum", "then/negated", "y"]) expect(names).toContain(name);
    const fresh = freshNames(names);
    expect([fresh("sum"), fresh("sum"), fresh("new")]).toEqual(["sum_1", "sum_2", "new"]);
  });
});

const node = (name: string, inputs: readonly string[], outputs: readonly string[]): Node => ({
  opType: "Sum",
  name,
  inputs,
  outputs,
  attributes: [],
  metadata: [],
});
const order = (nodes: readonly Node[]) => sortNodes(nodes).nodes.map(({ name }) => name);

describe("sorting", () => {
  test("keeps what is in order as it is", () => {
    const { nodes } = conditional();
    expect(sortNodes(nodes)).toEqual({ status: "sorted", nodes });
  });
  test("moves only what must move", () => {
    const nodes = [
      node("c", ["b"], ["c"]),
      node("free", ["x"], ["f"]),
      node("b", ["a"], ["b"]),
      node("a", ["x"], ["a"]),
    ];
    expect(order(nodes)).toEqual(["free", "a", "b", "c"]);
  });
  test("counts what a sub-graph reads", () => {
    const graph = conditional();
    const sorted = sortGraph({ ...graph, nodes: [...graph.nodes].reverse() });
    const names = sorted.nodes.map(({ name }) => name);
    expect(names.indexOf("sum")).toBeLessThan(names.indexOf("choice"));
  });
  test("names a cycle, and only the nodes on it", () => {
    const nodes = [
      node("before", ["x"], ["p"]),
      node("a", ["p", "c"], ["a"]),
      node("b", ["a"], ["b"]),
      node("c", ["b"], ["c"]),
      node("after", ["c"], ["q"]),
    ];
    const sorted = sortNodes(nodes);
    expect(sorted.status).toBe("cycle");
    expect(sorted.nodes.map(({ name }) => name).sort()).toEqual(["a", "b", "c"]);
    expect(() => sortGraph({ ...conditional(), nodes })).toThrow(/"a" \(Sum\)/);
  });
  test("a node that reads itself is a cycle of one", () => {
    expect(order([node("a", ["a"], ["a"])])).toEqual(["a"]);
    expect(sortNodes([node("a", ["a"], ["a"])]).status).toBe("cycle");
  });
  test("any shuffled graph without cycles is put in order", () => {
    const parents = fc.array(fc.array(fc.nat(), { maxLength: 3 }), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(parents, fc.infiniteStream(fc.nat()), (of, stream) => {
        const inOrder = of.map((reads, at) =>
          node(`${at}`, at === 0 ? ["x"] : reads.map((read) => `v${read % at}`), [`v${at}`]),
        );
        const keyed = inOrder.map((item) => ({ item, key: stream.next().value ?? 0 }));
        const shuffled = keyed.sort((a, b) => a.key - b.key).map(({ item }) => item);
        const sorted = sortNodes(shuffled);
        expect(sorted.status).toBe("sorted");
        const made = new Set(["x"]);
        for (const { inputs, outputs } of sorted.nodes) {
          for (const input of inputs) expect(made.has(input)).toBe(true);
          for (const output of outputs) made.add(output);
        }
        expect(made.size).toBe(of.length + 1);
      }),
    );
  });
});
