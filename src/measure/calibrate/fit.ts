// From the steps of a calibration to what is believed of the machine, or to the reason why nothing is:
// too few readings, a meter that does not react or that drifts, load that was not reached.

import { type Origin, UserError } from "../../core/index.ts";
import { mean } from "../../core/statistics.ts";
import { studentTails } from "../compare/student.ts";
import { fitCurve, type LoadCurve } from "./curve.ts";
import { linearModel, robustFit } from "./least-squares.ts";
import type { CalibrationStep } from "./step.ts";
import { fitSupply, implausible, type Residual, type Supply, type TruthError } from "./supply.ts";

export interface MachineFit {
  /** Null where no sensor of the processor answered. */
  readonly supply: Supply | null;
  /** Null where power did not follow the load as a curve, and the supply is known all the same. */
  readonly curve: LoadCurve | null;
  /** Of what later runs will most likely use: the supply, else the curve. */
  readonly residual: Residual;
  readonly notices: readonly string[];
}

export interface FitOptions {
  readonly truth: TruthError;
  readonly origin: Origin;
  /** Readings that a step needs: one where a person typed it. */
  readonly leastReadings: number;
  /** Wall watts per watt of a GPU, of the machine's class: its share is not in the load curve. */
  readonly besidesFactor: number;
  /** Whether work of others during the steps is a notice and no refusal. */
  readonly tolerant: boolean;
}

/** Levels that a curve of three parameters needs, and how far they reach. */
const LEAST_LEVELS = 4;
const LEAST_REACH = 0.5;
/** Outliers among the readings of one step. */
const MOST_DISCARDED = 0.25;
/** Share of the processors that others may use during a step. */
const MOST_OTHERS = 0.1;
/** Share of the asked load that has to be reached. */
const LEAST_REACHED = 0.85;
/** Mean residual above which readings are noise. */
const MOST_RESIDUAL = 0.1;
/** Drift over the calibration, as a share of the power, that a sound meter does not have. */
const MOST_DRIFT = 0.03;
/** Rise from the lowest to the highest step, as a share, below which the meter has not reacted. */
const LEAST_RISE = 0.02;

/** What the steps say of the machine. Throws UserError with the reason when that is nothing. */
export function fitMachine(steps: readonly CalibrationStep[], options: FitOptions): MachineFit {
  const notices = checkSteps(steps, options);
  const { truth, origin, besidesFactor } = options;
  const hasComponents = steps.every(({ components }) => components !== null);
  const supply = hasComponents ? fitSupply(steps, truth, origin) : null;
  const own = steps.map(({ wall, besides }) => wall - besides * besidesFactor);
  const curve = curveOrReason(() => fitCurve(steps, own, { truth, origin }), supply !== null);
  const found = typeof curve === "string" ? null : curve;
  const residual = (supply ?? found)?.residual;
  if (residual === undefined) throw implausible(String(curve));
  checkResidual(residual, steps);
  return {
    supply,
    curve: found,
    residual,
    notices: typeof curve === "string" ? [...notices, `no load curve: ${curve}`] : notices,
  };
}

/** Where the supply is known, a machine whose load tells little of its power is no fault. */
function curveOrReason(attempt: () => LoadCurve, isSpare: boolean): LoadCurve | string {
  try {
    return attempt();
  } catch (error) {
    if (!isSpare || !(error instanceof UserError)) throw error;
    return error.message;
  }
}

function checkSteps(steps: readonly CalibrationStep[], options: FitOptions): readonly string[] {
  const levels = steps.map(({ asked }) => asked);
  const reach = Math.max(...levels) - Math.min(...levels);
  if (new Set(levels).size < LEAST_LEVELS || reach < LEAST_REACH) {
    throw refusal(
      `too few steps: ${new Set(levels).size} levels of load`,
      "Give four or more that lie far apart, such as --steps 0,25,50,75,100.",
    );
  }
  for (const step of steps) checkReadings(step, options.leastReadings);
  const silent = steps.filter(({ components }) => components === null);
  if (silent.length > 0 && silent.length < steps.length) {
    const where = silent.map(({ asked }) => percent(asked)).join(", ");
    throw refusal(
      `a component sensor did not answer at ${where}`,
      "See godwit doctor, then again.",
    );
  }
  for (const step of steps) checkReached(step);
  const notices = steps.flatMap((step) => checkOthers(step, options.tolerant));
  checkReaction(steps);
  const restless = steps.filter(({ settled }) => !settled);
  return restless.length === 0
    ? notices
    : [
        ...notices,
        `power was not steady at ${restless.map(({ asked }) => percent(asked)).join(", ")}`,
      ];
}

