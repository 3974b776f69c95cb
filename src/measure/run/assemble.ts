// The records of a run become its card. Pure, and forgiving of records that a crash cut short: a run
// without an end is `interrupted` and ends at its last tick. What nothing measured is absent, and a
// notice says why.

import type { Card, Step } from "../../core/card.ts";
import { CARD_SCHEMA, deepFreeze } from "../../core/card.ts";
import { exact, type Figure, UserError } from "../../core/index.ts";
import { attributedOf, unattributedOf } from "./attribution.ts";
import { addUp } from "./bounds.ts";
import { emissionsStep, energySteps, scopeOf } from "./chain.ts";
import { componentOf, type SensorEnergy, sensorEnergies, seriesOf } from "./energy.ts";
import { type Headline, headlineAccount, headlineOf, headlinePower, spansOf } from "./headline.ts";
import type { SegmentRecord, StartRecord } from "./record.ts";
import { type SplitContext, splitContext } from "./split.ts";
import { splitSteps } from "./split-steps.ts";
import { durationOf, readTimeline, type Timeline } from "./timeline.ts";

/** The card of a run, frozen. Throws UserError when there is not even a first record. */
export function assemble(records: readonly SegmentRecord[]): Card {
  const timeline = readTimeline(records);
  if (timeline === null) {
    throw new UserError("invalid-input", "the run's records have no first line", {
      hint: "The run ended before it began to measure; there is nothing to show.",
    });
  }
  const { start, end, times } = timeline;
  const duration = durationFigure(timeline);
  const context = splitContext(timeline);
  const { energies, notices } = sensorEnergies(context);
  const result = resultOf(energies, context, duration);
  const cpuTime = cpuTimeOf(timeline);
  return deepFreeze({
    schema: CARD_SCHEMA,
    id: start.id,
    subject: start.subject,
    status: end?.status ?? "interrupted",
    startedAt: start.startedAt,
    endedAt: end?.endedAt ?? endOf(start.startedAt, times.at(-1) ?? 0),
    ...(end?.exit == null ? {} : { exit: end.exit }),
    measures: {
      duration,
      ...end?.extra,
      ...result.measures,
      ...(cpuTime === null ? {} : { cpuTime }),
    },
    ...(end?.quality == null ? {} : { quality: end.quality }),
    boundary: {
      headline: result.headline?.account ?? "gross",
      scope: scopeOf(energies, start),
      pue: start.pue,
      idlePolicy: start.idleShare.source,
    },
    ...(result.conservation === null ? {} : { conservation: result.conservation }),
    signal: start.signal,
    components: energies.map((entry) => componentOf(entry, times)),
    spans: spansOf(timeline.spans, result.headline),
    gaps: timeline.gaps.map(({ sensor, from, to, reason, detail }) => ({
      sensor,
      fromS: from,
      toS: to,
      reason: `${reason}: ${detail}`,
    })),
    series: energies.map(({ track }) => seriesOf(track, times)),
    steps: result.steps,
    notices: [
      ...start.notices,
      ...timeline.notices,
      ...notices,
      ...assemblyNotices(timeline, energies, result.headline),
    ],
    machine: start.machine,
    ...(end?.overhead == null ? {} : { overhead: end.overhead }),
    godwit: { version: start.version },
  });
}

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
  const { headline, measures } = resultOf(energies, context, durationFigure(timeline));
  return {
    duration: durationOf(timeline),
    ...(headline === null ? {} : { energy: headline.energy }),
    ...(measures.emissions === undefined ? {} : { emissions: measures.emissions }),
    notices,
  };
}

interface Result {
  readonly measures: Pick<Card["measures"], "energy" | "power" | "emissions">;
  readonly headline: Headline | null;
  readonly conservation: NonNullable<Card["conservation"]> | null;
  readonly steps: Step[];
}

/** Energies at the boundary, power and emissions, with every step between. */
function resultOf(
  energies: readonly SensorEnergy[],
  context: SplitContext,
  duration: Figure<"s">,
): Result {
  const { timeline } = context;
  const { start } = timeline;
  const account = headlineAccount(energies, start);
  const isOwned = energies.length > 0 && account !== "gross";
  const chain = { start, duration };
  const gross = energySteps(
    start.claim === "own-share" && isOwned ? "net" : "gross",
    energies,
    chain,
  );
  const net = isOwned ? energySteps("net", energies, chain) : [];
  const attributed = isOwned ? energySteps(account, energies, chain) : [];
  const headline = headlineOf(account, energies, isOwned ? attributed : gross, timeline);
  const [all, own, share] = [gross.at(-1), net.at(-1), attributed.at(-1)];
  if (headline === null || all === undefined) {
    return { measures: {}, headline: null, conservation: null, steps: [] };
  }
  const emissions = emissionsStep(headline.energy, start.signal.intensity);
  const power = headlinePower(headline, energies);
  return {
    measures: {
      energy: {
        gross: all.result,
        ...(own === undefined ? {} : { net: own.result }),
        ...(share === undefined ? {} : { attributed: share.result }),
      },
      ...(power === null ? {} : { power }),
      emissions: emissions.result,
    },
    headline,
    conservation: conservationOf(energies),
    steps: distinct([
      ...energies.flatMap((entry) => splitSteps(entry, context)),
      ...gross,
      ...net,
      ...attributed,
      emissions,
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

/** CPU time of the subject: exact after it was waited for, else as last sampled. */
function cpuTimeOf({ end, ticks }: Timeline): Figure<"s"> | null {
  const reaped = end?.subjectS ?? null;
  if (reaped !== null) {
    return exact("s", reaped, { method: "measured", source: "CPU time of the whole process tree" });
  }
  const last = ticks.findLast(({ subjectS }) => subjectS !== null)?.subjectS ?? null;
  if (last === null) return null;
  return exact("s", last, { method: "sampled", source: "CPU time of the process tree, last seen" });
}

function assemblyNotices(
  { start, end, tracks }: Timeline,
  energies: readonly SensorEnergy[],
  headline: Headline | null,
): string[] {
  const notices: string[] = [];
  if (end === null) notices.push("the run was interrupted: figures end at its last sample");
  if (headline === null) notices.push(nothingMeasured(start, tracks.length));
  else if (headline.account === "gross") {
    notices.push(
      "the subject's own share is not known (no CPU time); figures are the whole machine's",
    );
  }
  if (energies.length > 0 && scopeOf(energies, start) === "component") {
    notices.push("supply losses, board and fans are not included: no sensor and no model of them");
  }
  return notices;
}

function nothingMeasured(start: StartRecord, sensors: number): string {
  return sensors === 0
    ? "no energy was measured: no sensor and no model answered (godwit doctor says why)"
    : `no energy was measured by ${start.sensors.map(({ id }) => id).join(", ")}`;
}

/** Steps without those that two accounts share word for word. */
function distinct(steps: readonly Step[]): Step[] {
  const names = new Set<string>();
  return steps.filter(({ name }) => !names.has(name) && names.add(name));
}

function endOf(startedAt: string, seconds: number): string {
  return new Date(Date.parse(startedAt) + seconds * 1000).toISOString();
}
