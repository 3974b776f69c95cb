// CodeCarbon v3 (mlco2/codecarbon, 2026): a tracker. As an estimate of a described workload it is what
// its fall-back arithmetic gives, in four modes; measured counters are taken in RAPL mode.
//
// machine   CPU = TDP (0.1 + 0.9 u^3), the whole machine
// process   CPU = TDP x CPU time of the process / (time x processors), no floor
// constant  CPU = TDP / 2, where the load cannot be read
// rapl      CPU = energy of the packages; the whole machine's, in process mode too

import { carbonIntensity, joules } from "../../core/index.ts";
import { memoryPowerV2, memoryPowerV3 } from "./codecarbon-memory.ts";
import {
  type Answer,
  answered,
  energyTerm,
  intensityOf,
  type Method,
  missingTerm,
  nothingOf,
  powerTerm,
  resultOf,
  round,
  standInIntensity,
  type Term,
} from "./method.ts";
import type { PeerTables } from "./tables.ts";
import { machineTdp, type Workload, type WorkloadCpu } from "./workload.ts";

type CodeCarbonMode = "machine" | "process" | "constant" | "rapl";

const HARDWARE = "codecarbon/external/hardware.py";
const RAM = "codecarbon/external/ram.py";

const CONSTANTS = {
  floor: { value: 0.1, unit: "1", source: `${HARDWARE}, cpu load mode` },
  exponent: { value: 3, unit: "1", source: `${HARDWARE}, cpu load mode` },
  constantShare: { value: 0.5, unit: "1", source: `${HARDWARE}, CONSUMPTION_PERCENTAGE_CONSTANT` },
  unknownThread: { value: 4, unit: "W/thread", source: "codecarbon/core/cpu.py, unlisted CPU" },
  unknownCpu: { value: 85, unit: "W", source: `${HARDWARE}, POWER_CONSTANT` },
  module: { value: 5, unit: "W/module", source: RAM },
  leastMemory: { value: 10, unit: "W", source: RAM },
  memoryV2: { value: 0.375, unit: "W/GB", source: "CodeCarbon v2: 3 W per 8 GB" },
  pue: { value: 1, unit: "1", source: "codecarbon/emissions_tracker.py, default" },
  world: {
    value: 475,
    unit: "gCO2e/kWh",
    source: "codecarbon/data/private_infra/carbon_intensity_per_source.json",
  },
} as const;

const TITLES: Readonly<Record<CodeCarbonMode, string>> = {
  machine: "CodeCarbon, machine mode",
  process: "CodeCarbon, process mode",
  constant: "CodeCarbon, constant mode",
  rapl: "CodeCarbon, RAPL mode",
};

const DEFECTS: readonly string[] = [
  "the cubic load curve is far below measured power at middle loads (SPECpower: bias -24 %)",
  "GPU energy is read from counters only: boards without one count as 0 kWh",
  "a failed RAPL read is taken for a wrap-around and adds up to 262 kJ",
  "RAPL mode reports the whole package in process mode too",
  "memory of a process costs at least 10 W, however small it is",
  "without a network the place is taken to be Canada, Quebec (4 g/kWh)",
  "water is PUE times too much: WUE is per energy of the machines",
];

/** CodeCarbon in one of its modes. */
function codeCarbonIn(mode: CodeCarbonMode): Method {
  return {
    name: mode === "machine" ? "codecarbon" : `codecarbon-${mode}`,
    title: TITLES[mode],
    version: "3",
    scope: "component",
    source: "mlco2/codecarbon, docs/explanation/methodology.md and codecarbon/external",
    constants: CONSTANTS,
    defects: DEFECTS,
    estimate(workload, tables) {
      if (mode === "rapl" && (workload.counters?.package ?? null) === null) {
        return nothingOf("this mode needs measured package energy (--from a run with RAPL)");
      }
      return resultOf({
        terms: [...cpuTerms(workload, mode), ...gpuTerms(workload), memoryTerm(workload, mode)],
        factors: [pueFactor(workload)],
        intensity: codeCarbonIntensity(workload, tables),
      });
    },
  };
}

export const codeCarbon = codeCarbonIn("machine");
export const codeCarbonProcess = codeCarbonIn("process");
export const codeCarbonConstant = codeCarbonIn("constant");
export const codeCarbonRapl = codeCarbonIn("rapl");

/** Version 2's linear memory, for results of the years up to 2024. */
export const codeCarbonV2: Method = {
  ...codeCarbon,
  name: "codecarbon-v2",
  title: "CodeCarbon 2, constant mode",
  version: "2",
  estimate: (workload, tables) =>
    resultOf({
      terms: [
        ...cpuTerms(workload, "constant"),
        ...gpuTerms(workload),
        memoryOf(workload, (gigabytes) => ({
          watts: memoryPowerV2(gigabytes),
          basis: "3 W per 8 GB",
          constants: ["memoryV2"],
        })),
      ],
      factors: [pueFactor(workload)],
      intensity: codeCarbonIntensity(workload, tables),
    }),
};

function cpuTerms(workload: Workload, mode: CodeCarbonMode): readonly Term[] {
  const { cpu, hours, counters } = workload;
  if (mode === "rapl") {
    const energy = counters?.package ?? joules(0);
    return [energyTerm("cpu", energy, { formula: "RAPL packages, whole", basis: "RAPL packages" })];
  }
  if (cpu === null) return [];
  const { watts: tdp, text, constants } = ratedPower(cpu);
  const load = loadFormula(mode, cpu);
  return [
    powerTerm(
      "cpu",
      { watts: tdp * load.factor, hours },
      {
        formula: `${text} x ${load.formula}`,
        basis: `${text} x ${load.basis}`,
        constants: [...constants, ...load.constants],
      },
    ),
  ];
}

