// `godwit jobs`: what is in the queue, or all about one job.

import { Command } from "@commander-js/extra-typings";
import { formatDuration, formatFigure, formatQuantity, reasonOf } from "../core/index.ts";
import { type TimeZone, timeZone } from "../core/time-zone.ts";
import { padded, printable } from "../report/columns.ts";
import { momentText, shortMoment } from "../report/plan-words.ts";
import { accountJson } from "../report/savings-words.ts";
import { savingVerb } from "../systems/schedule/index.ts";
import {
  type Account,
  isFinal,
  isHeld,
  type JobRecord,
  type JobStore,
  OPEN_STATES,
  openJobStore,
  planOf,
  type Unaccounted,
} from "../systems/schedule/jobs/index.ts";
import { agentHolder } from "./agent-holder.ts";
import type { CliContext } from "./context.ts";
import { jobJson } from "./job-json.ts";
import { findJob } from "./job-options.ts";
import { LEDGER_OPTION, ledgerOf, openCards } from "./open-ledger.ts";
import { textTable } from "./text-table.ts";

/** The command `jobs`. */
export function jobsCommand(context: CliContext) {
  return new Command("jobs")
    .description("List the jobs in the queue, or show one with its plan and history.")
    .argument("[job]", "id, the end of an id, a name, or last")
    .option("--all", "also those that have ended")
    .option("--json", "print them as JSON")
    .option(...LEDGER_OPTION)
    .addHelpText(
      "after",
      "\nExamples:\n  $ godwit jobs\n  $ godwit jobs --all --json\n  $ godwit jobs last",
    )
    .action(async (text, { all, json, ledger }) => {
      const store = await openJobStore(ledgerOf(context, ledger).folder, { ifAbsent: "fail" });
      try {
        if (text !== undefined)
          await showOne(context, { store, text, ledger, isJson: json === true });
        else await showAll(context, { store, all: all === true, isJson: json === true });
      } finally {
        store.close();
      }
    });
}

async function showAll(
  context: CliContext,
  {
    store,
    all,
    isJson,
  }: { readonly store: JobStore; readonly all: boolean; readonly isJson: boolean },
): Promise<void> {
  const jobs = await store.list(all ? {} : { states: OPEN_STATES }, ({ error }) =>
    context.stderr.write(`${reasonOf(error)}\n`),
  );
  const agent = await agentHolder(context, store);
  if (isJson) {
    const json = {
      schema: "godwit.jobs/1",
      agent_pid: agent?.pid ?? null,
      jobs: jobs.map(jobJson),
    };
    context.stdout.write(`${JSON.stringify(json, null, 2)}\n`);
    return;
  }
  const zone = timeZone(context.host.facts.timeZone);
  const lines = textTable(
    [
      { title: "JOB" },
      { title: "NAME", flexible: true },
      { title: "STATE" },
      { title: "BEGINS" },
      { title: "DEADLINE" },
      { title: "SAVING", align: "right" },
    ],
    jobs.map((job) => rowOf(job, zone)),
    context.stdout.columns,
  );
  if (jobs.length > 0) context.stdout.write(`${lines.join("\n")}\n`);
  else
    context.stderr.write(
      all ? "No jobs yet.\n" : "No jobs in the queue. --all shows older ones.\n",
    );
  if (agent === null && jobs.some((job) => !isFinal(job)))
    context.stderr.write("No agent runs what is in the queue: start one with `godwit agent`.\n");
}

const rowOf = (job: JobRecord, zone: TimeZone): readonly string[] => [
  job.id.split("-").at(-1) ?? job.id,
  job.name,
  isHeld(job) && job.state === "waiting" ? "held" : job.state,
  shortMoment(job.startedAt ?? planOf(job).runs[0]?.start ?? job.job.earliest, zone),
  shortMoment(job.job.deadline, zone),
  expectedSaving(job),
];

/** As planned; what really was saved `godwit savings` tells. */
function expectedSaving(job: JobRecord): string {
  const { saving, counterfactual } = planOf(job);
  return `~${((100 * saving.value) / counterfactual.emissions.value).toFixed(1)} %`;
}

