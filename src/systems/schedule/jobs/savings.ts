// Savings of many jobs, added up honestly: losses count, kinds of signal are never added to each other, and
// what has no account is named.

import { type Figure, figure, median } from "../../../core/index.ts";
import type { Account } from "./account.ts";

/** The jobs whose emissions are told by one kind and basis of signal. */
export interface Total {
  readonly signal: "average" | "marginal";
  readonly basis: "location" | "market";
  readonly jobs: number;
  readonly energy: Figure<"J">;
  readonly realised: Figure<"gCO2e">;
  readonly counterfactual: Figure<"gCO2e">;
  readonly saving: Figure<"gCO2e">;
  /** Of the counterfactual's emissions. */
  readonly share: number;
  /** What the plans expected, weighted by the counterfactual's emissions. */
  readonly plannedShare: number;
  /** Jobs that emitted more than if started when submitted, and by how much. They are in the sums. */
  readonly losses: { readonly jobs: number; readonly grams: number };
  /** Over the jobs whose best plan is known. */
  readonly oracle: {
    readonly jobs: number;
    readonly savedGrams: number;
    readonly reachedGrams: number;
    readonly regretGrams: number;
  };
  readonly delayS: { readonly median: number; readonly most: number };
  readonly late: number;
  /** Jobs that are judged by the forecast they were decided by, not by what came. */
  readonly byForecast: number;
}

/** One total for each kind and basis. */
export function totals(accounts: readonly Account[]): readonly Total[] {
  const groups = new Map<string, Account[]>();
  for (const account of accounts) {
    const key = `${account.trace.signal} ${account.trace.basis}`;
    groups.set(key, [...(groups.get(key) ?? []), account]);
  }
  return [...groups.values()].flatMap(([first, ...rest]) =>
    first === undefined ? [] : [totalOf([first, ...rest])],
  );
}

function totalOf(accounts: readonly [Account, ...Account[]]): Total {
  const [{ trace }] = accounts;
  const add = (of: (one: Account) => number): number =>
    accounts.reduce((sum, one) => sum + of(one), 0);
  const counterfactual = added(accounts.map((one) => one.counterfactual));
  const saving = added(accounts.map((one) => one.saving));
  const lost = accounts.filter((one) => one.saving.value < 0);
  const known = accounts.filter((one) => one.oracleGrams !== null);
  const delays = accounts.map(({ delayS }) => delayS);
  return {
    ...{ signal: trace.signal, basis: trace.basis, jobs: accounts.length },
    energy: added(accounts.map((one) => one.energy)),
    realised: added(accounts.map((one) => one.realised)),
    ...{ counterfactual, saving, share: shareOf(saving.value, counterfactual.value) },
    plannedShare: add((one) => one.plannedShare * one.counterfactual.value) / counterfactual.value,
    losses: { jobs: lost.length, grams: lost.reduce((sum, one) => sum - one.saving.value, 0) },
    oracle: {
      jobs: known.length,
      savedGrams: known.reduce((sum, one) => sum + (one.oracleGrams ?? 0), 0),
      reachedGrams: known.reduce((sum, one) => sum + one.saving.value, 0),
      regretGrams: known.reduce((sum, one) => sum + (one.regretGrams ?? 0), 0),
    },
    delayS: { median: median(delays), most: Math.max(...delays) },
    late: accounts.filter(({ isLate }) => isLate).length,
    byForecast: accounts.filter((one) => one.trace.kind === "forecast").length,
  };
}

const shareOf = (part: number, whole: number): number => (whole === 0 ? 0 : part / whole);

/**
 * Bounds are added as they are: the same power model and the same grid are behind all of them, so their
 * errors do not cancel.
 */
function added<U extends "J" | "gCO2e">(parts: readonly Figure<U>[]): Figure<U> {
  const [first] = parts;
  if (first === undefined) throw new RangeError("nothing to add up");
  const total = (of: (one: Figure<U>) => number): number =>
    parts.reduce((sum, one) => sum + of(one), 0);
  const methods = [...new Set(parts.map(({ method }) => method))];
  return figure(
    first.unit,
    total(({ value }) => value),
    { low: total(({ low }) => low), high: total(({ high }) => high) },
    {
      method: methods.length === 1 ? first.method : "estimated",
      source: `sum of ${parts.length} jobs, errors taken as common to all`,
    },
  );
}
