// What a gap is worth, and the energy of any window of a run. A gap is bridged at the mean power of
// the seconds on its two sides, flagged, and given an interval from half of the lower to twice the
// higher of the two: a convention, wide enough for a machine that went idle or busy unseen. It is
// worked out on the whole run, so windows add up: [a, b] and [b, c] make [a, c].

import { combinedMethod, type Figure, figure, type Method, Z90 } from "../../core/index.ts";
import { type Gap, MAX_POWER_UNKNOWN, type Piece } from "./integrate.ts";
import type { Sensor } from "./sensor.ts";

/** A piece with energy on it; `low` and `high` say only what its gap leaves open. */
export interface BridgedPiece {
  readonly from: number;
  readonly to: number;
  readonly joules: number;
  readonly low: number;
  readonly high: number;
  /** The gap that was bridged; null when the energy was seen. */
  readonly gap: Gap | null;
}

/** Energy of a window, with what gaps and the resolution of the sensor leave open (90 %). */
export interface WindowEnergy {
  /** Seconds. */
  readonly length: number;
  readonly joules: number;
  readonly low: number;
  readonly high: number;
  readonly gaps: readonly Gap[];
  /** Seconds of the window that were bridged. */
  readonly bridged: number;
  /** Seconds of the window that no piece covers. */
  readonly uncovered: number;
  /** Half-width in joules of the error of a window shorter than 20 updates of the sensor; else 0. */
  readonly quantisation: number;
}

/** The power in a gap lies within this factor of its neighbours' powers. */
const GAP_FACTOR = 2;
/**
 * Seconds on each side of a gap that tell its power. The very last stretch before a counter stands still
 * may hold a part of its energy alone.
 */
const NEIGHBOURHOOD = 5;
/** Windows of at least this many updates of a sensor are not troubled by its resolution. */
const UPDATES_RESOLVED = 20;
/**
 * 90 % half-width, in update periods, of the difference of two uniform delays: its density is a
 * triangle of half-width 1, which holds 90 % within 1 - sqrt(1 - 0.9). Exact.
 */
const QUANTISATION_90 = 1 - Math.sqrt(0.1);
/** Above this share of bridged time a figure is no longer called measured. */
const MOST_BRIDGED = 0.05;

/**
 * Energy on every piece. Empty when there is nothing to bridge with: then the energy is not known,
 * which is not the same as none.
 */
export function bridgeGaps(
  pieces: readonly Piece[],
  sensor: Pick<Sensor, "maxPower"> = {},
): readonly BridgedPiece[] {
  const seen = pieces.filter((piece) => piece.kind === "energy" && piece.to > piece.from);
  if (seen.length === 0) return [];
  return pieces.map((piece, index) => {
    if (piece.kind === "energy") {
      const { from, to, joules } = piece;
      return { from, to, joules, low: joules, high: joules, gap: null };
    }
    return bridged(piece, neighbours(pieces, index), sensor.maxPower);
  });
}

/** The energy of a window; null when nothing in the run tells it. */
export function energyBetween(
  pieces: readonly BridgedPiece[],
  window: { readonly from: number; readonly to: number },
  sensor: Pick<Sensor, "updatePeriod" | "maxPower"> = {},
): WindowEnergy | null {
  const parts = pieces.flatMap((piece) => cut(piece, window));
  const length = window.to - window.from;
  const covered = total(parts, (part) => part.to - part.from);
  if (parts.length === 0 && length > 0) return null;
  const joules = total(parts, (part) => part.joules);
  const quantisation = quantisationOf({ length, joules }, sensor);
  return {
    length,
    joules,
    low: Math.max(0, total(parts, (part) => part.low) - quantisation),
    high: total(parts, (part) => part.high) + quantisation,
    gaps: parts.flatMap((part) => (part.gap === null ? [] : [part.gap])),
    // A gap behind which the counter went on, taken whole, has its energy counted.
    bridged: total(parts, (part) => (part.low === part.high ? 0 : part.to - part.from)),
    uncovered: Math.max(0, length - covered),
    quantisation,
  };
}

/**
 * A window's energy as a figure: the sensor's own relative error and what the window leaves open,
 * taken as independent. Bridged gaps are named in `fallbacks`.
 */
export function energyFigure(
  sensor: Pick<Sensor, "method" | "source" | "error" | "shortWindow">,
  energy: WindowEnergy,
  fallbacks: readonly string[] = [],
): Figure<"J"> {
  const { joules, low, high } = energy;
  const factors = errorFactors(sensor, energy.length);
  const down = Math.hypot(joules - joules * factors.low, joules - low);
  const up = Math.hypot(joules * factors.high - joules, high - joules);
  const interval = { low: Math.max(0, joules - down), high: joules + up };
  return figure("J", joules, interval, {
    method: methodOf(sensor.method, energy),
    source: sensor.source,
    fallbacks: [...fallbacks, ...energy.gaps.map(describeGap)],
  });
}

