// The measures of several runs beside energy: what is in proportion to energy is reduced with it, what
// each run has for itself adds up, and what is the same for all stays.

import type { Card } from "../../core/card.ts";
import { type Figure, scaled, type Unit, UserError } from "../../core/index.ts";
import type { MachineAccount, Measured } from "./account.ts";
import { addFigures } from "./add.ts";

/** At least one run. */
export type Several = readonly [Measured, ...Measured[]];

/** Runs by machine, with what they used together. */
export type Accounted = readonly { readonly own: Several; readonly account: MachineAccount }[];

/** Emissions of all, each machine's in proportion to what its energy was reduced by. */
export function emissionsOf(accounts: Accounted, notices: string[]): Figure<"gCO2e"> | null {
  const cards = accounts.flatMap(({ own }) => own);
  const kinds = new Set(
    cards.flatMap(({ signal }) =>
      signal === undefined ? [] : [`${signal.kind}, ${signal.basis}-based, ${signal.scope}`],
    ),
  );
  if (kinds.size > 1) throw unlike("emissions", [...kinds]);
  return addScaled(accounts, ({ measures }) => measures.emissions, "emissions", notices);
}

/** A measure in proportion to energy, over all; null, and said, when a run lacks it. */
function addScaled<U extends Unit>(
  accounts: Accounted,
  of: (card: Card) => Figure<U> | undefined,
  what: string,
  notices: string[],
): Figure<U> | null {
  const parts = accounts.flatMap(({ own, account }) =>
    own.flatMap((card) => {
      const part = of(card);
      return part === undefined ? [] : [scaled(part, account.factor)];
    }),
  );
  const runs = accounts.reduce((sum, { own }) => sum + own.length, 0);
  const [first] = parts;
  if (first === undefined) return null;
  if (parts.length < runs) {
    notices.push(`${what} left out: ${runs - parts.length} of ${runs} runs do not have it`);
    return null;
  }
  return addFigures(first.unit, parts, `${what} of ${runs} runs add up`);
}

export function otherMeasures(accounts: Accounted, notices: string[]): Partial<Card["measures"]> {
  const cards = accounts.flatMap(({ own }) => own);
  const whole = accounts.map(({ own, account }) => ({ own, account: { ...account, factor: 1 } }));
  const cpuTime = addScaled(whole, ({ measures }) => measures.cpuTime, "CPU time", notices);
  const water = addScaled(accounts, ({ measures }) => measures.water, "water", notices);
  const isReduced = accounts.some(({ account }) => account.notices.length > 0);
  const embodied = isReduced
    ? null
    : addScaled(whole, ({ measures }) => measures.embodied, "embodied emissions", notices);
  if (isReduced && cards.some(({ measures }) => measures.embodied !== undefined)) {
    notices.push("embodied emissions left out: runs that overlapped share one machine's");
  }
  const macs = addScaled(whole, ({ measures }) => measures.operations?.macs, "operations", notices);
  const flops = addScaled(
    whole,
    ({ measures }) => measures.operations?.flops,
    "operations",
    notices,
  );
  return {
    ...(cpuTime === null ? {} : { cpuTime }),
    ...(water === null ? {} : { water }),
    ...(embodied === null ? {} : { embodied }),
    ...(macs === null && flops === null
      ? {}
      : {
          operations: {
            ...(macs === null ? {} : { macs }),
            ...(flops === null ? {} : { flops }),
          },
        }),
    ...same(cards, ({ measures }) => measures.modelSize, "modelSize"),
    ...same(cards, ({ measures }) => measures.parameters, "parameters"),
  };
}

/** A property that all runs have alike, under its key; nothing otherwise. */
export function same<const K extends string, T>(
  cards: readonly Card[],
  of: (card: Card) => T | undefined,
  key: K,
): { readonly [P in K]?: T } {
  const [first] = cards;
  const value = first === undefined ? undefined : of(first);
  const isSame = cards.every((card) => JSON.stringify(of(card)) === JSON.stringify(value));
  return (value === undefined || !isSame ? {} : { [key]: value }) as { readonly [P in K]?: T };
}

/** Refuses to add what is not of one kind. */
export const unlike = (what: string, kinds: readonly string[]): UserError =>
  new UserError("invalid-input", `runs of unlike ${what} cannot be added: ${kinds.join(" and ")}`, {
    hint: "Merge like with like.",
  });
