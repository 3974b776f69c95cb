// The accounts of all jobs: energy from their cards, intensities from where each job's forecasts came from.

import type { Card } from "../core/card.ts";
import { type Figure, figure, reasonOf, scaled, sum } from "../core/index.ts";
import type { Ledger } from "../ledger/index.ts";
import { endOf } from "../systems/schedule/index.ts";
import {
  type Account,
  accountOf,
  type ForecastSource,
  isFinal,
  type JobRecord,
  type JobStore,
  settle,
  signalOfJson,
  signalToJson,
  type Trace,
  type Unaccounted,
} from "../systems/schedule/jobs/index.ts";
import type { CliContext } from "./context.ts";
import { recordedSignal, type SignalChoice } from "./plan-signal.ts";

export interface Accounts {
  readonly accounts: readonly Account[];
  readonly unaccounted: readonly Unaccounted[];
  readonly names: ReadonlyMap<string, string>;
  readonly notices: readonly string[];
}

export interface AccountOptions {
  readonly store: JobStore;
  readonly ledger: Ledger | null;
  /** Unix seconds: jobs that ended before are left out. */
  readonly since: number;
  /** File or address of a record of what came, in the place of each job's own source. */
  readonly actual: string | null;
}

/** Accounts of the jobs that have ended. What is found of the grid's record is kept with the job. */
export async function accountsOf(context: CliContext, of: AccountOptions): Promise<Accounts> {
  const { store, since } = of;
  const notices = new Set<string>();
  const all = await store.list({}, ({ error }) => notices.add(reasonOf(error)));
  const ended = all.filter((job) => isFinal(job) && (job.endedAt ?? 0) >= since);
  const accounts: Account[] = [];
  const unaccounted: Unaccounted[] = [];
  for (const record of ended) {
    const result = await accountOn(context, record, of, (text) => notices.add(text));
    if ("reason" in result) unaccounted.push(result);
    else accounts.push(result);
  }
  const names = new Map(ended.map(({ id, name }) => [id, name]));
  return { accounts, unaccounted, names, notices: [...notices] };
}

/** The account of one job. */
export async function accountOn(
  context: CliContext,
  record: JobRecord,
  of: Pick<AccountOptions, "store" | "ledger" | "actual">,
  onNotice: (text: string) => void,
): Promise<Account | Unaccounted> {
  const trace = await traceOf(context, record, of, onNotice);
  return accountOf(record, await energyOf(record, of.ledger), trace);
}

/** Energy by the cards of all attempts; declared power over the time that no card covers. */
async function energyOf(record: JobRecord, ledger: Ledger | null): Promise<Figure<"J">> {
  const energies: Figure<"J">[] = [];
  let coveredS = 0;
  for (const id of record.cards) {
    if (ledger === null || !(await ledger.has(id))) continue;
    const card = await ledger.get(id);
    const energy = cardEnergy(card, record);
    if (energy === null || !(energy.value > 0)) continue;
    energies.push(energy);
    coveredS += card.measures.duration.value;
  }
  const ranS = ranSeconds(record);
  const nodes = Number(record.engineData["nodes"] ?? 1);
  const [first, ...more] = energies;
  if (first === undefined) return declaredEnergy(record, ranS, "no card tells");
  // A batch script runs on the first of its nodes, and so does the meter.
  if (nodes > 1) return declaredEnergy(record, ranS, `the cards are of one of ${nodes} nodes`);
  // Moments of the engine's are whole seconds; the meter begins after it, and ends before.
  const missingS = ranS - coveredS - SLACK_S * record.spans.length;
  if (missingS > 0)
    return sum("J", [...energies, declaredEnergy(record, missingS, "no card tells")], {
      source: "cards, and declared power where a run has none",
    });
  return more.length === 0 ? first : sum("J", energies, { source: "cards of all attempts" });
}

const SLACK_S = 5;

function declaredEnergy({ job }: JobRecord, seconds: number, why: string): Figure<"J"> {
  const { power } = job;
  const { value, low, high } = scaled(power, seconds);
  const source = `${why}: ${power.source} x time`;
  return figure("J", value, { low, high }, { method: power.method, source });
}

/** A card counts the time in which its job stood still too, when it counts the whole machine. */
function cardEnergy({ measures, boundary }: Card, record: JobRecord): Figure<"J"> | null {
  const { energy, duration } = measures;
  const stoodStill = record.pausing?.kind === "stop" && record.spans.length > 1;
  if (!stoodStill || energy === undefined)
    return energy?.[boundary.headline] ?? energy?.gross ?? null;
  if (energy.attributed !== undefined) return energy.attributed;
  const share = Math.min(1, ranSeconds(record) / duration.value);
  return scaled(energy.gross, share, `${energy.gross.source}, for the time in which it ran`);
}

const ranSeconds = ({ spans }: JobRecord): number =>
  spans.reduce((total, { start, end }) => total + ((end ?? start) - start), 0);

/** What came, when it can be had; else the forecast that was decided by, which is said. */
async function traceOf(
  context: CliContext,
  record: JobRecord,
  { store, actual }: Pick<AccountOptions, "store" | "actual">,
  onNotice: (text: string) => void,
): Promise<Trace> {
  if (actual === null && record.trace !== undefined)
    return { signal: signalOfJson(record.trace), kind: "recorded" };
  const from = record.job.earliest;
  const end = Math.max(record.endedAt ?? from, from + ranSeconds(record));
  const until = Math.max(record.job.deadline, end);
  const now = context.host.wall() / 1000;
  const choice = actual === null ? choiceOf(record.planning.source) : recordFor(record, actual);
  // Up to the deadline when that is over, so that the best plan can be told too.
  for (const to of until <= now ? [until, end] : [end])
    try {
      const signal = await recordedSignal(context, choice, { from, to });
      if (signal === null) continue;
      if (actual === null && to === until)
        await store.change(record.id, now, settle(signalToJson(cut(signal, from, until))));
      return { signal, kind: "recorded" };
    } catch (error) {
      // A record that somebody names must be one.
      if (actual !== null) throw error;
      onNotice(`what came is not known: ${reasonOf(error)}`);
    }
  const forecasts = [signalOfJson(record.forecast), signalOfJson(record.firstForecast)];
  const [last = signalOfJson(record.firstForecast)] = forecasts;
  const whole = forecasts.find((one) => one.start <= from && endOf(one) >= end);
  return { signal: whole ?? last, kind: "forecast" };
}

/** The steps that touch [from, to): a year's record is not kept with every job. */
function cut(of: Trace["signal"], from: number, to: number): Trace["signal"] {
  const first = Math.max(0, Math.floor((from - of.start) / of.step));
  const last = Math.min(of.values.length, Math.ceil((to - of.start) / of.step));
  const { quantiles: _, ...rest } = of;
  return { ...rest, start: of.start + first * of.step, values: of.values.slice(first, last) };
}

/** A table does not say whose intensities it holds and of what kind: those that the job was planned by. */
const recordFor = ({ forecast, plan }: JobRecord, signal: string): SignalChoice => ({
  ...{ signal, zone: forecast.zone, kind: plan.kind, basis: plan.basis, offline: false },
});

const choiceOf = (source: ForecastSource): SignalChoice => ({
  signal: source.signal ?? undefined,
  zone: source.zone ?? undefined,
  from: source.from ?? undefined,
  kind: source.kind ?? undefined,
  basis: source.basis ?? undefined,
  offline: source.offline,
});
