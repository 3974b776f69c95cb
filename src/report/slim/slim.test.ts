import { describe, expect, test } from "vitest";
import { figure } from "../../core/index.ts";
import { paretoChart } from "../charts/pareto.ts";
import { slimHtml } from "./html.ts";
import { slimMarkdown } from "./markdown.ts";
import type { SlimReport, SlimTrial } from "./report.ts";
import { changeText, dropText, payBackText, ratioText, trialText } from "./words.ts";

const HOSTILE = "<img src=x onerror=alert(1)>";
const trial: SlimTrial = {
  ...{ name: HOSTILE, verdict: "not-shown", faults: [] },
  before: { value: 0.955, interval: [0.92, 0.97] },
  after: { value: 0.945, interval: null },
  difference: { absolute: 1, relative: 0.1, nonFinite: [], worst: [{ row: 7, change: 0.5 }] },
  answers: [{ row: 7, before: "cat", after: HOSTILE }],
  test: {
    ...{ drop: 0.01, upper: 0.024, margin: 0.005, alpha: 0.05, isShown: false, method: "exact" },
    ...{ samples: 400, lost: 5, won: 1, needed: 1860 },
  },
};
const cost = (
  name: string,
  value: number,
  verdict: "less" | "noise",
): SlimReport["costs"][number] => ({
  ...{ name, settings: "1 thread", cpu: { median: 0.02, low: 0.019, high: 0.022 } },
  latency: { p50: 0.02, p95: 0.03 },
  ratio: { value, low: value - 0.02, high: value + 0.02, verdict },
});
const report: SlimReport = {
  ...{
    schema: "godwit.slim/1",
    godwit: "0.0.0",
    runtime: "onnxruntime-node 1",
    madeAt: "2026-01-01T00:00:00Z",
  },
  machine: { id: "m", cpu: "a CPU", int8: "VNNI" },
  ...{
    outcome: "improved",
    answer: HOSTILE,
    objective: "energy",
    metric: "accuracy",
    maxDrop: 0.005,
  },
  original: { path: `/m/${HOSTILE}.onnx`, sha256: "aa", bytes: 1e7 },
  result: { path: "/m/b.onnx", sha256: "bb", bytes: 3e6 },
  data: { name: "d", calibration: 60, training: 90, search: 200, verify: 400, notes: [HOSTILE] },
  recipe: null,
  ...{
    tuning: [],
    trials: [trial],
    front: [HOSTILE],
    operators: [{ operator: "Conv", before: 0.01, after: 0 }],
  },
  candidates: [
    {
      ...{
        name: HOSTILE,
        steps: [],
        bytes: 3e6,
        quality: 0.94,
        drop: 0.01,
        changed: 0.02,
        spread: 0.02,
      },
      ...{
        rows: 200,
        cpu: 0.01,
        latency: 0.01,
        ratio: { value: 0.6, low: 0.58, high: 0.62 },
        refusals: 2,
      },
    },
  ],
  costs: [cost("original, tuned session", 1, "noise"), cost("result", 0.6, "less")],
  energy: { before: null, after: null, spent: null, paidBackAfter: null },
  refused: [{ what: HOSTILE, reason: "no kernel" }],
  ...{ command: `godwit slim ${HOSTILE}`, cards: [] },
};

describe("a search in words", () => {
  test("never says kept where it is not shown", () => {
    const words = trialText("accuracy", trial);
    expect(words).toContain("NOT SHOWN to be within 0.50 pp; about 1,860 samples could show it");
    expect(words).toContain("accuracy 95.50 % to 94.50 %");
    expect(trialText("accuracy", { ...trial, verdict: "shown" })).not.toContain("NOT");
  });

  test("changes have a sign, noise is called noise, points are for shares", () => {
    expect(changeText(0.57)).toBe("\u221243 %");
    expect(changeText(1.02)).toBe("+2.0 %");
    expect(ratioText({ value: 0.9, low: 0.7, high: 1.1, verdict: "noise" })).toContain(
      "within noise",
    );
    expect(dropText("mse", 0.25)).toBe("0.25");
    expect(dropText("cosine", 3e-13)).toBe("below 0.000001");
    expect(dropText("accuracy", Number.POSITIVE_INFINITY)).toBe("not known");
  });

  test("what the search used stands beside the samples that pay it back", () => {
    const source = { method: "estimated", source: "a test" } as const;
    const spent = figure("J", 1000, { low: 500, high: 2000 }, source);
    const energy = { before: null, after: null, spent, paidBackAfter: 2499.2 };
    expect(payBackText({ energy })).toContain("(estimated), paid back after 2,500 samples");
    expect(payBackText({ energy: { ...energy, paidBackAfter: null } })).not.toContain("paid back");
    expect(payBackText(report)).toBe("the energy of this search is not known");
  });

  test("names cannot break out of a page or of Markdown", () => {
    const page = slimHtml(report);
    expect(page).not.toContain("<img");
    for (const part of [
      "What was found",
      "Where the time goes",
      "Samples that changed most",
      "SHA-256 bb",
    ]) {
      expect(page).toContain(part);
    }
    // In a block of code it is only text.
    expect(slimMarkdown(report).split("```")[0]).not.toContain("<img");
  });

  test("the front is described for those who cannot see it", () => {
    const points = [
      { label: "int8", drop: 0.5, cost: 0.6, isFront: true, isChosen: true },
      { label: "thin", drop: 2, cost: 0.4, isFront: true, isChosen: false },
    ];
    const chart = paretoChart(
      { title: "Candidates", dropLabel: "drop", costLabel: "CPU", points, budget: 1 },
      { id: "p", width: 600, height: 300 },
    );
    expect(chart).toContain("Chosen: int8, drop 0.50, 60 % of the cost.");
    expect(chart).not.toContain("NaN");
  });

  test("the budget's name stays on the picture where its line is at the edge", () => {
    const drawn = (drop: number): string =>
      paretoChart(
        {
          ...{ title: "Candidates", dropLabel: "drop", costLabel: "CPU", budget: 1 },
          points: [{ label: "int8", drop, cost: 0.6, isFront: true, isChosen: true }],
        },
        { id: "p", width: 600, height: 300 },
      ).toString();
    expect(drawn(0)).toMatch(/x="580"[^>]*text-anchor="end"[^>]*>budget/);
    expect(drawn(4)).toMatch(/text-anchor="start"[^>]*>budget/);
  });

  test("nothing is marked as chosen where nothing was written", () => {
    expect(slimHtml(report)).toContain("Chosen: ");
    expect(slimHtml({ ...report, result: null })).toContain("None was chosen.");
  });
});
