// Cloud Carbon Footprint (Thoughtworks, Apache-2.0): watts of a virtual processor between idle and full
// load by microarchitecture, times vCPU hours and the provider's PUE; storage, network and GPUs by
// coefficient; a share of making the server.

import { carbonIntensity, gramsCO2e, kilowattHours } from "../../core/index.ts";
import {
  type Answer,
  answered,
  energyTerm,
  intensityOf,
  type Method,
  missingTerm,
  powerTerm,
  resultOf,
  round,
  standInIntensity,
  type Term,
  unsupported,
} from "./method.ts";
import type { CcfProcessor, PeerTables } from "./tables.ts";
import type { Workload, WorkloadGpu } from "./workload.ts";

const METHODOLOGY = "cloudcarbonfootprint.org/docs/methodology";
const COEFFICIENTS = "cloud-carbon-footprint/ccf-coefficients, 2026-04";

const CONSTANTS = {
  usage: { value: 0.5, unit: "1", source: `${METHODOLOGY}: 50 % where unknown` },
  memory: { value: 0.392, unit: "W/GB", source: `${METHODOLOGY}: 0.000392 kWh/GBh` },
  ssd: { value: 1.2, unit: "W/TB", source: `${METHODOLOGY}: 1.2 Wh/TBh` },
  hdd: { value: 0.65, unit: "W/TB", source: `${METHODOLOGY}: 0.65 Wh/TBh` },
  network: { value: 0.001, unit: "kWh/GB", source: METHODOLOGY },
  pueAws: { value: 1.135, unit: "1", source: METHODOLOGY },
  pueGcp: { value: 1.1, unit: "1", source: METHODOLOGY },
  pueAzure: { value: 1.185, unit: "1", source: METHODOLOGY },
  pueOwn: { value: 1.58, unit: "1", source: "packages/on-premise, PUE_AVG" },
  serverLife: { value: 35_040, unit: "h", source: "EmbodiedEmissionsEstimator: 4 years" },
} as const;

/** Means over all processors of a provider, methodology page. */
const AVERAGES: Readonly<Record<string, readonly [min: number, max: number]>> = {
  aws: [0.74, 3.5],
  gcp: [0.71, 4.26],
  azure: [0.78, 3.76],
};

export const cloudCarbonFootprint: Method = {
  name: "cloud-carbon-footprint",
  title: "Cloud Carbon Footprint",
  version: "2026-04",
  scope: "facility",
  source: `${METHODOLOGY}; ${COEFFICIENTS}`,
  constants: CONSTANTS,
  defects: [
    "the row of the fifth EPYC generation (3.68 and 8.96 W) is visibly broken and left out here",
    "Graviton is taken to be the second EPYC generation",
    "means are over all servers of a microarchitecture, desktop-sized ones among them",
  ],

  estimate(workload, tables) {
    return resultOf({
      terms: [
        ...cpuTerms(workload, tables.cloudCarbonFootprint),
        ...workload.gpus.map((gpu) => gpuTerm(gpu, workload.hours, tables.cloudCarbonFootprint)),
        ...memoryTerms(workload),
        ...storageTerms(workload),
      ],
      factors: [pueFactor(workload)],
      intensity: regionIntensity(workload, tables),
      embodied: embodiedOf(workload),
    });
  },
};

/** Microarchitectures that a server CPU's model number stands for, as its table names them. */
const MODEL_NUMBERS: readonly (readonly [RegExp, string])[] = [
  [/\bepyc 7\w\w1\b/, "epyc-1"],
  [/\bepyc 7\w\w2\b/, "epyc-2"],
  [/\bepyc 7\w\w3x?\b/, "epyc-3"],
  [/\bepyc 9\w\w4\w?\b/, "epyc-4"],
  [/\bxeon.*\be\d-\d{4}\w? ?v4\b/, "broadwell"],
  [/\bxeon.*\b[3568]1\d\d\w*\b/, "skylake"],
  [/\bxeon.*\b[34568]2\d\d\w*\b/, "cascade-lake"],
  [/\bxeon.*\b[4568]3\d\d\w*\b/, "ice-lake"],
  [/\bxeon.*\b[34568]4\d\d\w*\b/, "sapphire-rapids"],
  [/\bxeon.*\b[4568]5\d\d\w*\b/, "emerald-rapids"],
  [/\bxeon.*\b6[79]\d\dp\w*\b/, "granite-rapids"],
  [/\bgraviton\b/, "graviton"],
];

function processorOf(name: string | null, table: readonly CcfProcessor[]): CcfProcessor | null {
  const plain = name?.toLowerCase().replace(/\((r|tm)\)/g, "") ?? "";
  const wanted = MODEL_NUMBERS.find(([pattern]) => pattern.test(plain))?.[1];
  return table.find((row) => row.kind === "cpu" && row.name === wanted) ?? null;
}

function cpuTerms(
  { cpu, hours, cloud }: Workload,
  table: readonly CcfProcessor[],
): readonly Term[] {
  if (cpu === null) return [];
  if (cpu.threads === null) {
    return [
      missingTerm("cpu", "it counts virtual processors; their number is not known (--threads)"),
    ];
  }
  const listed = processorOf(cpu.name, table);
  const average = AVERAGES[cloud?.provider ?? ""];
  const [min, max] = listed === null ? (average ?? []) : [listed.minWatts, listed.maxWatts];
  if (min === undefined || max === undefined) {
    return [missingTerm("cpu", `its table has no microarchitecture for ${cpu.name ?? "the CPU"}`)];
  }
  const load = cpu.usage;
  const threads = cpu.threads * cpu.share;
  const which = listed?.name ?? `mean of ${cloud?.provider}`;
  return [
    powerTerm(
      "cpu",
      { watts: threads * (min + load * (max - min)), hours },
      {
        formula: `${round(threads)} vCPU x (${min} W + ${round(load)} x (${max} W - ${min} W))`,
        basis: `${min} to ${max} W a vCPU (${which})`,
      },
    ),
  ];
}

