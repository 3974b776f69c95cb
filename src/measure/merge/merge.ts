// Runs of one job on many hosts, or many ranks of one host, as one card. Energies add up, but no machine
// is counted twice: runs are sorted by machine and by time, and what several of them claim is counted
// once and said. What cannot be added is refused. Method: docs/methods/merge.md.

import type { Card, Step } from "../../core/card.ts";
import { CARD_SCHEMA } from "../../core/card-version.ts";
import { deepFreeze } from "../../core/freeze.ts";
import { exact, type Figure, formatQuantity, product, UserError } from "../../core/index.ts";
import { accountOf, headlineOf, type MachineAccount, type Measured } from "./account.ts";
import { addFigures } from "./add.ts";
import { componentsOf, machineOf } from "./machine.ts";
import { emissionsOf, otherMeasures, type Several, same, unlike } from "./measures.ts";

export interface MergeOptions {
  /** Of the merged card. */
  readonly id: string;
  readonly name?: string;
  /** Of the program that merges. */
  readonly version: string;
}

/** The runs as one card, frozen. Throws UserError for runs that must not be added. */
export function mergeCards(cards: readonly Card[], options: MergeOptions): Card {
  const notices: string[] = [];
  const outer = withoutNested(cards, notices);
  const measured = requireMeasured(outer);
  requireLike(measured, ({ boundary }) => boundary.scope, "scopes");
  const headline = commonHeadline(measured);
  const accounts = byMachine(measured).map((own) => {
    const account = accountOf(own);
    notices.push(...account.notices, ...weakIdentity(own, account));
    return { own, account };
  });
  const energies = accounts.map(({ account }) => account);
  const add = (of: (account: MachineAccount) => Figure<"J">) =>
    addFigures("J", energies.map(of), `energies of ${measured.length} runs add up`);
  const nets = energies.map(({ net }) => net).filter((net) => net !== null);
  const energy = add((account) => account.headline);
  const gross = headline === "gross" ? energy : add((account) => account.gross);
  const net = nets.length === energies.length ? addFigures("J", nets, "net of all runs") : null;
  const times = spanOf(measured);
  const emissions = emissionsOf(accounts, notices);
  return deepFreeze({
    schema: CARD_SCHEMA,
    id: options.id,
    subject: subjectOf(measured, options.name),
    status: statusOf(measured),
    startedAt: new Date(times.from).toISOString(),
    endedAt: new Date(times.to).toISOString(),
    measures: {
      duration: times.duration,
      power: { mean: meanPower(energy, times.duration) },
      energy: {
        gross,
        ...(net === null ? {} : { net: headline === "net" ? energy : net }),
        ...(headline === "attributed" ? { attributed: energy } : {}),
      },
      ...(emissions === null ? {} : { emissions }),
      ...otherMeasures(accounts, notices),
    },
    ...qualityOf(measured, notices),
    boundary: {
      headline,
      scope: measured[0].boundary.scope,
      ...same(measured, ({ boundary }) => boundary.pue, "pue"),
      idlePolicy: [...new Set(measured.map(({ boundary }) => boundary.idlePolicy))].join("; "),
    },
    ...same(measured, ({ signal }) => signal, "signal"),
    components: componentsOf(measured),
    spans: measured.map((card) => ({
      name: `${card.subject.name} (${card.id})`,
      startS: (Date.parse(card.startedAt) - times.from) / 1000,
      endS: (Date.parse(card.endedAt) - times.from) / 1000,
      energy: headlineOf(card),
    })),
    gaps: measured.flatMap((card) => {
      const shift = (Date.parse(card.startedAt) - times.from) / 1000;
      return card.gaps.map((gap) => ({ ...gap, fromS: gap.fromS + shift, toS: gap.toS + shift }));
    }),
    series: [],
    steps: [totalStep(`${headline} energy of all runs`, measured, energy)],
    notices: [...notices, ...distinctNotices(measured)],
    machine: machineOf(measured),
    godwit: { version: options.version },
    mergedFrom: measured.map(({ id }) => id),
  });
}

/** Runs inside others of the list are in those already. */
function withoutNested(cards: readonly Card[], notices: string[]): readonly Card[] {
  const ids = new Set(cards.map(({ id }) => id));
  if (ids.size < cards.length) {
    const twice = cards.find(({ id }, at) => cards.findIndex((card) => card.id === id) !== at);
    throw refusal(`run ${twice?.id} is given twice`, "Name each run once.");
  }
  return cards.filter(({ id, subject }) => {
    const parent = subject.tags["inside"];
    if (parent === undefined || !ids.has(parent)) return true;
    notices.push(`${id} ran inside ${parent}, whose energy has it already: left out`);
    return false;
  });
}

