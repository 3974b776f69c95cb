// Forms of a server's power at the eleven loads that were tried against each other.

import { nonNegative, ridge } from "./least-squares.ts";
import { LOADS, type MeasuredServer, type Server } from "./spec-systems.ts";

/** Wall watts at `LOADS`. */
export type Predict = (server: Server) => readonly number[];

export interface Form {
  readonly name: string;
  /** Number of inputs beside the load; fewer is preferred among equals. */
  readonly inputs: number;
  /** First year of hardware availability that is fitted on. */
  readonly from: number;
  /** Years after which a system counts half; Infinity for equal weights. */
  readonly halfLife: number;
  fit(systems: readonly MeasuredServer[]): Predict;
}

type Training = Pick<Form, "from" | "halfLife">;

/** Rows young enough, and the weight of each by its age against the youngest. */
function weighted(systems: readonly MeasuredServer[], { from, halfLife }: Training) {
  const kept = systems.filter((system) => system.year >= from);
  const youngest = Math.max(...kept.map((system) => system.available));
  return { kept, weights: kept.map((system) => 2 ** ((system.available - youngest) / halfLife)) };
}

const describe = ({ from, halfLife }: Training): string =>
  `from ${from}, half-life ${halfLife === Infinity ? "none" : `${halfLife} a`}`;

/**
 * A share of the TDP for each load, plus watts per gigabyte and per busy core, all non-negative,
 * fitted on relative errors.
 */
export function tdpShares(training: Training): Form {
  const columns = (server: Server, level: number): number[] => [
    ...LOADS.map((_, i) => (i === level ? server.tdp : 0)),
    server.memoryGB,
    server.cores * (LOADS[level] ?? 0),
  ];
  return {
    name: `TDP shares + GB + busy cores, ${describe(training)}`,
    inputs: 3,
    ...training,
    fit(systems) {
      const { kept, weights } = weighted(systems, training);
      const points = kept.flatMap((system, i) =>
        system.watts.map((watts, level) => ({ system, level, watts, weight: weights[i] ?? 0 })),
      );
      const coefficients = nonNegative({
        rows: points.map(({ system, level }) => columns(system, level)),
        targets: points.map(({ watts }) => watts),
        weights: points.map(({ weight, watts }) => weight / watts ** 2),
      });
      return (server) =>
        LOADS.map((_, level) =>
          columns(server, level).reduce((sum, x, i) => sum + x * (coefficients[i] ?? 0), 0),
        );
    },
  };
}

/** Inputs of the power-law forms, as the logarithm or number that enters the exponent. */
const INPUTS = {
  tdp: (server: Server) => Math.log(server.tdp),
  memory: (server: Server) => Math.log(server.memoryGB),
  frequency: (server: Server) => Math.log(server.frequencyGHz),
  cores: (server: Server) => Math.log(server.cores),
  sockets: (server: Server) => Math.log(server.sockets),
  year: (server: Server) => server.available,
  amd: (server: Server) => (server.amd ? 1 : 0),
} as const satisfies Record<string, (server: Server) => number>;

export type Input = keyof typeof INPUTS;

/** Intercept and one coefficient an input for each load, of ln(watts / TDP). */
export type PowerLaw = readonly (readonly number[])[];

/** Penalty of each standardised coefficient: too small to matter but where inputs are collinear. */
const RIDGE = 0.3;

/**
 * A product of powers: for each load ln(P / TDP) is linear in the inputs. Inputs are standardised
 * for the ridge and the coefficients given back in the inputs' own units.
 */
export function fitPowerLaw(
  systems: readonly MeasuredServer[],
  inputs: readonly Input[],
  training: Training,
): PowerLaw {
  const { kept, weights } = weighted(systems, training);
  const values = kept.map((system) => inputs.map((input) => INPUTS[input](system)));
  const centres = inputs.map((_, j) => mean(values.map((row) => row[j] ?? 0)));
  const spreads = inputs.map((_, j) => deviation(values.map((row) => row[j] ?? 0)) || 1);
  const rows = values.map((row) => [
    1,
    ...row.map((value, j) => (value - (centres[j] ?? 0)) / (spreads[j] ?? 1)),
  ]);
  return LOADS.map((_, level) => {
    const targets = kept.map((system) => Math.log((system.watts[level] ?? 0) / system.tdp));
    const penalties = [0, ...inputs.map(() => RIDGE)];
    const [intercept = 0, ...standardised] = ridge({ rows, targets, weights }, penalties);
    const slopes = standardised.map((slope, j) => slope / (spreads[j] ?? 1));
    return [
      slopes.reduce((sum, slope, j) => sum - slope * (centres[j] ?? 0), intercept),
      ...slopes,
    ];
  });
}

/** The power-law form over the given inputs. */
export function powerLaw(inputs: readonly Input[], training: Training): Form {
  return {
    name: `power law in ${inputs.join(", ")}, ${describe(training)}`,
    inputs: inputs.length,
    ...training,
    fit(systems) {
      const law = fitPowerLaw(systems, inputs, training);
      return (server) => {
        const values = [1, ...inputs.map((input) => INPUTS[input](server))];
        return law.map(
          (line) =>
            server.tdp * Math.exp(line.reduce((sum, k, j) => sum + k * (values[j] ?? 0), 0)),
        );
      };
    },
  };
}

/** Geometric mean of two forms. */
export function blend(a: Form, b: Form): Form {
  return {
    name: `geometric mean of [${a.name}] and [${b.name}]`,
    inputs: a.inputs + b.inputs,
    from: Math.min(a.from, b.from),
    halfLife: Math.max(a.halfLife, b.halfLife),
    fit(systems) {
      const [first, second] = [a.fit(systems), b.fit(systems)];
      return (server) => {
        const other = second(server);
        return first(server).map((watts, i) => Math.sqrt(watts * (other[i] ?? watts)));
      };
    },
  };
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

const deviation = (values: readonly number[]): number => {
  const centre = mean(values);
  return Math.sqrt(mean(values.map((value) => (value - centre) ** 2)));
};