function checkReadings({ asked, readings, discarded }: CalibrationStep, least: number): void {
  if (readings < least) {
    const what = `too few readings: ${readings} at ${percent(asked)} load`;
    throw refusal(what, "Give the meter more time with --seconds 60, or let it log more often.");
  }
  if (discarded > MOST_DISCARDED * (readings + discarded)) {
    const what = `too noisy: ${discarded} of ${readings + discarded} readings at ${percent(asked)} load are outliers`;
    throw refusal(what, "Give the meter more time with --seconds 60, and end what else runs.");
  }
}

function checkReached({ asked, utilisation, others }: CalibrationStep): void {
  const own = utilisation - others;
  if (own >= LEAST_REACHED * asked) return;
  const cause =
    others > 1 - asked
      ? `other processes used ${percent(others)}`
      : "a limit of this session, container or job leaves no more";
  const what = `the load was not reached: ${percent(own)} of the processors for ${percent(asked)}; ${cause}`;
  throw refusal(what, "Run it on the machine itself, outside of limits, while nothing else runs.");
}

function checkOthers({ asked, others }: CalibrationStep, tolerant: boolean): readonly string[] {
  if (others <= MOST_OTHERS) return [];
  const what = `other processes used ${percent(others)} of the processors at ${percent(asked)} load`;
  if (tolerant) return [what];
  throw refusal(what, "End them and calibrate again, or accept it with --force.");
}

function checkReaction(steps: readonly CalibrationStep[]): void {
  const ordered = steps.toSorted((a, b) => a.utilisation - b.utilisation);
  const [lowest, highest] = [ordered[0], ordered.at(-1)];
  if (lowest === undefined || highest === undefined) return;
  const errorOf = ({ spread, readings }: CalibrationStep): number => spread / Math.sqrt(readings);
  const rise = highest.wall - lowest.wall;
  const least = Math.max(
    LEAST_RISE * lowest.wall,
    3 * Math.hypot(errorOf(lowest), errorOf(highest)),
  );
  if (rise > least) return;
  throw refusal(
    `the meter does not react: ${lowest.wall.toFixed(1)} W at ${percent(lowest.utilisation)} load, ${highest.wall.toFixed(1)} W at ${percent(highest.utilisation)}`,
    "Check that it feeds this machine and that its readings are new.",
  );
}

function checkResidual({ watts, mean: share }: Residual, steps: readonly CalibrationStep[]): void {
  const drift = driftOf(watts, steps);
  if (drift !== null) {
    const what = `the meter drifts: by ${(100 * drift).toFixed(1)} % over the steps`;
    throw refusal(what, "Let machine and meter warm up under load for ten minutes, then again.");
  }
  if (share > MOST_RESIDUAL) {
    const what = `too noisy: readings are ${(100 * share).toFixed(0)} % off what fits them best`;
    throw refusal(what, "Give the meter more time with --seconds 60, and end what else runs.");
  }
}

/** Tails below which a trend is no accident. */
const CERTAIN = 0.01;

/** Trend of the residuals from first to last step, as a share of the power; null when sound. */
function driftOf(watts: readonly number[], steps: readonly CalibrationStep[]): number | null {
  const freedom = steps.length - 4;
  if (freedom < 1) return null;
  const times = steps.map(({ at }) => at);
  const middle = mean(times);
  const fit = robustFit(
    linearModel(
      times.map((at) => [at - middle, 1]),
      watts,
    ),
    watts,
  );
  const [slope = 0] = fit.parameters;
  const deviation = Math.sqrt(fit.covariance[0]?.[0] ?? 0);
  const span = Math.max(...times) - Math.min(...times);
  const drift = (slope * span) / mean(steps.map(({ wall }) => wall));
  const isCertain = deviation === 0 || studentTails(slope / deviation, freedom) < CERTAIN;
  return Math.abs(drift) > MOST_DRIFT && isCertain ? drift : null;
}

const refusal = (what: string, hint: string): UserError =>
  new UserError("unsupported", `no calibration: ${what}`, { hint });

const percent = (share: number): string => `${Math.round(share * 100)} %`;