/** Share of the TDP that a mode takes. */
function loadFormula(mode: Exclude<CodeCarbonMode, "rapl">, { usage, share }: WorkloadCpu) {
  switch (mode) {
    case "machine":
      return {
        factor: 0.1 + 0.9 * usage ** 3,
        formula: `(0.1 + 0.9 x ${round(usage)}^3)`,
        basis: "cubic load curve",
        constants: ["floor", "exponent"],
      };
    case "process":
      return {
        factor: usage * share,
        formula: `${round(usage * share)} of all CPU time`,
        basis: "the process's CPU time",
        constants: [],
      };
    case "constant":
      return { factor: 0.5, formula: "0.5", basis: "0.5 always", constants: ["constantShare"] };
    default:
      return mode satisfies never;
  }
}

/** TDP of all sockets, else 4 W a thread, else 85 W. */
function ratedPower(cpu: WorkloadCpu) {
  const tdp = machineTdp(cpu);
  if (tdp !== null) return { watts: tdp, text: `TDP ${tdp} W`, constants: [] };
  const { unknownThread, unknownCpu } = CONSTANTS;
  if (cpu.threads !== null) {
    const watts = unknownThread.value * cpu.threads;
    return { watts, text: `${cpu.threads} threads x 4 W`, constants: ["unknownThread"] };
  }
  return { watts: unknownCpu.value, text: "85 W (unknown CPU)", constants: ["unknownCpu"] };
}

function gpuTerms({ gpus, counters }: Workload): readonly Term[] {
  if (gpus.length === 0) return [];
  const measured = counters?.gpu ?? null;
  return [
    measured === null
      ? missingTerm("gpu", "it reads GPU energy counters only and has no model of a GPU")
      : energyTerm("gpu", measured, { formula: "energy counters", basis: "energy counters" }),
  ];
}

function memoryTerm(workload: Workload, mode: CodeCarbonMode): Term {
  const isProcess = mode === "process";
  if (isProcess && workload.usedMemoryGB === null) {
    return missingTerm("memory", "the memory that the process uses is not known (--used-memory)");
  }
  const memoryGB = isProcess ? workload.usedMemoryGB : workload.memoryGB;
  return memoryOf({ ...workload, memoryGB }, (gigabytes) => ({
    watts: memoryPowerV3(gigabytes),
    basis: "5 W a module, at least 10 W",
    constants: ["module", "leastMemory"],
  }));
}

function memoryOf(
  { memoryGB, hours }: Workload,
  model: (gigabytes: number) => {
    readonly watts: number;
    readonly basis: string;
    readonly constants: readonly string[];
  },
): Term {
  if (memoryGB === null) return missingTerm("memory", "the memory's size is not known (--memory)");
  const { watts, basis, constants } = model(memoryGB);
  const formula = `${basis} for ${round(memoryGB)} GB`;
  return powerTerm("memory", { watts, hours }, { formula, basis, constants });
}

const pueFactor = ({ pue }: Workload) => ({
  name: "PUE",
  value: pue ?? CONSTANTS.pue.value,
  basis: pue === null ? "PUE 1 unless given" : `PUE ${pue} as given`,
  constants: pue === null ? ["pue"] : [],
});

/** A given intensity, then the cloud region's, then the country's, then the world's. */
export function codeCarbonIntensity(
  workload: Workload,
  { codeCarbon: own }: PeerTables,
): Answer<"gCO2e/kWh"> {
  const { cloud, place } = workload;
  return intensityOf(workload, () => {
    const region = cloud === null ? undefined : own.clouds.get(`${cloud.provider}/${cloud.region}`);
    if (region !== undefined) return listed(region, `its table for ${cloud?.region}`);
    if (place === null || place.zone === "WORLD") {
      return listed(CONSTANTS.world.value, "the world's mean of 2019", ["world"]);
    }
    const country = own.countries.get(place.zone);
    return country === undefined
      ? standInIntensity(workload, `its table for ${place.zone}`)
      : listed(country, `its table for ${place.zone}, 2023`);
  });
}

function listed(
  value: number,
  where: string,
  constants: readonly string[] = [],
): Answer<"gCO2e/kWh"> {
  const basis = `${value} gCO2e/kWh, ${where}`;
  return answered(carbonIntensity(value), { formula: basis, basis, constants });
}

/** gCO2e/kWh by source, codecarbon/data/private_infra/carbon_intensity_per_source.json. */
const SOURCES: Readonly<Record<string, number>> = {
  coal: 995,
  petroleum: 816,
  natural_gas: 743,
  fossil: 635,
  geothermal: 38,
  hydroelectricity: 26,
  nuclear: 29,
  solar: 48,
  wind: 26,
};

/** Intensity of a generation mix, its rule where a country has no figure: sum of share x source. */
export function codeCarbonMix(generation: Readonly<Record<string, number>>): number {
  const known = Object.entries(generation).filter(([source]) => source in SOURCES);
  const sum = known.reduce((all, [, amount]) => all + amount, 0);
  return known.reduce((all, [source, amount]) => all + (SOURCES[source] ?? 0) * (amount / sum), 0);
}