function requireMeasured(cards: readonly Card[]): Several {
  const silent = cards.find(({ measures }) => measures.energy === undefined);
  if (silent !== undefined) {
    throw refusal(
      `run ${silent.id} has no energy, and a sum without it would be too small`,
      "Leave it out, and say so.",
    );
  }
  const [first, ...rest] = cards as readonly Measured[];
  if (first === undefined || rest.length === 0) {
    throw refusal("there is nothing to merge: one run is left", "Name two runs or more.");
  }
  return [first, ...rest];
}

/** One account for all; ranks that own their net energy alone belong to the attributed one. */
function commonHeadline(cards: Several): Card["boundary"]["headline"] {
  const kinds = new Set(cards.map(({ boundary }) => boundary.headline));
  const [first] = kinds;
  if (kinds.size === 1 && first !== undefined) return first;
  if (kinds.size === 2 && kinds.has("net") && kinds.has("attributed")) return "attributed";
  throw unlike("energies", [...kinds]);
}

function requireLike(cards: Several, of: (card: Card) => string, what: string): void {
  const kinds = new Set(cards.map(of));
  if (kinds.size > 1) throw unlike(what, [...kinds]);
}

const refusal = (message: string, hint: string): UserError =>
  new UserError("invalid-input", message, { hint });

function byMachine(cards: Several): readonly Several[] {
  const groups = new Map<string, [Measured, ...Measured[]]>();
  for (const card of cards) {
    const group = groups.get(card.machine.id);
    if (group === undefined) groups.set(card.machine.id, [card]);
    else group.push(card);
  }
  return [...groups.values()];
}

/** Machines without an installation's id are told apart by their hardware alone. */
function weakIdentity(own: Several, { notices }: MachineAccount): readonly string[] {
  const [{ machine }] = own;
  if (notices.length === 0 || machine["idBasis"] !== "hardware") return [];
  return [
    `machine ${machine.id} is known by its hardware alone: were these runs on two machines of one kind, the sum is too small`,
  ];
}

function spanOf(cards: Several) {
  const from = Math.min(...cards.map(({ startedAt }) => Date.parse(startedAt)));
  const to = Math.max(...cards.map(({ endedAt }) => Date.parse(endedAt)));
  const origin = { method: "measured", source: "wall clocks, first start to last end" } as const;
  return { from, to, duration: exact("s", (to - from) / 1000, origin) };
}

function meanPower(energy: Figure<"J">, duration: Figure<"s">): Figure<"W"> {
  const origin = { method: energy.method, source: duration.source } as const;
  const seconds = Math.max(duration.value, Number.MIN_VALUE);
  return product("W", [energy, exact("1", 1 / seconds, origin)], {
    source: `${energy.source}, mean from first start to last end`,
  });
}

function qualityOf(
  cards: Several,
  notices: string[],
): { readonly quality?: NonNullable<Card["quality"]> } {
  const result = same(cards, ({ quality }) => quality, "quality");
  if (result.quality === undefined && cards.some(({ quality }) => quality !== undefined)) {
    notices.push("quality left out: the runs do not have the same one");
  }
  return result;
}

function subjectOf(cards: Several, name: string | undefined): Card["subject"] {
  const [{ subject }] = cards;
  const names = new Set(cards.map((card) => card.subject.name));
  const kinds = new Set(cards.map((card) => card.subject.kind));
  const tags = Object.entries(subject.tags).filter(([key, value]) =>
    cards.every((card) => card.subject.tags[key] === value),
  );
  return {
    kind: kinds.size === 1 ? subject.kind : "job",
    name: name ?? (names.size === 1 ? subject.name : `${names.size} merged runs`),
    tags: Object.fromEntries(tags),
  };
}

function statusOf(cards: Several): Card["status"] {
  const statuses = new Set(cards.map(({ status }) => status));
  if (statuses.has("interrupted")) return "interrupted";
  return statuses.has("failed") ? "failed" : "complete";
}

function totalStep(name: string, cards: Several, result: Figure<"J">): Step {
  const inputs = Object.fromEntries(cards.map((card) => [card.id, headlineOf(card)]));
  const plain = cards.reduce((sum, card) => sum + headlineOf(card).value, 0);
  const reduction = plain - result.value;
  const isReduced = reduction > 1e-9 * plain;
  const less = isReduced ? ` - ${formatQuantity(reduction, "J")} counted twice` : "";
  const source = "docs/methods/merge.md";
  return {
    name,
    formula: `${cards.map(({ id }) => id).join(" + ")}${less}`,
    inputs,
    result,
    source,
  };
}

/** Notices of the runs, each once. */
const distinctNotices = (cards: Several): readonly string[] => [
  ...new Set(cards.flatMap(({ notices }) => notices)),
];