function gpuTerm(
  { name, count, usage }: WorkloadGpu,
  hours: number,
  table: readonly CcfProcessor[],
): Term {
  const words = name.toUpperCase().split(/[^A-Z0-9]+/);
  const row = table.find((each) => each.kind === "gpu" && words.includes(each.name));
  if (row === undefined) return missingTerm("gpu", `its table of GPUs has no ${name}`);
  const load = usage ?? CONSTANTS.usage.value;
  const watts = count * (row.minWatts + load * (row.maxWatts - row.minWatts));
  return powerTerm(
    "gpu",
    { watts, hours },
    {
      formula: `${count} x (${row.minWatts} W + ${round(load)} x (${row.maxWatts} W - ${row.minWatts} W))`,
      basis: `${row.minWatts} to ${row.maxWatts} W a GPU`,
      constants: usage === null ? ["usage"] : [],
    },
  );
}

/** Memory counts only beyond that of the servers behind the vCPU figures, known by instance type. */
const memoryTerms = ({ memoryGB }: Workload): readonly Term[] =>
  memoryGB === null
    ? []
    : [
        missingTerm(
          "memory",
          "only memory beyond the benchmarked server's counts, by instance type, which is not known",
        ),
      ];

function storageTerms({ storage, transferGB, hours }: Workload): readonly Term[] {
  const terms: Term[] = [];
  if (storage !== null) {
    const { value } = CONSTANTS[storage.kind];
    terms.push(
      powerTerm(
        "storage",
        { watts: storage.terabytes * value, hours },
        {
          formula: `${storage.terabytes} TB x ${value} W/TB`,
          basis: `${value} W/TB`,
          constants: [storage.kind],
        },
      ),
    );
  }
  if (transferGB !== null) {
    const { value } = CONSTANTS.network;
    const grounds = {
      formula: `${round(transferGB)} GB x ${value} kWh/GB`,
      basis: `${value} kWh/GB`,
    };
    terms.push(
      energyTerm("network", kilowattHours(transferGB * value), {
        ...grounds,
        constants: ["network"],
      }),
    );
  }
  return terms;
}

function pueFactor({ pue, cloud }: Workload) {
  const names = { aws: "pueAws", gcp: "pueGcp", azure: "pueAzure" } as const;
  const provider = cloud?.provider;
  const own =
    provider === "aws" || provider === "gcp" || provider === "azure" ? names[provider] : "pueOwn";
  const value = pue ?? CONSTANTS[own].value;
  const basis = pue === null ? `PUE ${value} ${provider ?? "on premise"}` : `PUE ${pue} as given`;
  return { name: "PUE", value, basis, constants: pue === null ? [own] : [] };
}

function regionIntensity(
  workload: Workload,
  { codeCarbon: { clouds } }: PeerTables,
): Answer<"gCO2e/kWh"> {
  const { cloud } = workload;
  const listed = cloud === null ? undefined : clouds.get(`${cloud.provider}/${cloud.region}`);
  if (listed === undefined) return standInIntensity(workload, "its table of cloud regions");
  const basis = `${listed} gCO2e/kWh, published for ${cloud?.region}`;
  return intensityOf(workload, () => answered(carbonIntensity(listed), { formula: basis, basis }));
}

/** What making a server costs, kg: CCF's methodology for server of base, memory and GPUs. */
const MAKING = { base: 1000, perGB: 533 / 384, memoryInBase: 16, gpu: 150 } as const;

function embodiedOf({ memoryGB, gpus, hours, cpu }: Workload): Answer<"gCO2e"> {
  if (memoryGB === null) return unsupported("the memory's size is not known (--memory)");
  const { base, perGB, memoryInBase, gpu } = MAKING;
  const count = gpus.reduce((sum, each) => sum + each.count, 0);
  const kilograms = base + Math.max(memoryGB - memoryInBase, 0) * perGB + count * gpu;
  const share = (hours / CONSTANTS.serverLife.value) * (cpu?.share ?? 1);
  return answered(gramsCO2e(kilograms * 1000 * share), {
    formula: `${round(kilograms)} kg x ${round(hours)} h / 35040 h`,
    basis: "a four-year life of 1000 kg and more",
    constants: ["serverLife"],
  });
}

/** Share of a server's making, as its estimator states it: kWh and tonnes in, tonnes out. */
export function ccfEmbodied(usage: {
  readonly hours: number;
  readonly vCpus: number;
  readonly largestVCpus: number;
  readonly tonnesOfServer: number;
}): number {
  const { hours, vCpus, largestVCpus, tonnesOfServer } = usage;
  return tonnesOfServer * (hours / CONSTANTS.serverLife.value) * (vCpus / largestVCpus);
}

/** Compute energy of vCPU hours in kWh, as its estimator states it. */
export function ccfCompute(usage: {
  readonly vCpuHours: number;
  /** Percent. */
  readonly utilisation: number;
  readonly minWatts: number;
  readonly maxWatts: number;
  readonly pue: number;
  readonly replication: number;
}): number {
  const { vCpuHours, utilisation, minWatts, maxWatts, pue, replication } = usage;
  const watts = minWatts + (utilisation / 100) * (maxWatts - minWatts);
  return (watts * vCpuHours * pue * replication) / 1000;
}
