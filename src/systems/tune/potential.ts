// What choosing batch size and power limit is worth when everything is known: the oracle, what each knob
// gives alone, what is left when no time may be lost, and the settings among which a user chooses.

import { baselineOf, highestLimit, type Setting, settingsOf, type Workload } from "./workload.ts";

/** Shares of the baseline's energy that are saved, 0 to 1, and the settings that save them. */
export interface Potential {
  readonly baseline: Setting;
  readonly both: Saving;
  /** Default batch size, best limit. */
  readonly limitOnly: Saving;
  /** Highest limit, best batch size. */
  readonly batchOnly: Saving;
  /** Least energy among the settings that take no longer than the baseline. */
  readonly noSlowdown: Saving;
  /** Likewise with the default batch size: what the power limit alone gives for free. */
  readonly noSlowdownLimitOnly: Saving;
}

export interface Saving {
  readonly setting: Setting;
  /** Share of the baseline's energy. */
  readonly energy: number;
  /** Share of the baseline's time; negative when slower. */
  readonly time: number;
}

/** The potential of a workload, with at most `slowdown` more time (0.05 is 5 %) in the no-slowdown rows. */
export function potentialOf(workload: Workload, slowdown = 0): Potential {
  const settings = settingsOf(workload);
  const baseline = baselineOf(workload);
  const limit = highestLimit(workload);
  const longest = baseline.seconds * (1 + slowdown);
  const best = (allowed: (one: Setting) => boolean): Saving => {
    const least = settings
      .filter(allowed)
      .reduce((low, one) => (one.joules < low.joules ? one : low), baseline);
    return {
      setting: least,
      energy: 1 - least.joules / baseline.joules,
      time: 1 - least.seconds / baseline.seconds,
    };
  };
  const usual = (one: Setting): boolean => one.batch === baseline.batch;
  const quick = (one: Setting): boolean => one.seconds <= longest;
  return {
    baseline,
    both: best(() => true),
    limitOnly: best(usual),
    batchOnly: best((one) => one.limit === limit),
    noSlowdown: best(quick),
    noSlowdownLimitOnly: best((one) => usual(one) && quick(one)),
  };
}

/** Settings that no other beats in both time and energy, quickest first. */
export function paretoFront(settings: readonly Setting[]): readonly Setting[] {
  const quickestFirst = [...settings].sort((a, b) => a.seconds - b.seconds || a.joules - b.joules);
  let least = Infinity;
  return quickestFirst.filter(({ joules }) => {
    const better = joules < least;
    least = Math.min(least, joules);
    return better;
  });
}
