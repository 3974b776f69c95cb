// How a sensor's energy became the subject's, written down for `godwit explain`: totals of what was
// worked out interval by interval, so that each line can be checked with a pocket calculator.

import type { Step } from "../../core/card.ts";
import { exact, type Figure } from "../../core/index.ts";
import { addParts, NO_PARTS } from "./attribution.ts";
import type { SensorEnergy } from "./energy.ts";
import { type Rule, ruleFor, type SplitContext } from "./split.ts";

const RULES: Readonly<Record<Rule, string>> = {
  activity: "share of busy CPU time, interval by interval",
  occupation: "resident memory of the subject over all memory",
  exclusive: "the subject holds the device alone",
  "gpu-use": "share of the device's busy time, interval by interval",
  "gpu-unknown": "who used the device is not known; it is counted whole",
};

/** Steps of one sensor; only its energy when the subject's part cannot be told. */
export function splitSteps(entry: SensorEnergy, context: SplitContext): readonly Step[] {
  const { track, energy, owned } = entry;
  const { device, source } = track.sensor;
  const read: Step = {
    name: `energy of ${device}`,
    formula: readFormula(track.sensor),
    inputs: {},
    result: energy,
    source,
  };
  if (owned === null) return [read];
  const sums = owned.parts.reduce(addParts, NO_PARTS);
  const total = (value: number, of: string): Figure<"J"> =>
    exact("J", value, { method: energy.method, source: of });
  const idle = total(sums.ownIdle + sums.otherIdle, idleSource(entry, context));
  const active = total(sums.ownActive + sums.otherActive, "energy beyond idle");
  const origin = { method: "estimated", source: RULES[ruleFor(track, context)] } as const;
  const share = exact("1", part(sums.ownActive, active.value), origin);
  const idleShare = exact("1", part(sums.ownIdle, idle.value), {
    method: "declared",
    source: context.timeline.start.idleShare.source,
  });
  return [
    read,
    step(`active energy of ${device}`, "energy - idle", { energy, idle }, active),
    step(`net energy of ${device}`, "active * share", { active, share }, owned.net),
    step(
      `attributed energy of ${device}`,
      "net + idle * idle_share",
      { net: owned.net, idle, idle_share: idleShare },
      owned.attributed,
    ),
  ];
}

/** A model adds its power up as a counter would, but nothing was counted. */
function readFormula({ kind, method }: SensorEnergy["track"]["sensor"]): string {
  if (method === "estimated") return "integral of the modelled power";
  return kind === "counter" ? "counter(end) - counter(start)" : "integral of power, trapezoid";
}

function step(
  name: string,
  formula: string,
  inputs: Readonly<Record<string, Figure<"J"> | Figure<"1">>>,
  result: Figure<"J">,
): Step {
  return { name, formula, inputs, result, source: "docs/methods/attribution.md" };
}

function idleSource({ track }: SensorEnergy, context: SplitContext): string {
  const rule = ruleFor(track, context);
  if (rule === "occupation") return "memory that the subject does not use";
  const baseline = context.idle[track.sensor.id];
  if (baseline !== undefined) return `idle power ${baseline.source}`;
  if (rule === "activity" || rule === "gpu-use") {
    return "no baseline: power * (1 - utilisation), as Kepler";
  }
  return "no baseline: none told apart";
}

const part = (own: number, all: number): number => (all === 0 ? 0 : own / all);