/** The 90 % factors of a sensor's error over a window of so many seconds. */
export function errorFactors(
  { error, shortWindow }: Pick<Sensor, "error" | "shortWindow">,
  length: number,
): { readonly low: number; readonly high: number } {
  const isShort = shortWindow !== undefined && length < shortWindow.below;
  const valid = isShort ? shortWindow.error : error;
  if (typeof valid !== "number") return valid;
  return { low: Math.exp(-Z90 * valid), high: Math.exp(Z90 * valid) };
}

/** One line for people: when, how long, why. */
export function describeGap({ from, to, reason, detail }: Gap): string {
  return `${(to - from).toFixed(1)} s bridged from ${from.toFixed(1)} s (${reason}: ${detail})`;
}

function methodOf(method: Sensor["method"], { length, bridged }: WindowEnergy): Method {
  return bridged > MOST_BRIDGED * length ? combinedMethod([method, "estimated"]) : method;
}

/** Mean powers of the nearest seconds of energy on either side. */
function neighbours(pieces: readonly Piece[], index: number): readonly number[] {
  const before = powerOf(pieces, { from: index - 1, step: -1 });
  const after = powerOf(pieces, { from: index + 1, step: 1 });
  return [before, after].filter((power) => power !== null);
}

/** Mean power of the seen stretches from an index on, until they are a neighbourhood; null for none. */
function powerOf(
  pieces: readonly Piece[],
  { from, step }: { readonly from: number; readonly step: 1 | -1 },
): number | null {
  let [seconds, joules] = [0, 0];
  for (let index = from; seconds < NEIGHBOURHOOD; index += step) {
    const piece = pieces[index];
    if (piece === undefined) break;
    if (piece.kind === "gap") continue;
    seconds += piece.to - piece.from;
    joules += piece.joules;
  }
  return seconds > 0 ? joules / seconds : null;
}

function bridged(gap: Gap, powers: readonly number[], maxPower: number | undefined): BridgedPiece {
  const { from, to } = gap;
  const seconds = to - from;
  if (gap.joules !== null) {
    return { from, to, joules: gap.joules, low: gap.joules, high: gap.joules, gap };
  }
  const mean = powers.reduce((sum, power) => sum + power, 0) / powers.length;
  const least = Math.min(...powers) / GAP_FACTOR;
  const most = Math.max(...powers);
  const ceiling = Math.max(most, Math.min(most * GAP_FACTOR, maxPower ?? Number.POSITIVE_INFINITY));
  return { from, to, joules: mean * seconds, low: least * seconds, high: ceiling * seconds, gap };
}

/** The part of a piece inside a window, at the piece's mean power. */
function cut(
  piece: BridgedPiece,
  window: { readonly from: number; readonly to: number },
): readonly BridgedPiece[] {
  const from = Math.max(piece.from, window.from);
  const to = Math.min(piece.to, window.to);
  if (to <= from) return [];
  const share = (to - from) / (piece.to - piece.from);
  const { joules, low, high, gap } = piece;
  // A counter that went on behind a gap gives the gap's energy, not where in it the energy went.
  const loose = gap !== null && gap.joules !== null && share < 1 ? GAP_FACTOR : 1;
  return [
    {
      from,
      to,
      joules: joules * share,
      low: (low * share) / loose,
      high: Math.min(high, high * share * loose),
      gap,
    },
  ];
}

/**
 * Half-width (90 %) of the error of a short window. Each end catches the counter somewhere in its
 * update period; at mean power P the two ends differ by P x period x a triangular deviate.
 */
function quantisationOf(
  window: { readonly length: number; readonly joules: number },
  { updatePeriod, maxPower }: Pick<Sensor, "updatePeriod" | "maxPower">,
): number {
  if (updatePeriod === undefined || window.length >= UPDATES_RESOLVED * updatePeriod) return 0;
  if (window.length <= 0) return 0;
  const seen = window.joules / window.length;
  // A counter that has not moved says nothing of the power: then only the limit is known.
  const power = seen > 0 ? seen : (maxPower ?? MAX_POWER_UNKNOWN);
  return QUANTISATION_90 * power * updatePeriod;
}

function total(parts: readonly BridgedPiece[], measure: (part: BridgedPiece) => number): number {
  return parts.reduce((sum, part) => sum + measure(part), 0);
}
