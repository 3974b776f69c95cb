// What a run comes to: its energies at the boundary, its power, its emissions, whether what was
// handed out adds up, and every step of the arithmetic.

import type { Card, Step } from "../../core/card.ts";
import { exact, type Figure } from "../../core/index.ts";
import { attributedOf, unattributedOf } from "./attribution.ts";
import { addUp } from "./bounds.ts";
import { type Account, addsFacility, emissionsStep, energySteps } from "./chain.ts";
import { type SensorEnergy, sensorEnergies } from "./energy.ts";
import { footprintOf } from "./footprint.ts";
import { type Headline, headlineAccount, headlineOf, headlinePower } from "./headline.ts";
import type { SegmentRecord } from "./record.ts";
import { type SplitContext, splitContext } from "./split.ts";
import { splitSteps } from "./split-steps.ts";
import { durationOf, readTimeline, type Timeline } from "./timeline.ts";

/** What a part of a run used; energy and emissions are absent where nothing measured it. */
export interface Summary {
  /** Seconds. */
  readonly duration: number;
  readonly energy?: Figure<"J">;
  readonly emissions?: Figure<"gCO2e">;
  /** Why a figure is absent. */
  readonly notices: readonly string[];
}

/** The headline figures of records, without their card. */
export function summarise(records: readonly SegmentRecord[]): Summary {
  const timeline = readTimeline(records);
  if (timeline === null) return { duration: 0, notices: ["the run has no records"] };
  const context = splitContext(timeline);
  const { energies, notices } = sensorEnergies(context);
  const chain = { start: timeline.start, duration: durationFigure(timeline) };
  // One account alone: spans are many, and each sum of figures is a thousand draws.
  const energy = energySteps(headlineAccount(energies, chain.start), energies, chain).at(-1);
  return {
    duration: durationOf(timeline),
    ...(energy === undefined
      ? {}
      : {
          energy: energy.result,
          emissions: emissionsStep(energy.result, chain.start.signal.intensity).result,
        }),
    notices,
  };
}

export interface Result {
  readonly duration: Figure<"s">;
  readonly measures: Pick<
    Card["measures"],
    "energy" | "power" | "emissions" | "water" | "embodied" | "cost"
  >;
  readonly headline: Headline | null;
  readonly conservation: NonNullable<Card["conservation"]> | null;
  readonly steps: Step[];
}

/** Energies at the boundary, power and emissions, with every step between. */
export function resultOf(energies: readonly SensorEnergy[], context: SplitContext): Result {
  const { timeline } = context;
  const { start } = timeline;
  const duration = durationFigure(timeline);
  const account = headlineAccount(energies, start);
  const chain = { start, duration };
  const stepsOf = (of: Account) => energySteps(of, energies, chain);
  const own = account === "gross" ? [] : stepsOf("net");
  // Where another card has the machine, all that this one may claim is its own.
  const gross = start.claim === "own-share" && account === "net" ? own : stepsOf("gross");
  const attributed = account === "attributed" ? stepsOf("attributed") : own;
  const told = account === "gross" ? gross : attributed;
  const headline = headlineOf(account, energies, told, timeline);
  const [all, net, share] = [gross.at(-1), own.at(-1), attributed.at(-1)];
  if (headline === null || all === undefined) {
    return { duration, measures: {}, headline: null, conservation: null, steps: [] };
  }
  const emissions = emissionsStep(headline.energy, start.signal.intensity);
  const power = headlinePower(headline, energies);
  const { steps: footprintSteps, ...footprint } = footprintOf(start.footprint ?? {}, {
    facility: headline.energy,
    machines: (addsFacility(start.pue) ? told.at(-2)?.result : null) ?? headline.energy,
    emissions: emissions.result,
    duration,
    share: start.idleShare,
  });
  return {
    duration,
    measures: {
      energy: {
        gross: all.result,
        ...(net === undefined ? {} : { net: net.result }),
        ...(share === undefined ? {} : { attributed: share.result }),
      },
      ...(power === null ? {} : { power }),
      emissions: emissions.result,
      ...footprint,
    },
    headline,
    conservation: conservationOf(energies),
    steps: distinct([
      ...energies.flatMap((entry) => splitSteps(entry, context)),
      ...gross,
      ...own,
      ...attributed,
      emissions,
      ...footprintSteps,
    ]),
  };
}

/** What sensors counted against what was handed out, which was summed on another way. */
function conservationOf(
  energies: readonly SensorEnergy[],
): NonNullable<Card["conservation"]> | null {
  if (energies.some(({ owned }) => owned === null)) return null;
  const parts = energies.flatMap(({ owned }) => owned?.parts ?? []);
  const measuredJ = energies.reduce((sum, { energy }) => sum + energy.value, 0);
  const attributedJ = addUp(parts, attributedOf);
  const unattributedJ = addUp(parts, unattributedOf);
  const difference = Math.abs(attributedJ + unattributedJ - measuredJ);
  const relativeError = measuredJ === 0 ? 0 : difference / measuredJ;
  return { measuredJ, attributedJ, unattributedJ, relativeError };
}

function durationFigure(timeline: Timeline): Figure<"s"> {
  const origin = { method: "measured", source: "monotonic clock" } as const;
  return exact("s", durationOf(timeline), origin);
}

/** Steps without those that two accounts share word for word. */
function distinct(steps: readonly Step[]): Step[] {
  const names = new Set<string>();
  return steps.filter(({ name }) => !names.has(name) && names.add(name));
}
