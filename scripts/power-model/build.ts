// From published rows to the coefficients that are shipped.

import { median } from "../../src/core/index.ts";
import type {
  FactorsByLoad,
  PowerModel,
  PowerRange,
  ServerLaw,
  ThreadPower,
} from "../../src/measure/estimate/coefficients.ts";
import { normaliseCpuName } from "../../src/measure/estimate/cpu-table.ts";
import { fitPowerLaw, type Input, powerLaw } from "./forms.ts";
import { innerFolds, LAST_TRAINING_YEAR } from "./selection.ts";
import type { SummaryServer } from "./spec-summary.ts";
import { LOADS, type MeasuredServer } from "./spec-systems.ts";
import { type Band, calibratedBand, leaveOut } from "./validation.ts";

/** What the selection chose; the test of the fit chooses again and compares. */
export const CHOSEN = {
  inputs: ["tdp", "memory", "frequency"],
  training: { from: 2015, halfLife: 3 },
} as const satisfies { inputs: readonly Input[]; training: { from: number; halfLife: number } };

/** First year of the systems that a form is tested on with their CPU model or family left out. */
export const TESTED_FROM = 2017;

/** About the geometric means of the systems, so that the watts are those of an ordinary server. */
const REFERENCE = { tdp: 300, memory: 200, frequency: 2.4 } as const;

/** Small servers are not what clouds are made of. */
const CLOUD_THREADS = 32;

/** Fewer servers than this say nothing about a microarchitecture. */
const ENOUGH_SERVERS = 5;

/** Fewer CPU models than this do not show how models of one microarchitecture spread. */
const ENOUGH_MODELS = 5;

/** The file's families in the spelling of data/cpus/microarchitectures.csv. */
const MICROARCHITECTURES: Readonly<Record<string, readonly string[]>> = {
  "epyc-gen1": ["zen"],
  "epyc-gen2": ["zen2"],
  "epyc-gen3": ["zen3"],
  skylake: ["skylake", "skylake-sp"],
  kabylake: ["kaby-lake"],
  coffeelake: ["coffee-lake"],
  cascadelake: ["cascade-lake"],
  cooperlake: ["cooper-lake"],
  icelake: ["ice-lake-sp"],
  rocketlake: ["rocket-lake"],
};

/** The coefficients of all systems, old and new. */
export function buildPowerModel(
  systems: readonly MeasuredServer[],
  summary: readonly SummaryServer[],
): PowerModel {
  const fitted = systems.filter((system) => system.year >= CHOSEN.training.from);
  const span = (of: (system: MeasuredServer) => number): readonly [number, number] => [
    round(Math.min(...fitted.map(of))),
    round(Math.max(...fitted.map(of))),
  ];
  const families = new Set(
    fitted
      .filter((system) => system.year >= TESTED_FROM)
      .flatMap((system) => MICROARCHITECTURES[system.family] ?? []),
  );
  return {
    schema: "godwit.power-model/1",
    loads: LOADS,
    server: {
      form: powerLaw(CHOSEN.inputs, CHOSEN.training).name,
      systems: fitted.length,
      available: span((system) => system.available),
      reference: REFERENCE,
      range: {
        tdp: span((system) => system.tdp),
        memory: span((system) => system.memoryGB),
        frequency: span((system) => system.frequencyGHz),
      },
      families: [...families].sort(),
      withFrequency: serverLaw(systems, CHOSEN.inputs),
      withoutFrequency: serverLaw(systems, ["tdp", "memory"]),
    },
    shape: shapeOf(systems),
    threads: threadPowers(summary),
  };
}

function serverLaw(systems: readonly MeasuredServer[], inputs: readonly Input[]): ServerLaw {
  const law = fitPowerLaw(systems, inputs, CHOSEN.training);
  const form = powerLaw(inputs, CHOSEN.training);
  const past = systems.filter((system) => system.year <= LAST_TRAINING_YEAR);
  const exponent = (input: Input): readonly number[] => {
    const column = inputs.indexOf(input) + 1;
    return law.map((line) => round((line[column] ?? 0) + (input === "tdp" ? 1 : 0)));
  };
  const reference = (input: Input): number => Math.log(REFERENCE[input as keyof typeof REFERENCE]);
  return {
    watts: law.map(([intercept = 0, ...slopes]) => {
      const exponentOf = slopes.map((slope, j) => slope * reference(inputs[j] ?? "tdp"));
      return round(REFERENCE.tdp * Math.exp(exponentOf.reduce((sum, x) => sum + x, intercept)));
    }),
    exponents: {
      tdp: exponent("tdp"),
      memory: exponent("memory"),
      ...(inputs.includes("frequency") ? { frequency: exponent("frequency") } : {}),
    },
    inFamily: factors(
      calibratedBand(leaveOut(form, systems, { by: "cpu", from: TESTED_FROM })).band,
    ),
    newer: factors(calibratedBand(innerFolds(form, past).flat()).band),
  };
}

