import { describe, expect, it } from "vitest";
import { CASES, type Case, MS } from "../../../../test/operator-work.ts";
import { single } from "../../../../test/small-model.ts";
import { countModel } from "../count-model.ts";
import { nodesIn } from "../entry.ts";
import { MICROSOFT_RULES, STANDARD_RULES } from "./index.ts";

function counted({ op, inputs, attributes = {}, outputs = 1, opset = 21, domain }: Case) {
  const model = single(op, inputs, { attributes, outputs, opset, ...(domain && { domain }) });
  const [cost] = [...nodesIn(countModel(model).entries)];
  return {
    macs: cost?.macs,
    other: Number(cost?.flops) - 2 * Number(cost?.macs),
    why: cost?.uncounted,
  };
}

describe("the work of an operator", () => {
  it.each(CASES.map((one) => [one.domain ?? "ai.onnx", one.op, one] as const))(
    "is counted for %s %s",
    (_domain, _op, one) => {
      expect(counted(one)).toEqual({ macs: one.macs, other: one.other, why: null });
    },
  );

  it("is worked out by hand for every rule", () => {
    const tried = (domain: string | undefined): ReadonlySet<string> =>
      new Set(CASES.filter((one) => one.domain === domain).map(({ op }) => op));
    const missing = (rules: object, cases: ReadonlySet<string>): readonly string[] =>
      Object.keys(rules).filter((op) => !cases.has(op));
    expect(missing(STANDARD_RULES, tried(undefined))).toEqual([]);
    expect(missing(MICROSOFT_RULES, tried(MS))).toEqual([]);
  });

  it("stays symbolic for sizes that are not chosen", () => {
    const model = single("MatMul", { a: ["batch", "seq", 8], b: [8, 4] });
    const { totals, symbols } = countModel(model);
    expect(totals.macs?.most).toMatchObject({ key: "32*batch*seq" });
    expect(symbols).toEqual(["batch", "seq"]);
  });

  it("names an operator without a rule and does not count it as zero", () => {
    const { uncounted, totals } = countModel(
      single("TopK", { x: [4], k: { type: "int64", shape: [1] } }, { outputs: 2 }),
    );
    expect(uncounted).toEqual([
      { operator: "TopK", reason: "there is no rule for it", nodes: ["TopK_0"] },
    ]);
    expect(totals.uncounted).toBe(1);
  });

  it("says why a node with a rule cannot be counted", () => {
    const model = single("Conv", { x: [1, 3, 5, 5], w: [4, 3, 3, 3] });
    const conv = model.graph?.nodes[0];
    const broken = {
      ...model,
      graph: { ...model.graph, nodes: [{ ...conv, inputs: ["x", "nothing"] }] },
    };
    expect(countModel(broken as typeof model).uncounted[0]?.reason).toContain('"nothing"');
  });
});
