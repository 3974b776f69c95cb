// The verdicts on budgets for machines and people: JUnit XML, which every CI shows, and Markdown for a
// pull request or a job summary. Names are whatever a budget file holds, and are escaped.

import { formatQuantity, significant } from "../../core/index.ts";
import type { BudgetResult, Interval } from "../../measure/budget/index.ts";
import { escapeMarkdown } from "../markdown.ts";
import { element, legible, type Markup, text } from "../markup.ts";

/** One test suite with a case for each budget; inconclusive ones are skipped, not passed. */
export function renderBudgetJUnit(results: readonly BudgetResult[]): string {
  const count = (verdict: BudgetResult["verdict"]) =>
    results.filter((result) => result.verdict === verdict).length;
  const totals = {
    name: "godwit budget",
    tests: results.length,
    failures: count("exceeded"),
    errors: count("missing"),
    skipped: count("inconclusive"),
    time: 0,
  };
  const suite = element("testsuite", totals, ...results.map(testCase));
  return `<?xml version="1.0" encoding="UTF-8"?>\n${element("testsuites", {}, suite)}\n`;
}

function testCase(result: BudgetResult): Markup {
  const attributes = {
    classname: "godwit.budget",
    name: legible(result.name),
    time: 0,
  };
  const message = `${result.reason}: ${budgetSentence(result)}`;
  switch (result.verdict) {
    case "within":
      return element("testcase", attributes, element("system-out", {}, text(message)));
    case "exceeded": {
      const fault = { message, type: "exceeded" };
      return element("testcase", attributes, element("failure", fault, text(message)));
    }
    case "missing":
      return element("testcase", attributes, element("error", { message, type: "missing" }));
    case "inconclusive":
      return element("testcase", attributes, element("skipped", { message }));
    default:
      return result.verdict satisfies never;
  }
}

const MARK: Readonly<Record<BudgetResult["verdict"], string>> = {
  within: "✔ within",
  exceeded: "✖ exceeded",
  inconclusive: "? inconclusive",
  missing: "✖ missing",
};

/** A section with a table, the worst first. */
export function renderBudgetMarkdown(results: readonly BudgetResult[]): string {
  const order = ["exceeded", "missing", "inconclusive", "within"];
  const sorted = [...results].sort((a, b) => order.indexOf(a.verdict) - order.indexOf(b.verdict));
  const rows = sorted.map((result) => [
    escapeMarkdown(result.name),
    MARK[result.verdict],
    observedText(result),
    limitText(result),
    escapeMarkdown(methodText(result)),
    escapeMarkdown(result.reason),
  ]);
  const head = ["budget", "verdict", "observed (90 % interval)", "limit", "how", "why"];
  const lines = [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`);
  return `## Energy budget\n\n${lines.join("\n")}\n`;
}

/** `energy_j 12.4 J (12.0 to 12.9), limit 10.0 J, measured, 5 runs`. */
export function budgetSentence(result: BudgetResult): string {
  const runs = `${result.runs.length} ${result.runs.length === 1 ? "run" : "runs"}`;
  return `${result.metric} ${observedText(result)}, limit ${limitText(result)}, ${methodText(result)}, ${runs}`;
}

/** What was seen: the value, or how it stands to the base. */
export function observedText({ unit, observed, ratio, kind }: BudgetResult): string {
  const quantity = (value: number) => formatQuantity(value, unit).replace("parameters", "").trim();
  const value = observed === null ? "unknown" : rangeText(observed, quantity);
  return kind === "absolute" || ratio === null ? value : rangeText(ratio, changeText);
}

export function limitText({ unit, limit, kind }: BudgetResult): string {
  return kind === "absolute" ? formatQuantity(limit, unit) : changeText(limit);
}

/** How the figures came to be; what only stands for energy says so. */
export function methodText({ methods, isProxy }: BudgetResult): string {
  const said = methods.join(" and ") || "unknown";
  return isProxy ? `${said}, stands for energy` : said;
}

function rangeText({ value, low, high }: Interval, print: (value: number) => string): string {
  return low === high ? print(value) : `${print(value)} (${print(low)} to ${print(high)})`;
}

/** `+5.0 %` of the base. */
function changeText(ratio: number): string {
  const change = (ratio - 1) * 100;
  return `${change > 0 ? "+" : ""}${significant(Number(change.toFixed(2)), 2)} %`;
}
