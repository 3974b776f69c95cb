// `godwit tune`: a search of hyper-parameters over any command. Each run is a run of godwit, kept in the
// ledger; the search has a card of its own, with the energy of all of them.

import { createHash } from "node:crypto";
import type { Card } from "../core/card.ts";
import { newCardId } from "../core/id.ts";
import { EXIT, UserError } from "../core/index.ts";
import type { Ledger, LedgerPlace } from "../ledger/index.ts";
import {
  type Assignment,
  type Outcome,
  type SearchResult,
  search,
} from "../models/search/index.ts";
import { headlineEnergy } from "../report/index.ts";
import type { CliContext } from "./context.ts";
import { ledgerOf, openForReading } from "./open-ledger.ts";
import { planOfTune, type TuneOptions, type TunePlan, tuneOptions } from "./tune-options.ts";
import { outcomeLine, tuneJson, tuneText } from "./tune-text.ts";
import { runAssignment, type WorkerResult } from "./tune-worker.ts";

export const tuneCommand = (context: CliContext) =>
  tuneOptions().action(async (command, options) => {
    const plan = planOfTune(options, context.cwd);
    tellUnused(context, plan, command);
    const tune = await openTune(context, { plan, command, options });
    const stopping = listenForStop();
    const result = await search({
      ...{ space: plan.space, sampler: plan.sampler, scheduler: plan.scheduler, goal: plan.goal },
      ...{ seed: options.seed, workers: options.workers, known: tune.known },
      ...(plan.maxEnergy === null ? {} : { maxEnergy: plan.maxEnergy }),
      signal: stopping.signal,
      evaluate: (assignment, signal) => evaluate(tune, assignment, signal),
      onOutcome: (outcome, all) => {
        if (!options.quiet) context.stderr.write(outcomeLine(outcome, all, plan));
      },
    }).finally(stopping.end);
    const card = await keepSearchCard(tune, result);
    const told = { ...{ id: tune.id, plan, command, result, card }, notes: tune.notes };
    context.stdout.write(options.json ? tuneJson(told) : tuneText(told, context.stdout.columns));
    for (const note of new Set(tune.notes)) context.stderr.write(`note: ${note}\n`);
    endAs(context, tune, result);
  });

/** A search under way. */
interface Tune {
  readonly context: CliContext;
  readonly id: string;
  readonly name: string;
  readonly plan: TunePlan;
  readonly command: readonly string[];
  readonly options: TuneOptions;
  readonly place: LedgerPlace;
  readonly known: readonly Outcome[];
  /** Cards of this search's runs, by trial and resource. */
  readonly cards: Map<string, Card>;
  readonly notes: string[];
  failures: number;
}

/** Tag under which the runs of a search are kept, and the tag of what the search was. */
const SEARCH_TAG = "search";
const PLAN_TAG = "plan";

async function openTune(
  context: CliContext,
  of: {
    readonly plan: TunePlan;
    readonly command: readonly string[];
    readonly options: TuneOptions;
  },
): Promise<Tune> {
  const { options, command } = of;
  const id = options.resume ?? newCardId(context.host);
  const name = options.name ?? command.join(" ");
  const place = ledgerOf(context, options.ledger);
  const cards = options.resume === undefined ? [] : await cardsOfSearch(context, options, id);
  const print = fingerprint(of);
  const other = cards.find(({ subject }) => subject.tags[PLAN_TAG] !== print);
  if (other !== undefined) {
    throw new UserError("usage", `search ${id} was another one`, {
      hint: "Go on with the same command, space, method, schedule and seed; or start anew without --resume.",
    });
  }
  if (!options.quiet) context.stderr.write(`search ${id}\n`);
  const byKey = new Map(cards.map((card) => [keyOf(card), card]));
  return {
    ...of,
    ...{
      context,
      id,
      name,
      place,
      known: cards.map(outcomeOf),
      cards: byKey,
      notes: [],
      failures: 0,
    },
  };
}

