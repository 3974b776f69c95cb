// `godwit hold` and `godwit release`: keep jobs that wait from beginning, and let them begin again.

import { Command } from "@commander-js/extra-typings";
import { UserError } from "../core/index.ts";
import { printable } from "../report/columns.ts";
import {
  canStart,
  type Engine,
  isHeld,
  type JobRecord,
  type JobStore,
  localEngine,
  openJobStore,
} from "../systems/schedule/jobs/index.ts";
import type { CliContext } from "./context.ts";
import { jobJson } from "./job-json.ts";
import { findJob } from "./job-options.ts";
import { LEDGER_OPTION, ledgerOf } from "./open-ledger.ts";

/** The command `hold`. */
export const holdCommand = (context: CliContext) =>
  commandOf(context, "hold")
    .description("Keep jobs that wait from beginning, until they are released.")
    .addHelpText(
      "after",
      `${ABOUT}\n\nExamples:\n  $ godwit hold last\n  $ godwit hold m4x7cd eval`,
    );

/** The command `release`. */
export const releaseCommand = (context: CliContext) =>
  commandOf(context, "release")
    .description("Let jobs that were held begin again, when their plan says.")
    .addHelpText("after", "\nExamples:\n  $ godwit release last\n  $ godwit release m4x7cd --json");

const ABOUT = `
A held job keeps its place and its plan; it does not begin, even if that makes it late. A job
that runs is not held: godwit cancel ends it. On Slurm this is scontrol hold and release.`;

function commandOf(context: CliContext, verb: "hold" | "release") {
  return new Command(verb)
    .argument("<job...>", "ids, ends of ids, names, or last")
    .option("--json", "print the jobs as JSON")
    .option(...LEDGER_OPTION)
    .action(async (texts, { json, ledger }) => {
      const store = await openJobStore(ledgerOf(context, ledger).folder, { ifAbsent: "fail" });
      try {
        const jobs: JobRecord[] = [];
        for (const text of texts) jobs.push(await change(context, { store, ledger, text, verb }));
        if (json === true) context.stdout.write(`${JSON.stringify(jobs.map(jobJson), null, 2)}\n`);
      } finally {
        store.close();
      }
    });
}

async function change(
  context: CliContext,
  of: {
    readonly store: JobStore;
    readonly ledger: string | undefined;
    readonly text: string;
    readonly verb: "hold" | "release";
  },
): Promise<JobRecord> {
  const { store, verb } = of;
  const before = await findJob(store, of.text);
  requireWaiting(before, verb);
  await (await engineOf(context, before, of))[verb](before);
  const after = (await store.get(before.id)) ?? before;
  // It may have begun between the two looks.
  if (isHeld(after) !== (verb === "hold")) requireWaiting(after, verb);
  const told = verb === "hold" ? "held" : "released";
  context.stderr.write(`Job ${after.id} (${printable(after.name)}): ${told}.\n`);
  return after;
}

async function engineOf(
  context: CliContext,
  { engine }: JobRecord,
  of: { readonly store: JobStore; readonly ledger: string | undefined },
): Promise<Engine> {
  if (engine === "local")
    return localEngine({ store: of.store, host: context.host, lookAround: async () => {} });
  const { slurmOn } = await import("./slurm-ports.ts");
  return slurmOn(context, of).engine;
}

function requireWaiting(record: JobRecord, verb: "hold" | "release"): void {
  const { id, name, state, engine } = record;
  const what = `job ${id} (${printable(name)})`;
  if (engine === "local" ? !canStart(record) : state !== "waiting")
    throw new UserError("invalid-input", `${what} is ${state}`, {
      hint: `Only a job that waits can be ${verb === "hold" ? "held" : "released"}; godwit cancel ends one.`,
    });
  if (engine === "slurm" && record.externalId === null)
    throw new UserError("invalid-input", `${what} is not with Slurm yet`, {
      hint: "Try again in a minute; godwit agent --once hands it over.",
    });
}
