// `godwit runs`: what the ledger holds, newest first.

import { Command, Option } from "@commander-js/extra-typings";
import { formatDuration, formatQuantity, type Method, UserError } from "../core/index.ts";
import type { CardFilter, CardSummary, Ledger } from "../ledger/index.ts";
import type { CliContext } from "./context.ts";
import { LEDGER_OPTION } from "./open-ledger.ts";
import { tagOption } from "./tag-option.ts";
import { textTable } from "./text-table.ts";
import { parseCount, parseDuration } from "./values.ts";

/** The command `runs`. */
export function runsCommand(context: CliContext) {
  return new Command("runs")
    .description("List the runs in the ledger, newest first.")
    .option("--name <text>", "runs whose name contains this")
    .addOption(tagOption("runs with this tag; repeat for several"))
    .option(
      "--since <when>",
      "runs since a date, or since so long ago: 2026-01-31, 7d, 12h",
      (text) => parseSince(text, context.host.wall()),
    )
    .addOption(
      new Option("--status <status>", "runs that ended so").choices([
        "complete",
        "failed",
        "interrupted",
      ] as const),
    )
    .option(
      "--limit <count>",
      "at most so many; 0 for all",
      (text) => parseCount("--limit", text, 0),
      20,
    )
    .option(...LEDGER_OPTION)
    .option("--json", "print the list as JSON")
    .addHelpText(
      "after",
      "\nExamples:\n  $ godwit runs --since 7d\n  $ godwit runs --tag model=resnet50 --json",
    )
    .action(async ({ name, tag, since, status, limit, ledger: flag, json }) => {
      const { isEmptyLedger, ledgerOf, nameOf, openForReading } = await import("./open-ledger.ts");
      const location = ledgerOf(context, flag);
      const place = nameOf(location);
      const isNew = await isEmptyLedger(location);
      const filter: CardFilter = { nameContains: name, tags: tag, since, status };
      // A project without a run is no fault; a folder that somebody named is.
      const runs =
        isNew && location.chosenBy === "project"
          ? { shown: [], more: false, underWay: 0 }
          : await listRuns(await openForReading(context, flag), filter, limit);
      if (json) context.stdout.write(runsJson(place, runs.shown));
      else if (runs.shown.length === 0) context.stderr.write(emptyText(isNew, place));
      else printTable(context, runs);
      if (runs.underWay > 0) context.stderr.write(`Under way: ${runs.underWay}\n`);
    });
}

interface Runs {
  readonly shown: readonly CardSummary[];
  /** Whether there are more than were asked for. */
  readonly more: boolean;
  /** Runs that have samples and no card yet. */
  readonly underWay: number;
}

async function listRuns(ledger: Ledger, filter: CardFilter, limit: number): Promise<Runs> {
  try {
    const runs = await ledger.list({ ...filter, limit: limit === 0 ? undefined : limit + 1 });
    const underWay = await countUnderWay(ledger);
    return limit === 0
      ? { shown: runs, more: false, underWay }
      : { shown: runs.slice(0, limit), more: runs.length > limit, underWay };
  } finally {
    ledger.close();
  }
}

async function countUnderWay(ledger: Ledger): Promise<number> {
  const { listSegments } = await import("../ledger/index.ts");
  const kept = await Promise.all((await listSegments(ledger.folder)).map((id) => ledger.has(id)));
  return kept.filter((isKept) => !isKept).length;
}

const emptyText = (isNew: boolean, place: string): string =>
  isNew
    ? "No runs yet. Measure one with: godwit run -- COMMAND\n"
    : `No runs in ${place} are like that.\n`;

function runsJson(place: string, runs: readonly CardSummary[]): string {
  const listed = runs.map(({ durationS, energy, emissions, startedAt, ...run }) => ({
    ...run,
    started_at: startedAt,
    duration_s: durationS,
    energy_j: energy?.joules ?? null,
    energy_method: energy?.method ?? null,
    emissions_gco2e: emissions?.gramsCO2e ?? null,
    emissions_method: emissions?.method ?? null,
  }));
  return `${JSON.stringify({ schema: "godwit.runs/1", ledger: place, runs: listed }, null, 2)}\n`;
}

function printTable(context: CliContext, { shown, more }: Runs): void {
  const handles = handlesOf(shown.map(({ id }) => id));
  const now = context.host.wall();
  const rows = shown.map((run, at) => [
    handles[at] ?? run.id,
    run.name,
    agoOf(Date.parse(run.startedAt), now),
    formatDuration(run.durationS),
    run.energy === null ? "-" : marked(formatQuantity(run.energy.joules, "J"), run.energy.method),
    run.emissions === null
      ? "-"
      : marked(formatQuantity(run.emissions.gramsCO2e, "gCO2e"), run.emissions.method),
    run.status === "complete" ? "ok" : run.status,
  ]);
  const lines = textTable(
    [
      { title: "RUN" },
      { title: "NAME", flexible: true },
      { title: "STARTED" },
      { title: "TIME", align: "right" },
      { title: "ENERGY", align: "right" },
      { title: "EMISSIONS", align: "right" },
      { title: "STATUS" },
    ],
    rows,
    context.stdout.columns,
  );
  context.stdout.write(`${lines.join("\n")}\n`);
  if (rows.some((row) => row.some((cell) => cell.startsWith("~")))) {
    context.stderr.write("~ estimated or declared, not measured\n");
  }
  if (more) context.stderr.write("There are more; --limit 0 shows all.\n");
}

/** A value that no sensor gave is marked. */
const marked = (text: string, method: Method): string =>
  method === "measured" || method === "sampled" ? text : `~${text}`;

/** The second half of each id where it is enough to tell the run, else the whole id. */
function handlesOf(ids: readonly string[]): readonly string[] {
  const short = ids.map((id) => /^[0-9a-z]{9}-([0-9a-z]{6})$/.exec(id)?.[1] ?? id);
  return ids.map((id, at) => {
    const own = short[at] ?? id;
    return short.filter((one) => one === own).length === 1 ? own : id;
  });
}

/** How long ago an instant was; the date when that is longer than a month. */
function agoOf(instant: number, now: number): string {
  const seconds = Math.floor((now - instant) / 1000);
  if (seconds < 0 || seconds >= 31 * 86_400) return new Date(instant).toISOString().slice(0, 10);
  if (seconds < 60) return "just now";
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ago`;
  return `${Math.floor(seconds / 86_400)} d ago`;
}

/**
 * An instant from a date, a date with time, or a time ago such as `7d`; milliseconds since 1970. A
 * date without a time or zone is midnight UTC.
 */
export function parseSince(text: string, now: number): number {
  const isDate = /^\d{4}-\d{2}-\d{2}/.test(text);
  const instant = isDate ? Date.parse(text) : now - agoSeconds(text) * 1000;
  if (!Number.isNaN(instant)) return instant;
  throw new UserError("usage", `--since: cannot read "${text}"`, {
    hint: "Give a date (2026-01-31), a time (2026-01-31T12:00Z) or a time ago (30min, 12h, 7d).",
  });
}

function agoSeconds(text: string): number {
  try {
    return parseDuration("--since", text);
  } catch {
    // A date may have been meant as well; the caller says what both look like.
    return Number.NaN;
  }
}
