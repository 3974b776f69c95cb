// What several runs on one machine used together: no moment of the machine and no idle energy twice.
// Three kinds of run meet here. `gross`: it counts all of the machine. `attributed`: its own active
// energy and its share of idle. `net`: a rank that owns its active energy alone, because rank 0 has the
// rest.

import type { Card } from "../../core/card.ts";
import { type Figure, figure, scaled } from "../../core/index.ts";
import { addFigures } from "./add.ts";
import { claimOf, clusters, unionEnergy } from "./overlap.ts";

/** The energies of one machine's runs. */
export interface MachineAccount {
  readonly gross: Figure<"J">;
  /** Null when a run does not know it. */
  readonly net: Figure<"J"> | null;
  /** At the headline of the merged card. */
  readonly headline: Figure<"J">;
  /** The headline over the plain sum of the runs': below 1 where something was counted twice. */
  readonly factor: number;
  /** What was counted twice and no longer is, a sentence each. */
  readonly notices: readonly string[];
}

/** A run whose energy is known. */
export type Measured = Card & { readonly measures: { readonly energy: Energies } };
type Energies = NonNullable<Card["measures"]["energy"]>;

/** The account of runs that have one machine. */
export function accountOf(cards: readonly Measured[]): MachineAccount {
  const own = cards.map(headlineOf);
  const plain = own.reduce((sum, { value }) => sum + value, 0);
  const gross = machineGross(cards);
  const nets = cards.map(({ measures }) => measures.energy.net);
  const known = nets.filter((net) => net !== undefined);
  const net = known.length === cards.length ? addFigures("J", known, "net of the runs") : null;
  const groups = clusters(cards.map((card) => ({ card, ...claimOf(card, headlineOf(card)) })));
  const parts = groups.map((group) => clusterHeadline(group.map(({ card }) => card)));
  const headline = addFigures(
    "J",
    parts.map(({ energy }) => energy),
    "energies of the runs add up",
  );
  return {
    gross,
    net,
    headline,
    factor: plain === 0 ? 1 : headline.value / plain,
    notices: parts.flatMap(({ notice }) => (notice === null ? [] : [notice])),
  };
}

/** The energy that a card's emissions are of; gross where the stated one is missing. */
export function headlineOf({ boundary, measures }: Measured): Figure<"J"> {
  return measures.energy[boundary.headline] ?? measures.energy.gross;
}

/** A rank that left the machine to rank 0: its gross energy is its own share. */
const isRank = ({ boundary }: Card): boolean => boundary.headline === "net";

/** All that the machine used while any of the runs ran. */
function machineGross(cards: readonly Measured[]): Figure<"J"> {
  const claimants = cards.filter((card) => !isRank(card));
  const source = "the machine while any of the runs ran";
  if (claimants.length === 0) {
    return addFigures(
      "J",
      cards.map(({ measures }) => measures.energy.gross),
      source,
    );
  }
  return unionEnergy(
    claimants.map((card) => claimOf(card, card.measures.energy.gross)),
    source,
  );
}

interface Part {
  readonly energy: Figure<"J">;
  readonly notice: string | null;
}

/** Runs that overlap, or one alone. */
function clusterHeadline(cards: readonly Measured[]): Part {
  const [first] = cards;
  if (first === undefined) throw new RangeError("a cluster of no runs");
  if (cards.length === 1) return { energy: headlineOf(first), notice: null };
  const names = cards.map(({ id }) => id).join(", ");
  if (first.boundary.headline === "gross") {
    const claims = cards.map((card) => claimOf(card, headlineOf(card)));
    return {
      energy: unionEnergy(claims, "the machine, each moment counted once"),
      notice: `${names} overlapped on machine ${first.machine.id} and each counted all of it: what they share is counted once`,
    };
  }
  return capped(idleOnce(cards, names), cards, names);
}

/** Active energies add up; idle energy that was claimed more than once does not. */
function idleOnce(cards: readonly Measured[], names: string): Part {
  const plain = addFigures("J", cards.map(headlineOf), "energies of the runs add up");
  const claimants = cards.filter((card) => !isRank(card));
  const shares = claimants.reduce((sum, card) => sum + idleShareOf(card), 0);
  if (shares <= 1 || claimants.length < 2) return { energy: plain, notice: null };
  const idle = claimants.flatMap((card) => {
    const energy = idleEnergyOf(card);
    return energy === null ? [] : [claimOf(card, energy)];
  });
  if (idle.length === 0) return { energy: plain, notice: null };
  const active = cards.map(activeOf);
  const once = unionEnergy(idle, "idle energy, each moment counted once");
  return {
    energy: addFigures("J", [...active, once], "active energies and idle energy once"),
    notice: `${names} overlapped on one machine and together claimed ${shares.toFixed(2)} times its idle energy: it is counted once`,
  };
}

/** Nobody can own more than there was. */
function capped(part: Part, cards: readonly Measured[], names: string): Part {
  if (!cards.some((card) => !isRank(card))) return part;
  const gross = machineGross(cards);
  if (part.energy.value <= gross.value) return part;
  const { value } = gross;
  const low = Math.min(value, part.energy.low);
  const high = Math.max(value, Math.min(part.energy.high, gross.high));
  return {
    energy: figure("J", value, { low, high }, { ...part.energy, method: "estimated" }),
    notice: [part.notice, `${names} together claimed more than their machine used: reduced to that`]
      .filter((notice) => notice !== null)
      .join("; "),
  };
}

/**
 * Share of the machine's idle energy on an attributed card, as its policy says: a part of the
 * processors, or all of it. A policy in other words is taken as all, which errs to counting once.
 */
function idleShareOf({ boundary }: Card): number {
  const [, some, all] =
    /^reserved: ([\d.]+) of ([\d.]+) processors/.exec(boundary.idlePolicy) ?? [];
  const share = Number(some) / Number(all);
  return share >= 0 && share <= 1 ? share : 1;
}

function idleEnergyOf({ measures }: Measured): Figure<"J"> | null {
  const { attributed, net } = measures.energy;
  if (attributed === undefined || net === undefined || attributed.value <= net.value) return null;
  return scaled(attributed, 1 - net.value / attributed.value, `${attributed.source}, idle part`);
}

function activeOf(card: Measured): Figure<"J"> {
  return idleEnergyOf(card) === null
    ? headlineOf(card)
    : (card.measures.energy.net ?? headlineOf(card));
}
