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
  /** A record of what came, in the place of each job's own source. */
  readonly actual: SignalChoice | null;
}

/** Accounts of the jobs that have ended. What is found of the grid's record is kept with the job. */
export async function accountsOf(context: CliContext, of: AccountOptions): Promise<Accounts> {
  const { store, ledger, since } = of;
  const notices = new Set<string>();
  const all = await store.list({}, ({ error }) => notices.add(reasonOf(error)));
  const ended = all.filter((job) => isFinal(job) && (job.endedAt ?? 0) >= since);
  const accounts: Account[] = [];
  const unaccounted: Unaccounted[] = [];
  for (const record of ended) {
    const trace = await traceOf(context, record, of, (text) => notices.add(text));
    const result = accountOf(record, await energyOf(record, ledger), trace);
    if ("reason" in result) unaccounted.push(result);
    else accounts.push(result);
  }
  const names = new Map(ended.map(({ id, name }) => [id, name]));
  return { accounts, unaccounted, names, notices: [...notices] };
}

/** Energy of all attempts by their cards; declared power over the time it ran where there is no card. */
async function energyOf(record: JobRecord, ledger: Ledger | null): Promise<Figure<"J">> {
  const energies: Figure<"J">[] = [];
  for (const id of record.cards) {
    if (ledger === null || !(await ledger.has(id))) continue;
    const energy = cardEnergy(await ledger.get(id), record);
    if (energy !== null) energies.push(energy);
  }
  const [first, ...more] = energies;
  if (first !== undefined && energies.length === record.cards.length && first.value > 0)
    return more.length === 0 ? first : sum("J", energies, { source: "cards of all attempts" });
  const { power } = record.job;
  const { value, low, high } = scaled(power, ranSeconds(record));
  const source = `no card tells: ${power.source} x time`;
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
  { store, actual }: AccountOptions,
  onNotice: (text: string) => void,
): Promise<Trace> {
  if (actual === null && record.trace !== undefined)
    return { signal: signalOfJson(record.trace), kind: "recorded" };
  const from = record.job.earliest;
  const end = Math.max(record.endedAt ?? from, from + ranSeconds(record));
  const until = Math.max(record.job.deadline, end);
  const now = context.host.wall() / 1000;
  const choice = actual ?? choiceOf(record.planning.source);
  // Up to the deadline when that is over, so that the best plan can be told too.
  for (const to of until <= now ? [until, end] : [end])
    try {
      const signal = await recordedSignal(context, choice, { from, to });
      if (signal === null) continue;
      if (actual === null && to === until)
        await store.change(record.id, now, settle(signalToJson(cut(signal, from, until))));
      return { signal, kind: "recorded" };
    } catch (error) {
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

const choiceOf = (source: ForecastSource): SignalChoice => ({
  signal: source.signal ?? undefined,
  zone: source.zone ?? undefined,
  from: source.from ?? undefined,
  kind: source.kind ?? undefined,
  basis: source.basis ?? undefined,
  offline: source.offline,
});
