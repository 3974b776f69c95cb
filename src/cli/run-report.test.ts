import { expect, test } from "vitest";
import { exampleCard } from "../../test/example-card.ts";
import { planOf, runOptions } from "./run-options.ts";
import { renderRuns, runsToJson } from "./run-report.ts";

const planFor = (runs: number) => {
  const options = runOptions().parse(["-n", String(runs), "train"], { from: "user" });
  return planOf(["train"], options.opts(), { env: {}, cwd: "/" });
};

const textOf = (count: number, runs: number, notices: readonly string[] = []): string =>
  renderRuns(
    Array.from({ length: count }, () => exampleCard()),
    { plan: planFor(runs), notices, savedTo: null, width: 80, paint: (_, text) => text },
  );

test("a spread from run to run does not pass for a measurement: estimates say so", () => {
  const lines = textOf(2, 2).split("\n");
  expect(lines.find((line) => line.includes("energy"))).toMatch(/4\.50 kJ +estimated$/);
  expect(lines.find((line) => line.includes("emissions"))).toMatch(/475 mgCO2e +estimated$/);
  expect(lines.find((line) => line.includes("time"))).toMatch(/to 1 min$/);
  const { summary } = JSON.parse(runsToJson([exampleCard()], { plan: planFor(2), notices: [] }));
  expect(summary).toMatchObject({ energy_j: { method: "estimated", values: [4500] } });
});

test("notices stand in line with the card's own notes", () => {
  const notes = textOf(1, 1, ["the budget is used up"]).match(/^ +note +/gm);
  expect(new Set(notes)).toEqual(new Set(["  note        "]));
});
