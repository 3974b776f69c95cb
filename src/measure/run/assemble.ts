// The records of a run become its card. Pure, and forgiving of records that a crash cut short: a run
// without an end is `interrupted` and ends at its last tick. What nothing measured is absent, and a
// notice says why.

import type { Card } from "../../core/card.ts";
import { CARD_SCHEMA } from "../../core/card-version.ts";
import { deepFreeze } from "../../core/freeze.ts";
import { exact, type Figure, figure, UserError } from "../../core/index.ts";
import { scopeOf } from "./chain.ts";
import { componentOf, type SensorEnergy, sensorEnergies, seriesOf } from "./energy.ts";
import { gpuActivity, whyUntold } from "./gpu-activity.ts";
import { type Headline, spansOf } from "./headline.ts";
import { payBackStep } from "./pay-back.ts";
import type { SegmentRecord, SensorRecord, StartRecord } from "./record.ts";
import { resultOf } from "./result.ts";
import { splitContext } from "./split.ts";
import { deltas, durationOf, readTimeline, type Timeline } from "./timeline.ts";
import { wallDoubts } from "./wall-check.ts";

/** The card of a run, frozen. Throws UserError when there is not even a first record. */
export function assemble(records: readonly SegmentRecord[]): Card {
  const timeline = readTimeline(records);
  if (timeline === null) {
    throw new UserError("invalid-input", "the run's records have no first line", {
      hint: "The run ended before it began to measure; there is nothing to show.",
    });
  }
  const { start, end, times } = timeline;
  const context = splitContext(timeline);
  const { energies, notices } = sensorEnergies(context);
  const result = resultOf(energies, context);
  const cpuTime = cpuTimeOf(timeline);
  const payBack = payBackOf(timeline, result.headline);
  return deepFreeze({
    schema: CARD_SCHEMA,
    id: start.id,
    subject: start.subject,
    status: end?.status ?? "interrupted",
    startedAt: start.startedAt,
    endedAt: end?.endedAt ?? endOf(start.startedAt, times.at(-1) ?? 0),
    ...(end?.exit == null ? {} : { exit: end.exit }),
    measures: {
      duration: result.duration,
      ...end?.extra,
      ...result.measures,
      ...(cpuTime === null ? {} : { cpuTime }),
      ...(payBack === null ? {} : { paidBackAfter: payBack.result }),
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
    components: energies.map((entry) => componentOf(entry, timeline)),
    spans: spansOf(timeline.spans, result.headline),
    gaps: timeline.gaps.map(({ sensor, from, to, reason, detail }) => ({
      sensor,
      fromS: from,
      toS: to,
      reason: `${reason}: ${detail}`,
    })),
    series: energies.map(({ track }) => seriesOf(track, times)),
    steps: [...result.steps, ...(payBack === null ? [] : [payBack])],
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

const WAY_UNKNOWN: NonNullable<StartRecord["cpuTime"]> = {
  source: "CPU time of the process tree",
  fallbacks: [],
};

/** Null for work that saves nothing, or whose energy is not known. */
function payBackOf({ end }: Timeline, headline: Headline | null) {
  const saved = end?.extra?.savedPerUse;
  if (headline === null || saved === undefined || !(saved.low > 0)) return null;
  return payBackStep(headline.energy, saved);
}

/** CPU time of the subject: exact after it was waited for, else as last sampled. */
function cpuTimeOf({ start, end, ticks }: Timeline): Figure<"s"> | null {
  const { step = 0, ...way } = start.cpuTime ?? WAY_UNKNOWN;
  const reaped = end?.subjectS ?? null;
  if (reaped !== null) {
    const range = { low: Math.max(0, reaped - step), high: reaped + step };
    return figure("s", reaped, range, { method: "measured", ...way });
  }
  const last = ticks.findLast(({ subjectS }) => subjectS !== null)?.subjectS ?? null;
  if (last === null) return null;
  return exact("s", last, { ...way, method: "sampled", source: `${way.source}, last seen` });
}

function assemblyNotices(
  timeline: Timeline,
  energies: readonly SensorEnergy[],
  headline: Headline | null,
): string[] {
  const { start, end, tracks } = timeline;
  const notices: string[] = [];
  if (end === null) notices.push("the run was interrupted: figures end at its last sample");
  if (headline === null) notices.push(nothingMeasured(start, tracks.length));
  else if (headline.account === "gross") {
    notices.push(
      "the subject's own share is not known (no CPU time); figures are the whole machine's",
    );
  }
  notices.push(...wallDoubts(timeline), ...cpuTimeNotices(timeline));
  notices.push(...energies.flatMap(({ track }) => untoldNotice(track.sensor, timeline)));
  if (energies.length > 0 && scopeOf(energies, start) === "component") {
    notices.push("supply losses, board and fans are not included: no sensor and no model of them");
  }
  return notices;
}

/** CPU time that was last told long before the end lacks what was used since. */
function cpuTimeNotices({ end, ticks, times }: Timeline): string[] {
  const last = ticks.findLast(({ subjectS }) => subjectS !== null);
  const until = times.at(-1) ?? 0;
  if (end?.subjectS != null || last === undefined) return [];
  if (until - last.t <= MOST_UNTOLD * until) return [];
  return [
    `the subject's CPU time was last told at ${last.t.toFixed(1)} s of ${until.toFixed(1)} s: what it used afterwards is not in it`,
  ];
}

/** A moment without an answer is no news; a device that was asked for the most part in vain is. */
const MOST_UNTOLD = 0.05;

function untoldNotice({ id, device, domain }: SensorRecord, timeline: Timeline): string[] {
  const why = domain === "gpu" ? whyUntold(id, timeline) : null;
  if (why === null) return [];
  const activity = gpuActivity(id, timeline);
  const told = (activity ?? []).map((interval) => interval.told);
  const seconds = deltas(timeline.times);
  const untold =
    1 -
    told.reduce((sum, part, index) => sum + part * (seconds[index] ?? 0), 0) / durationOf(timeline);
  if (untold <= MOST_UNTOLD) return [];
  return [
    `who used ${device} is not known for ${Math.round(100 * untold)} % of the time, which is counted as the subject's, from nothing up: ${why}`,
  ];
}

function nothingMeasured(start: StartRecord, sensors: number): string {
  return sensors === 0
    ? "no energy was measured: no sensor and no model answered (godwit doctor says why)"
    : `no energy was measured by ${start.sensors.map(({ id }) => id).join(", ")}`;
}

function endOf(startedAt: string, seconds: number): string {
  return new Date(Date.parse(startedAt) + seconds * 1000).toISOString();
}
