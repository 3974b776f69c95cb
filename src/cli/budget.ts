// `godwit budget`: does the project keep its budget? A build fails on what is surely above it.

import { dirname, resolve } from "node:path";
import { Command } from "@commander-js/extra-typings";
import type { Card } from "../core/card.ts";
import { EXIT, UserError } from "../core/index.ts";
import type { CardFilter, Ledger } from "../ledger/index.ts";
import {
  type Budget,
  type BudgetFile,
  type BudgetResult,
  firstBudget,
  judgeBudget,
  parseBudget,
} from "../measure/budget/index.ts";
import type { CliContext } from "./context.ts";
import { LEDGER_OPTION, openForReading } from "./open-ledger.ts";
import { readCards } from "./read-cards.ts";

const FILE = "godwit.budget.json";

/** Schema of the JSON of a check. */
const CHECK_SCHEMA = "godwit.budget-check/1";

/** The command `budget` with its two parts. */
export function budgetCommand(context: CliContext) {
  return new Command("budget")
    .description("Check runs against the project's budget, or write a first budget.")
    .addCommand(checkCommand(context))
    .addCommand(initCommand(context))
    .addHelpText(
      "after",
      `
Examples:
  $ godwit run -n 5 --name infer -- ./infer && godwit budget check
  $ godwit budget check --junit budget.xml --markdown "$GITHUB_STEP_SUMMARY"
  $ godwit budget init --runs infer`,
    );
}

function checkCommand(context: CliContext) {
  return new Command("check")
    .description("Judge every budget by the newest runs in the ledger.")
    .argument("[file]", "the budget file", FILE)
    .option("--junit <file>", "write JUnit XML, a test case for each budget")
    .option("--markdown <file>", "write Markdown, for a pull request; - is standard output")
    .option("--json", "print the verdicts as JSON")
    .option("--strict", "fail when a verdict is inconclusive, too")
    .option(...LEDGER_OPTION)
    .addHelpText(
      "after",
      `
A budget is exceeded only when the whole 90 % interval lies above its limit. When the
limit lies within the interval, the answer is inconclusive: more repeats tell.

Exit codes: 0 none is exceeded, 4 one is exceeded, 1 one cannot be judged because runs
or figures are missing (with --strict: or is inconclusive), 2 the file is wrong.`,
    )
    .action(async (file, { junit, markdown, json, strict, ledger: flag }) => {
      const path = resolve(context.cwd, file);
      const budgets = parseBudget(await read(path), file);
      const ledger = await openForReading(context, flag);
      const results: BudgetResult[] = [];
      try {
        for (const budget of budgets.budgets) {
          results.push(await judged(ledger, budget, { budgets, folder: dirname(path) }));
        }
      } finally {
        ledger.close();
      }
      await writeReports(context, results, { junit, markdown });
      if (json) {
        const answer = { schema: CHECK_SCHEMA, results };
        context.stdout.write(`${JSON.stringify(answer, null, 2)}\n`);
      } else if (markdown !== "-") {
        const { budgetText } = await import("./budget-text.ts");
        context.stdout.write(budgetText(results, context.stdout.columns));
      }
      context.setExitCode(exitCodeOf(results, strict === true));
    });
}

function initCommand(context: CliContext) {
  return new Command("init")
    .description("Write a first budget file from a run.")
    .argument("[file]", "file to write", FILE)
    .option("--runs <run>", "run, or name of runs, to begin with", "last")
    .option("--force", "replace a file that is there")
    .option(...LEDGER_OPTION)
    .action(async (file, { runs, force, ledger: flag }) => {
      const { access } = await import("node:fs/promises");
      const { writeFileAtomic } = await import("../core/host/write-file-atomic.ts");
      const path = resolve(context.cwd, file);
      const isThere = await access(path).then(
        () => true,
        () => false,
      );
      if (isThere && !force) {
        throw new UserError("usage", `${file} is there already`, {
          hint: "Edit it, or replace it with --force.",
        });
      }
      const ledger = await openForReading(context, flag);
      try {
        const budget = firstBudget(await ledger.get(runs));
        await writeFileAtomic(path, `${JSON.stringify(budget, null, 2)}\n`);
        const names = budget.budgets.map(({ name }) => name).join(", ");
        context.stderr.write(
          `${file}: ${names}\nAdjust the limits, commit it: godwit budget check\n`,
        );
      } finally {
        ledger.close();
      }
    });
}

async function judged(
  ledger: Ledger,
  budget: Budget,
  { budgets, folder }: { readonly budgets: BudgetFile; readonly folder: string },
): Promise<BudgetResult> {
  const runs = await newest(ledger, budget.runs, budget.repeats);
  const base = await baseOf(ledger, budget, { runs, folder });
  return judgeBudget(budget, { runs, base, intensity: budgets.intensity_gco2e_per_kwh ?? null });
}

/** The newest complete runs that are like this, apart from some. */
async function newest(
  ledger: Ledger,
  { name, tags }: { readonly name: string; readonly tags?: CardFilter["tags"] | undefined },
  count: number,
  apart: readonly Card[] = [],
): Promise<readonly Card[]> {
  const ids = new Set(apart.map(({ id }) => id));
  const found: Card[] = [];
  for await (const card of ledger.cards({ name, tags, status: "complete" })) {
    if (ids.has(card.id)) continue;
    found.push(card);
    if (found.length === count) break;
  }
  return found;
}

/** What the runs are compared with: others of the ledger, or cards that a file holds. */
async function baseOf(
  ledger: Ledger,
  { base, repeats }: Budget,
  { runs, folder }: { readonly runs: readonly Card[]; readonly folder: string },
): Promise<readonly Card[]> {
  if (base === undefined) return [];
  if (!("file" in base)) return newest(ledger, base, repeats, runs);
  return readCards(resolve(folder, base.file), base.file);
}

async function writeReports(
  context: CliContext,
  results: readonly BudgetResult[],
  {
    junit,
    markdown,
  }: { readonly junit?: string | undefined; readonly markdown?: string | undefined },
): Promise<void> {
  if (junit === undefined && markdown === undefined) return;
  const { renderBudgetJUnit, renderBudgetMarkdown } = await import("../report/exports/budget.ts");
  const { writeFileAtomic } = await import("../core/host/write-file-atomic.ts");
  if (junit !== undefined) {
    await writeFileAtomic(resolve(context.cwd, junit), renderBudgetJUnit(results));
  }
  if (markdown === undefined) return;
  const content = renderBudgetMarkdown(results);
  if (markdown === "-") context.stdout.write(content);
  else await writeFileAtomic(resolve(context.cwd, markdown), content);
}

function exitCodeOf(results: readonly BudgetResult[], strict: boolean): number {
  const has = (verdict: BudgetResult["verdict"]) =>
    results.some((result) => result.verdict === verdict);
  if (has("exceeded")) return EXIT.budgetExceeded;
  return has("missing") || (strict && has("inconclusive")) ? EXIT.failed : EXIT.done;
}

async function read(path: string): Promise<string> {
  const { readFile } = await import("node:fs/promises");
  return readFile(path, "utf8").catch((cause: unknown) => {
    throw new UserError("invalid-input", `cannot read ${path}`, {
      hint: "godwit budget init writes a first budget.",
      cause,
    });
  });
}