const factors = ({ low, high }: Band): FactorsByLoad => ({
  low: low.map(round),
  high: high.map(round),
});

/** Median over systems of the share of the way from idle to full power at each load. */
function shapeOf(systems: readonly MeasuredServer[]): readonly number[] {
  const recent = systems.filter((system) => system.year >= TESTED_FROM);
  return LOADS.map((_, level) =>
    round(
      median(
        recent.map(({ watts }) => {
          const [idle = 0, full = 0] = [watts[0], watts.at(-1)];
          return ((watts[level] ?? 0) - idle) / (full - idle);
        }),
      ),
    ),
  );
}

/**
 * Idle and full power of one thread, by microarchitecture: that of a thread picked at random from
 * the CPU models measured, each model once however often it was measured. Which model a cloud runs
 * is not known, so the interval is how models of one microarchitecture spread about that median,
 * over all microarchitectures of several models.
 */
function threadPowers(summary: readonly SummaryServer[]): Record<string, ThreadPower> {
  const groups = groupBy(
    summary.filter((server) => server.threads >= CLOUD_THREADS),
    ({ microarchitecture }) => microarchitecture,
  ).filter(([, servers]) => servers.length >= ENOUGH_SERVERS);
  const idle = perThread(groups, ({ idleWatts }) => idleWatts);
  const full = perThread(groups, ({ fullWatts }) => fullWatts);
  const powers = groups.map(([name, servers]): readonly [string, ThreadPower] => [
    name,
    {
      idle: idle(name),
      full: full(name),
      memoryGB: round(
        median(servers.map((server) => server.memoryGB / server.threads).filter(Number.isFinite)),
      ),
      servers: servers.length,
    },
  ]);
  return Object.fromEntries(powers.sort(([a], [b]) => (a < b ? -1 : 1)));
}

type Groups = readonly (readonly [name: string, servers: readonly SummaryServer[]])[];

interface Weighted {
  readonly value: number;
  readonly weight: number;
}

function perThread(
  groups: Groups,
  watts: (server: SummaryServer) => number,
): (microarchitecture: string) => PowerRange {
  const models = new Map(groups.map(([name, servers]) => [name, modelsOf(servers, watts)]));
  const spread = [...models.values()]
    .filter((own) => own.length >= ENOUGH_MODELS)
    .flatMap((own) => {
      const centre = weightedQuantile(own, 0.5);
      const total = own.reduce((sum, { weight }) => sum + weight, 0);
      return own.map(({ value, weight }) => ({ value: value / centre, weight: weight / total }));
    });
  return (microarchitecture) => {
    const centre = weightedQuantile(models.get(microarchitecture) ?? [], 0.5);
    const at = (p: number): number => round(centre * weightedQuantile(spread, p));
    return { watts: round(centre), low: at(0.05), high: at(0.95) };
  };
}

/** Median power per thread of each CPU model, weighted by how many threads its socket has. */
function modelsOf(
  servers: readonly SummaryServer[],
  watts: (server: SummaryServer) => number,
): readonly Weighted[] {
  return groupBy(servers, ({ cpu }) => normaliseCpuName(cpu)).map(([, own]) => ({
    value: median(own.map((server) => watts(server) / server.threads)),
    weight: median(own.map((server) => server.threads / server.sockets)),
  }));
}

/** Smallest value below or at which a share `p` of the weight lies. */
function weightedQuantile(values: readonly Weighted[], p: number): number {
  const sorted = [...values].sort((a, b) => a.value - b.value);
  const total = sorted.reduce((sum, { weight }) => sum + weight, 0);
  let below = 0;
  for (const { value, weight } of sorted) {
    below += weight;
    if (below >= p * total) return value;
  }
  throw new RangeError("quantile of no values");
}

/** Items by key; those without a key are left out. */
function groupBy<T>(
  items: readonly T[],
  key: (item: T) => string | null,
): readonly (readonly [string, readonly T[]])[] {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const name = key(item);
    if (name !== null) groups.set(name, [...(groups.get(name) ?? []), item]);
  }
  return [...groups];
}

/** Four significant figures: more would claim a precision that the intervals deny. */
const round = (value: number): number => Number(value.toPrecision(4));
