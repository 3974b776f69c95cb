// Verdicts on budgets for the terminal: a line each, then why.

import type { BudgetResult } from "../measure/budget/index.ts";
import { printable, wrap } from "../report/columns.ts";
import { limitText, methodText, observedText } from "../report/exports/budget.ts";
import { textTable } from "./text-table.ts";

/** Lines of at most `width` columns, with a line break at the end. */
export function budgetText(results: readonly BudgetResult[], width: number): string {
  const table = textTable(
    [
      { title: "BUDGET", flexible: true },
      { title: "OBSERVED (90 %)", align: "right" },
      { title: "LIMIT", align: "right" },
      { title: "VERDICT" },
    ],
    results.map((result) => [
      printable(result.name),
      observedText(result),
      limitText(result),
      result.verdict,
    ]),
    width,
  );
  const reasons = results
    .filter(({ verdict }) => verdict !== "within")
    .flatMap((result) =>
      wrap(printable(`${result.name}: ${result.reason} (${methodText(result)})`), width),
    );
  return `${[...table, ...(reasons.length === 0 ? [] : ["", ...reasons])].join("\n")}\n`;
}