/** What a search follows from: two with the same print propose and ration alike. */
function fingerprint(of: {
  readonly plan: TunePlan;
  readonly command: readonly string[];
  readonly options: TuneOptions;
}): string {
  const { method, schedule, trials, resource, eta, seed, metric } = of.options;
  const print = [
    of.plan.space,
    of.plan.goal,
    of.command,
    method,
    schedule,
    trials,
    resource,
    eta,
    seed,
    metric,
  ];
  return createHash("sha256").update(JSON.stringify(print)).digest("hex").slice(0, 16);
}

async function cardsOfSearch(
  context: CliContext,
  options: TuneOptions,
  id: string,
): Promise<readonly Card[]> {
  const ledger = await openForReading(context, options.ledger);
  try {
    const cards: Card[] = [];
    for await (const card of ledger.cards({ tags: { [SEARCH_TAG]: id } })) {
      // A run that was interrupted says nothing about its configuration.
      if (card.subject.tags["trial"] !== undefined && card.status !== "interrupted")
        cards.push(card);
    }
    if (cards.length > 0) return cards.reverse();
  } finally {
    ledger.close();
  }
  throw new UserError("invalid-input", `the ledger has no runs of a search ${id}`, {
    hint: "godwit runs --json shows the tag `search` of each run; or start anew without --resume.",
  });
}

const keyOf = ({ subject: { tags } }: Card): string => `${tags["trial"]}@${tags["resource"]}`;

function outcomeOf(card: Card): Outcome {
  const { trial, resource, config } = card.subject.tags;
  return {
    trial: Number(trial),
    resource: Number(resource),
    config: JSON.parse(config ?? "{}"),
    value: card.status === "complete" ? (card.quality?.value ?? null) : null,
    joules: headlineEnergy(card)?.figure.value ?? null,
  };
}

/** Failures at the start after which the command, not a configuration, is to blame. */
const MAX_EARLY_FAILURES = 3;

async function evaluate(
  tune: Tune,
  assignment: Assignment,
  signal: AbortSignal,
): Promise<Pick<Outcome, "value" | "joules">> {
  const { context, options, plan } = tune;
  const result = await runAssignment(
    assignment,
    {
      ...{ command: tune.command, cwd: context.cwd, env: context.env, name: tune.name },
      tags: { [SEARCH_TAG]: tune.id, [PLAN_TAG]: fingerprint(tune) },
      runArgs: runArgsOf(options),
    },
    signal,
  );
  if (signal.aborted) return { value: null, joules: null };
  const value = result.code === 0 ? metricOf(plan, result) : null;
  if (value === null) tellFailure(tune, assignment, result);
  else tune.failures = Number.NEGATIVE_INFINITY;
  const card = await withQuality(tune, result.card, value);
  if (card !== null) tune.cards.set(`${assignment.trial}@${assignment.resource}`, card);
  return { value, joules: card === null ? null : (headlineEnergy(card)?.figure.value ?? null) };
}

function runArgsOf({ location, intensity, ledger }: TuneOptions): readonly string[] {
  return [
    ...(location === undefined ? [] : ["--location", location]),
    ...(intensity === undefined ? [] : ["--intensity", String(intensity)]),
    ...(ledger === undefined ? [] : ["--ledger", ledger]),
  ];
}

/** By the pattern when there is one, else what the command wrote to GODWIT_FACTS. */
function metricOf(
  { pattern, metric }: TunePlan,
  { card, stdout, stderr }: WorkerResult,
): number | null {
  if (pattern === null) {
    const quality = card?.quality;
    return quality === undefined || quality.metric !== metric ? null : quality.value;
  }
  const found = [...stdout.matchAll(pattern), ...stderr.matchAll(pattern)].at(-1)?.[1];
  const value = Number(found);
  return found === undefined || found.trim() === "" || !Number.isFinite(value) ? null : value;
}

/** A metric that was printed goes onto the card, so that the ledger has it when the search goes on. */
async function withQuality(
  tune: Tune,
  card: Card | null,
  value: number | null,
): Promise<Card | null> {
  if (card === null || value === null || card.quality?.value === value) return card;
  const told: Card = { ...card, quality: { metric: tune.plan.metric, value } };
  await inLedger(tune, (ledger) => ledger.put(told));
  return told;
}

