// Boavizta's model of a server in use, from its published methodology (doc.api.boavizta.org and the
// HotCarbon 2024 paper); none of its code or tables. CPU power follows P(w) = a ln(b (w + c)) + d with the
// load w in percent: fitted through TDP x Teads' points where the TDP is known, else of the CPU's family.

import { TEADS_CURVE } from "./impact-framework.ts";
import {
  type Method,
  missingTerm,
  powerTerm,
  resultOf,
  round,
  standInIntensity,
  type Term,
} from "./method.ts";
import { machineTdp, type Workload, type WorkloadCpu } from "./workload.ts";

const DOCUMENTATION = "doc.api.boavizta.org, Explanations";

const CONSTANTS = {
  memory: { value: 0.284, unit: "W/GB", source: `${DOCUMENTATION}/components/ram` },
  others: {
    value: 1.33,
    unit: "1",
    source: `${DOCUMENTATION}/devices/server: 33 % beside CPU and RAM`,
  },
} as const;

/** Watts at a load in percent. */
export interface LogCurve {
  readonly a: number;
  readonly b: number;
  readonly c: number;
  readonly d: number;
}

/** Families of Xeon as the documentation lists them: consumption_profile. */
const FAMILIES: readonly (readonly [RegExp, LogCurve])[] = [
  [/platinum/i, { a: 171.1813, b: 0.0354, c: 36.8953, d: -10.1336 }],
  [/gold/i, { a: 35.5688, b: 0.2438, c: 9.6694, d: -0.6087 }],
  [/silver/i, { a: 20.7794, b: 0.3043, c: 8.4241, d: 0.8613 }],
  [/\be5\b/i, { a: 48.9167, b: 0.1349, c: 15.7262, d: -4.654 }],
];

export const logCurveAt = ({ a, b, c, d }: LogCurve, percent: number): number =>
  a * Math.log(b * (percent + c)) + d;

/**
 * The curve nearest to points (load in percent, watts) in least squares. b and d say the same thing, a
 * shift in watts, so b is 1 here. For a given c the rest is linear; c is found by golden section.
 */
export function fitLogCurve(points: readonly (readonly [load: number, watts: number])[]): LogCurve {
  const LONGEST = 10_000;
  let [low, high] = [Math.log(1e-3), Math.log(LONGEST)];
  const golden = (Math.sqrt(5) - 1) / 2;
  for (let step = 0; step < 100; step++) {
    const near = high - golden * (high - low);
    const far = low + golden * (high - low);
    if (linearFit(points, Math.exp(near)).error < linearFit(points, Math.exp(far)).error)
      high = far;
    else low = near;
  }
  const c = Math.exp((low + high) / 2);
  const { slope, shift } = linearFit(points, c);
  return { a: slope, b: 1, c, d: shift };
}

function linearFit(points: readonly (readonly [number, number])[], c: number) {
  const xs = points.map(([load]) => Math.log(load + c));
  const ys = points.map(([, watts]) => watts);
  const meanX = xs.reduce((sum, x) => sum + x, 0) / xs.length;
  const meanY = ys.reduce((sum, y) => sum + y, 0) / ys.length;
  const dot = xs.reduce((sum, x, at) => sum + (x - meanX) * ((ys[at] ?? 0) - meanY), 0);
  const square = xs.reduce((sum, x) => sum + (x - meanX) ** 2, 0);
  const slope = dot / square;
  const shift = meanY - slope * meanX;
  const error = xs.reduce((sum, x, at) => sum + (slope * x + shift - (ys[at] ?? 0)) ** 2, 0);
  return { slope, shift, error };
}

export const boavizta: Method = {
  name: "boavizta",
  title: "Boavizta, server in use",
  version: "1.3",
  scope: "wall",
  source: `${DOCUMENTATION}/consumption_profile; Ferreboeuf et al., HotCarbon 2024`,
  constants: CONSTANTS,
  defects: [
    "the rest of the server is a third of CPU and memory, whatever that rest is (SPECpower: bias +89 %)",
    "a CPU of unknown TDP and family is taken to be a Xeon Platinum",
    "two editions of the documentation print unlike fits of the same four points",
  ],

  estimate(workload) {
    const { pue } = workload;
    return resultOf({
      terms: [
        ...cpuTerms(workload),
        ...workload.gpus.map(() => missingTerm("gpu", "the usage model has no GPU")),
        memoryTerm(workload),
      ],
      factors: [
        {
          name: "server",
          value: CONSTANTS.others.value,
          basis: "a third for the rest of the server",
          constants: ["others"],
        },
        ...(pue === null
          ? []
          : [{ name: "PUE", value: pue, basis: `PUE ${pue} as given`, constants: [] }]),
      ],
      intensity: standInIntensity(workload, "its table of countries"),
    });
  },
};

function cpuTerms({ cpu, hours }: Workload): readonly Term[] {
  if (cpu === null) return [];
  const { curve, basis } = curveOf(cpu);
  const percent = cpu.usage * 100;
  const watts = Math.max(logCurveAt(curve, percent), 0);
  return [
    powerTerm(
      "cpu",
      { watts: watts * cpu.share, hours },
      {
        formula: `${round(curve.a)} ln(${round(curve.b)} (${round(percent)} + ${round(curve.c)})) + ${round(curve.d)}`,
        basis,
      },
    ),
  ];
}

/** The curve of all sockets. */
function curveOf(cpu: WorkloadCpu): { readonly curve: LogCurve; readonly basis: string } {
  const tdp = machineTdp(cpu);
  if (tdp !== null) {
    const points = TEADS_CURVE.map(([load, share]) => [load * 100, share * tdp] as const);
    return { curve: fitLogCurve(points), basis: `logarithm through TDP ${tdp} W x Teads' curve` };
  }
  const [, family] = FAMILIES.find(([name]) => name.test(cpu.name ?? "")) ?? FAMILIES[0] ?? [];
  const one = family ?? { a: 0, b: 1, c: 1, d: 0 };
  const curve = { ...one, a: one.a * cpu.sockets, d: one.d * cpu.sockets };
  return { curve, basis: "logarithm of the CPU's family" };
}

function memoryTerm({ memoryGB, hours }: Workload): Term {
  if (memoryGB === null) return missingTerm("memory", "the memory's size is not known (--memory)");
  return powerTerm(
    "memory",
    { watts: memoryGB * CONSTANTS.memory.value, hours },
    {
      formula: `${round(memoryGB)} GB x ${CONSTANTS.memory.value} W/GB`,
      basis: `${CONSTANTS.memory.value} W/GB`,
      constants: ["memory"],
    },
  );
}
