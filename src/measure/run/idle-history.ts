// Idle power of this machine as earlier runs saw it, for runs that were not given a moment of quiet.
// Each card keeps what its own run saw (idle-seen.ts); here many become one baseline. A model has an
// idle power of its own and takes none from here.

import type { Card, Machine } from "../../core/card.ts";
import { type Figure, figure, quantile } from "../../core/index.ts";
import { type LedgerPlace, ledgerExists, openLedger } from "../../ledger/index.ts";
import type { SensorRecord, StartRecord } from "./record.ts";

/** Whose idle power is asked for. */
export interface IdleQuestion {
  readonly machine: Machine;
  readonly sensors: readonly SensorRecord[];
}

/** Runs that must have seen a sensor idle: one alone may have met a machine that was warm or odd. */
const ENOUGH_RUNS = 5;
/** The quantile over runs that stands for idle; what else an idle machine does adds to it. */
const LOWEST = 0.05;
/** Newest runs that are asked: a machine changes, and a card takes a millisecond or two to read. */
const MOST_RUNS = 20;

/** Idle power by sensor id, watts, of the sensors that enough of these cards saw idle. */
export function idleFromHistory(
  cards: readonly Card[],
  { machine, sensors }: IdleQuestion,
): StartRecord["idle"] {
  // An id that follows from the hardware alone is that of all machines of its kind.
  if (machine["idBasis"] === "hardware") return {};
  const known = sensors.flatMap((sensor) => {
    if (sensor.method === "estimated") return [];
    const seen = cards
      .filter((card) => card.machine.id === machine.id)
      .flatMap(({ components }) => components.find(isOf(sensor))?.idlePower ?? []);
    return seen.length < ENOUGH_RUNS ? [] : [[sensor.id, baselineOf(seen)] as const];
  });
  return Object.fromEntries(known);
}

/** As `idleFromHistory`, from a ledger; nothing where there is none or it cannot be read. */
export async function readIdleHistory(
  place: LedgerPlace,
  question: IdleQuestion,
): Promise<StartRecord["idle"]> {
  if (place.server === undefined && !ledgerExists(place.folder)) return {};
  const ledger = await openLedger(place, { ifAbsent: "fail" });
  try {
    const runs = await ledger.list({ limit: 10 * MOST_RUNS });
    const here = runs.filter(({ machine }) => machine === question.machine.id);
    const cards: Card[] = [];
    for (const { id } of here.slice(0, MOST_RUNS)) cards.push(await ledger.get(id));
    return idleFromHistory(cards, question);
  } finally {
    ledger.close();
  }
}

const isOf =
  ({ provider, domain, device }: SensorRecord) =>
  (component: Card["components"][number]): boolean =>
    component.provider === provider && component.domain === domain && component.device === device;

/** What runs saw may be above idle, never below it but for the sensor's error: the bounds follow. */
function baselineOf(seen: readonly Figure<"W">[]): Figure<"W"> {
  const ascending = [...seen].sort((a, b) => a.value - b.value);
  const values = ascending.map(({ value }) => value);
  const value = quantile(values, LOWEST);
  const { low, value: least, method } = ascending[0] ?? { low: 0, value: 1, method: "sampled" };
  const bounds = { low: (value * low) / least, high: quantile(values, 0.5) };
  const source = `of the lowest 5 % of ${seen.length} earlier runs that saw this machine idle`;
  return figure("W", value, bounds, { method, source });
}
