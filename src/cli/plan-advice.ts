// Advice on one job, for `godwit plan` and `godwit submit` alike: by which forecast, policy and guards, as the
// command line says.

import {
  type Advice,
  ASSUMED_ERROR,
  advise,
  bestPolicyFor,
  declaredError,
  errorOnRecord,
  type ForecastError,
  forecasterNamed,
  type Job,
  type NamedForecaster,
  policyNamed,
} from "../systems/schedule/index.ts";
import type { CliContext } from "./context.ts";
import {
  type ChosenSignal,
  chosenSignal,
  requireSource,
  type SignalChoice,
} from "./plan-signal.ts";
import { parseShare } from "./values.ts";

/** What was said on the command line about deciding, as it was typed. */
export interface DecisionOptions extends SignalChoice {
  readonly forecaster?: string | undefined;
  readonly policy?: string | undefined;
  readonly error?: string | undefined;
  readonly threshold: string;
}

/** How to decide. */
export interface Decision {
  readonly source: SignalChoice;
  readonly forecaster: NamedForecaster | null;
  /** Null for the one that fits the job. */
  readonly policy: ReturnType<typeof policyNamed> | null;
  readonly threshold: number;
  /** Null for what the record shows, or else the assumed one. */
  readonly error: ForecastError | null;
}

/** Reads the options, before a service is asked. Throws UserError for what cannot be. */
export function decisionOf(options: DecisionOptions): Decision {
  requireSource(options);
  const { forecaster, policy, error } = options;
  return {
    source: options,
    forecaster: forecaster === undefined ? null : forecasterNamed(forecaster),
    policy: policy === undefined ? null : policyNamed(policy),
    threshold: parseShare("--threshold", options.threshold),
    error: error === undefined ? null : declaredError(parseShare("--error", error)),
  };
}

/** Advice on a job in the zone of the forecast. Throws UserError when no forecast covers it. */
export async function adviceOn(
  context: CliContext,
  decision: Decision,
  asked: Omit<Job, "zones">,
  now: number,
): Promise<{ readonly advice: Advice; readonly chosen: ChosenSignal }> {
  const { source, forecaster, threshold } = decision;
  const chosen = await chosenSignal(context, source, { now, until: asked.deadline }, forecaster);
  const home = { zone: chosen.forecast.zone, bytes: 0, joulesPerByte: 0, startLatencyS: 0 };
  const job: Job = { ...asked, zones: [home] };
  const policy = decision.policy ?? bestPolicyFor(job);
  const onRecord =
    chosen.record === null || forecaster === null
      ? null
      : errorOnRecord(chosen.record, forecaster, { job, policy, now });
  const error = decision.error ?? onRecord ?? ASSUMED_ERROR;
  const { beside } = chosen;
  return {
    advice: advise(job, chosen.forecast, { now, policy, error, threshold, beside }),
    chosen,
  };
}
