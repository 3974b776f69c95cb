import { describe, expect, test } from "vitest";
import type { Node } from "../onnx/index.ts";
import { checkAlias } from "./alias.ts";
import { graphLiteral, node, port } from "./graph-literal.ts";

/** Whether "y" may be written over "x"; the reason when not. */
function verdict(nodes: readonly Node[], outputs: readonly string[] = ["y"]): string {
  const inputs = ["x", "g"].map((name) => port(name, "float32", ["n"]));
  const { graph } = graphLiteral(
    nodes,
    inputs,
    outputs.map((name) => port(name, "float32", ["n"])),
  );
  try {
    if (graph !== undefined) checkAlias(graph, "x", "y", "the model");
    return "allowed";
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

describe("an output may be written over an input", () => {
  test("when it comes from it element by element", () => {
    expect(verdict([node("Relu", ["x"], ["y"])])).toBe("allowed");
    expect(verdict([node("Mul", ["x", "g"], ["a"]), node("Add", ["a", "g"], ["y"])])).toBe(
      "allowed",
    );
  });

  test("when it is read again only after it was replaced, by way of the output", () => {
    const update = [node("Sub", ["x", "g"], ["y"]), node("MatMul", ["y", "g"], ["z"])];
    expect(verdict(update, ["y", "z"])).toBe("allowed");
  });

  test("when it has nothing to do with the input at all", () => {
    expect(verdict([node("Neg", ["g"], ["y"])])).toBe("allowed");
  });

  test.each([
    [
      "a node that mixes elements reads it",
      [node("MatMul", ["x", "g"], ["y"])],
      "(MatMul)|MatMul node",
    ],
    [
      "another branch reads it",
      [node("Sub", ["x", "g"], ["y"]), node("Exp", ["x"], ["z"])],
      "Exp node may read it later",
    ],
    [
      "another branch reads what is made of it, which fusing may turn into reading it",
      [
        node("Mul", ["x", "g"], ["a"]),
        node("Add", ["a", "g"], ["y"]),
        node("MatMul", ["a", "g"], ["z"]),
      ],
      "MatMul node may read it later",
    ],
    [
      "a sum over it is needed on the way",
      [node("ReduceSum", ["x"], ["a"]), node("Sub", ["g", "a"], ["y"])],
      "ReduceSum node does not go element by element",
    ],
    [
      "the node that makes it mixes elements",
      [node("Softmax", ["g"], ["y"])],
      "Softmax node does not",
    ],
    ["no node makes it", [node("Relu", ["x"], ["z"])], "no node makes the output"],
  ] as const)("not when %s", (_, nodes, reason) => {
    expect(verdict(nodes)).toMatch(new RegExp(reason));
  });

  test("not when an operator of the name belongs to someone else", () => {
    expect(verdict([{ ...node("Relu", ["x"], ["y"]), domain: "my.domain" }])).toContain("Relu");
  });

  test("not when the body of a loop reads it", () => {
    const body = graphLiteral(
      [node("Neg", ["x"], ["inner"])],
      [],
      [port("inner", "float32")],
    ).graph;
    if (body === undefined) throw new Error("a graph by construction");
    const branch: Node = {
      ...node("If", ["c"], ["z"]),
      attributes: [{ name: "then_branch", kind: "graph", value: body }],
    };
    expect(verdict([branch, node("Relu", ["x"], ["y"])])).toContain(
      "If node reads it inside its body",
    );
  });

  test("not when a value made of it on the way is an output too", () => {
    const nodes = [node("Mul", ["x", "g"], ["a"]), node("Add", ["a", "g"], ["y"])];
    expect(verdict(nodes, ["y", "a"])).toContain("another output is made from it");
  });
});