async function showOne(
  context: CliContext,
  {
    store,
    text,
    ledger,
    isJson,
  }: {
    readonly store: JobStore;
    readonly text: string;
    readonly ledger: string | undefined;
    readonly isJson: boolean;
  },
): Promise<void> {
  const found = await findJob(store, text);
  const { job, account } = isFinal(found)
    ? await settled(context, found, { store, ledger })
    : { job: found, account: null };
  const history = await store.history(job.id);
  if (isJson) {
    const entries = history.map(({ at, kind, text: what }) => ({
      ...{ at: new Date(at * 1000).toISOString(), kind, text: what },
    }));
    const json = { ...jobJson(job), account: accountJson(account), history: entries };
    context.stdout.write(`${JSON.stringify(json, null, 2)}\n`);
    return;
  }
  const zone = timeZone(context.host.facts.timeZone);
  const own = planOf(job);
  const lines: readonly (readonly [string, string])[] = [
    ["job", `${job.id} (${job.name})`],
    ["state", `${job.state}: ${job.reason}`],
    ["command", job.command.map((word) => JSON.stringify(word)).join(" ")],
    ["in", job.cwd],
    ["deadline", momentText(job.job.deadline, zone)],
    ["latest start", momentText(own.latestStart, zone)],
    ["planned", own.runs.map((run) => spanText(run, zone)).join("; ")],
    [
      "ran",
      job.spans.length === 0 ? "not yet" : job.spans.map((run) => spanText(run, zone)).join("; "),
    ],
    ["expected", formatFigure(own.expected)],
    [savingVerb(job.plan.kind), formatFigure(own.saving)],
    ["because", own.reasons.map((reason) => reason.text).join("; ")],
    ["signal", `${job.forecast.zone}, ${job.forecast.kind}; ${job.forecast.source}`],
    ...realised(account),
    ...nodeCounters(job),
    ["output", job.stdout],
    ["errors", job.stderr],
    ...(job.cards.length === 0 ? [] : [["cards", job.cards.join(", ")] as const]),
    ...history.map(({ at, kind, text: what }, index): readonly [string, string] => [
      index === 0 ? "history" : "",
      `${new Date(at * 1000).toISOString().slice(0, 19)}Z  ${kind}: ${what}`,
    ]),
  ];
  for (const [label, words] of lines)
    context.stdout.write(`${padded(label, 14)}${printable(words)}\n`);
}

/** An ended job with all its cards, and what it really saved; null where that cannot be looked up. */
async function settled(
  context: CliContext,
  found: JobRecord,
  of: { readonly store: JobStore; readonly ledger: string | undefined },
): Promise<{ readonly job: JobRecord; readonly account: Account | Unaccounted | null }> {
  const { withLateCards } = await import("./job-cards.ts");
  const { accountOn } = await import("./savings-accounts.ts");
  const say = (text: string): void => void context.stderr.write(`${text}\n`);
  let job = found;
  try {
    job = await withLateCards(context, found, of);
    const ledger = await openCards(context, of.ledger);
    try {
      return { job, account: await accountOn(context, job, { ...of, ledger, actual: null }, say) };
    } finally {
      ledger?.close();
    }
  } catch (error) {
    say(`what it saved cannot be looked up: ${reasonOf(error)}`);
    return { job, account: null };
  }
}

/** What it used and saved; why that is not known where it is not. */
function realised(account: Account | Unaccounted | null): readonly (readonly [string, string])[] {
  if (account === null) return [];
  if ("reason" in account) return [["saved", `not known: ${account.reason}`]];
  const { energy, saving, share, trace } = account;
  const judged = trace.kind === "forecast" ? "; by the forecast: what came is not known yet" : "";
  return [
    ["energy", `${formatFigure(energy)}, ${energy.method} (${energy.source})`],
    ["saved", `${formatFigure(saving)}, ${(100 * share).toFixed(1)} %${judged}`],
  ];
}

/** Slurm's counters are of whole nodes: the job's energy only where it had them to itself. */
function nodeCounters({ engineData }: JobRecord): readonly (readonly [string, string])[] {
  const { nodeJoules = null, nodeJoulesScope = null } = engineData;
  if (nodeJoules === null) return [];
  const whose =
    nodeJoulesScope === "exclusive"
      ? "it had them to itself"
      : "exclusive only: others may have run there, so it is not the job's energy";
  return [["nodes' counters", `${formatQuantity(Number(nodeJoules), "J")} (${whose})`]];
}

const spanText = (
  { start, end }: { readonly start: number; readonly end: number | null },
  zone: TimeZone,
): string =>
  `${shortMoment(start, zone)} ${end === null ? "until now" : `for ${formatDuration(end - start)}`}`;
