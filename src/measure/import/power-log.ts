// A meter's log as a card: SPEC PTDaemon's, which MLPerf Power submits as `spl.txt`, or any of the formats
// in docs/methods/machine-meters.md. The energy is the integral of the power at the wall; holes in the
// log are bridged and widen the interval, as in a run.

import type { Card } from "../../core/card.ts";
import { exact, figure, product, UserError } from "../../core/index.ts";
import { median } from "../../core/statistics.ts";
import { bridgeGaps, energyBetween, energyFigure } from "../sensors/bridge.ts";
import { type Gap, integrate, ruleOf } from "../sensors/integrate.ts";
import { samplesOf } from "../sensors/meter-file.ts";
import { importedCard } from "./imported-card.ts";

/** Relative error of an analyser, 1 sigma: docs/methods/machine-meters.md. */
const ERROR = 0.02;

/** Points of the curve on the card. */
const MOST_POINTS = 500;

export interface PowerLogOptions {
  readonly name: string;
  /** Minutes that the meter's clock was ahead of UTC, for times without a zone. */
  readonly offset: number;
  /** Milliseconds since 1970 UTC; only samples between them count. */
  readonly from?: number;
  readonly to?: number;
  readonly version: string;
}

/** The card of a whole log, or of a window of it. Throws UserError below two samples. */
export function importPowerLog(text: string, path: string, options: PowerLogOptions): Card {
  const samples = samplesOf(text, path)
    .map(({ time, local, watts }) => ({
      time: local ? time - options.offset * 60_000 : time,
      watts,
    }))
    .filter(
      ({ time }) =>
        time >= (options.from ?? Number.NEGATIVE_INFINITY) &&
        time <= (options.to ?? Number.POSITIVE_INFINITY),
    )
    .sort((a, b) => a.time - b.time);
  const [first] = samples;
  const last = samples.at(-1);
  if (first === undefined || last === undefined || last.time <= first.time) {
    throw new UserError("invalid-input", `${path} has ${samples.length} samples there: no energy`, {
      hint: "Check --from and --to; times without a zone are UTC unless --utc-offset says else.",
    });
  }
  const points = samples.map(({ time, watts }) => ({ t: (time - first.time) / 1000, watts }));
  const seconds = (last.time - first.time) / 1000;
  const source = `power log ${path.slice(path.lastIndexOf("/") + 1)}`;
  const { energy, gaps } = energyOf(points, { seconds, source });
  const peak = Math.max(...points.map(({ watts }) => watts));
  return importedCard({
    id: `power-${first.time.toString(36)}-${samples.length}-${Math.round(energy.value)}`,
    kind: "job",
    name: options.name,
    tags: { imported: "power-log" },
    from: first.time,
    seconds,
    clock: `${source}, first to last sample`,
    energy,
    power: {
      mean: product("W", [energy, exact("1", 1 / seconds, energy)], { source: `${source}, mean` }),
      peak: figure(
        "W",
        peak,
        { low: peak / (1 + 2 * ERROR), high: peak * (1 + 2 * ERROR) },
        {
          method: "sampled",
          source: `${source}, highest sample`,
        },
      ),
    },
    scope: "wall",
    components: [{ domain: "machine", device: "wall", provider: "power-log", energy }],
    series: [thinned(points)],
    gaps: gaps.map(({ from, to, reason, detail }) => ({
      sensor: source,
      fromS: from,
      toS: to,
      reason: `${reason}: ${detail}`,
    })),
    notices: [
      "imported from a meter's log: all that was behind the meter, idle power included",
      ...(samplesOf(text, path)[0]?.local && options.offset === 0
        ? ["the log's times name no zone and were taken as UTC"]
        : []),
    ],
    version: options.version,
  });
}

type Point = { readonly t: number; readonly watts: number };

function energyOf(
  points: readonly Point[],
  { seconds, source }: { readonly seconds: number; readonly source: string },
) {
  const steps = points.slice(1).map(({ t }, at) => t - (points[at]?.t ?? 0));
  const rule = ruleOf({ kind: "power" }, median(steps.filter((step) => step > 0)));
  // A machine that runs uses power: a meter that reads none is out of range, and that is a gap.
  const observations = points.map(({ t, watts }) =>
    watts > 0
      ? ({ kind: "value", t, value: watts } as const)
      : ({ kind: "fault", t, detail: `it read ${watts} W`, restarted: false } as const),
  );
  const window = { from: 0, to: seconds };
  const pieces = integrate(rule, observations, window);
  const found = energyBetween(bridgeGaps(pieces), window);
  if (found === null) {
    throw new UserError("invalid-input", `${source} never reads more than 0 W`, {
      hint: "Is it the log of the machine that ran?",
    });
  }
  const gaps: readonly Gap[] = found.gaps;
  return { energy: energyFigure({ method: "sampled", source, error: ERROR }, found), gaps };
}

/** Every so-manieth sample; the segment of the card is a picture, the energy has them all. */
function thinned(points: readonly Point[]): Card["series"][number] {
  const stride = Math.ceil(points.length / MOST_POINTS);
  const kept = points.filter((_, at) => at % stride === 0);
  return {
    domain: "machine",
    device: "wall",
    timesS: kept.map(({ t }) => t),
    watts: kept.map(({ watts }) => watts),
  };
}