async function inLedger(tune: Tune, use: (ledger: Ledger) => Promise<void>): Promise<void> {
  const { openLedger } = await import("../ledger/index.ts");
  const ledger = await openLedger(tune.place);
  try {
    await use(ledger);
  } finally {
    ledger.close();
  }
}

function tellFailure(tune: Tune, { trial }: Assignment, result: WorkerResult): void {
  const fault = faultOf(tune.plan, result);
  tune.notes.push(`run #${trial} failed: ${fault}`);
  tune.failures++;
  if (tune.failures < MAX_EARLY_FAILURES) return;
  throw new UserError("invalid-input", `the first ${tune.failures} runs failed: ${fault}`, {
    hint: "Run the command by hand with values filled in; see godwit tune --help on metrics.",
  });
}

function faultOf(
  { metric, pattern }: TunePlan,
  { code, stdout, stderr, card }: WorkerResult,
): string {
  if (code === 0) {
    if (pattern !== null) return `${pattern.source} finds no number in its output`;
    const told = card?.quality?.metric;
    return told === undefined
      ? `it told no ${metric} in GODWIT_FACTS`
      : `it told its ${told}, not ${metric}: add --metric ${told}`;
  }
  const lines = (stderr.trim() || stdout.trim()).split("\n");
  const last = lines.findLast((line) => line.startsWith("error:")) ?? lines.at(-1) ?? "";
  return `it ended with ${code ?? "a signal"}: ${last.slice(0, 200)}`;
}

/** A parameter that the command does not take would be searched in vain. */
function tellUnused(context: CliContext, { space }: TunePlan, command: readonly string[]): void {
  for (const name of Object.keys(space)) {
    if (command.some((word) => word.includes(`{${name}}`))) continue;
    context.stderr.write(`note: {${name}} is not in the command; it is only in GODWIT_CONFIG\n`);
  }
}

/** All runs as one card, kept beside them. Null when there is nothing to add up, with a note why. */
async function keepSearchCard(tune: Tune, result: SearchResult): Promise<Card | null> {
  const { context, plan, id, name } = tune;
  const cards = result.outcomes.flatMap(
    ({ trial, resource }) => tune.cards.get(`${trial}@${resource}`) ?? [],
  );
  if (cards.length < 2) return null;
  const { mergeCards } = await import("../measure/merge/index.ts");
  try {
    const merged = mergeCards(cards, {
      id: newCardId(context.host),
      version: context.version,
      name: `tune: ${name}`,
    });
    const { quality: _, ...rest } = merged;
    const best = result.best?.value;
    const card: Card = {
      ...rest,
      subject: { ...merged.subject, kind: "training", tags: { [SEARCH_TAG]: id } },
      status: result.stopped === "aborted" ? "interrupted" : "complete",
      ...(best === undefined || best === null
        ? {}
        : { quality: { metric: plan.metric, value: best } }),
      notices: [
        ...merged.notices,
        `the whole search: ${result.outcomes.length} runs of ${new Set(result.outcomes.map(({ trial }) => trial)).size} configurations; its quality is that of the best, chosen by the rows that judged it`,
      ],
    };
    await inLedger(tune, (ledger) => ledger.put(card));
    return card;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    tune.notes.push(`the runs cannot be added up: ${error.message}`);
    return null;
  }
}

/** Aborts at the first signal; a second one ends the process as it always does. */
function listenForStop() {
  const controller = new AbortController();
  const names = ["SIGINT", "SIGTERM"] as const;
  const end = (): void => {
    for (const name of names) process.off(name, stop);
  };
  const stop = (name: NodeJS.Signals): void => {
    end();
    controller.abort(new Error(`stopped by ${name}`));
  };
  for (const name of names) process.on(name, stop);
  return { signal: controller.signal, end };
}

function endAs(context: CliContext, tune: Tune, { stopped, best }: SearchResult): void {
  if (stopped === "done") {
    if (best === null) context.setExitCode(EXIT.failed);
    return;
  }
  context.stderr.write(`to go on: the same command with --resume ${tune.id}\n`);
  if (stopped === "energy") context.setExitCode(EXIT.budgetExceeded);
  else context.setExitCode(EXIT.failed, "SIGINT");
}
