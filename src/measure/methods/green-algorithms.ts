// Green Algorithms v3: the calculator of L. Lannelongue, J. Grealey & M. Inouye, "Green Algorithms:
// Quantifying the Carbon Footprint of Computation", Advanced Science 8 (2021) 2100707.
//
// E [kWh] = t (cores x TDP per core x usage + GPUs x TDP x usage + 0.3725 W/GB) x PUE x PSF / 1000

import { carbonIntensity } from "../../core/index.ts";
import { findTdp } from "../estimate/cpu-table.ts";
import { findGpuRating } from "../sensors/gpu-table.ts";
import {
  type Answer,
  answered,
  type Factor,
  intensityOf,
  type Method,
  missingTerm,
  powerTerm,
  resultOf,
  round,
  type Term,
  unsupported,
} from "./method.ts";
import type { PeerTables } from "./tables.ts";
import { machineTdp, type Workload, type WorkloadCpu } from "./workload.ts";

const VALUES = "Green Algorithms v3.0, data/latest/referenceValues.csv";
const TABLES = "Green Algorithms v3.0, data/latest";

export const GREEN_ALGORITHMS_CONSTANTS = {
  memory: { value: 0.3725, unit: "W/GB", source: VALUES },
  unknownCore: { value: 12, unit: "W/core", source: `${TABLES}/TDP_cpu.csv, row Any` },
  unknownGpu: { value: 200, unit: "W", source: `${TABLES}/TDP_gpu.csv, row Any` },
  unknownPue: { value: 1.56, unit: "1", source: `${TABLES}/defaults_PUE.csv (Uptime 2024)` },
  personalPue: { value: 1, unit: "1", source: "Green Algorithms v3.0, personal computer" },
  world: { value: 475, unit: "gCO2e/kWh", source: `${TABLES}/CI_aggregated.csv (IEA 2019)` },
} as const;

const C = GREEN_ALGORITHMS_CONSTANTS;

export const greenAlgorithms: Method = {
  name: "green-algorithms",
  title: "Green Algorithms",
  version: "3.0",
  scope: "facility",
  source: "Lannelongue, Grealey & Inouye 2021, doi:10.1002/advs.202100707",
  constants: C,
  defects: [
    "memory counts what was asked for, at 0.3725 W/GB, which is high for large modern memories",
    "power at idle is left out: a machine at no load costs its memory alone",
    "carbon intensities are of unlike years and scopes: Australia is that of 2019, the world's too",
  ],

  estimate(workload, tables) {
    return resultOf({
      terms: [...cpuTerms(workload, tables), ...gpuTerms(workload, tables), memoryTerm(workload)],
      factors: [pueFactor(workload, tables)],
      intensity: tableIntensity(workload, tables),
    });
  },
};

function cpuTerms({ cpu, hours }: Workload, tables: PeerTables): readonly Term[] {
  if (cpu === null) return [];
  const load = cpu.usage * cpu.share;
  const known = corePower(cpu, tables);
  if (known === null) {
    return [
      missingTerm("cpu", "neither the TDP nor the number of cores is known (--tdp, --cores)"),
    ];
  }
  const formula = `${known.formula} x usage ${round(load)}`;
  const grounds = { formula, basis: `${known.basis} x usage`, constants: known.constants };
  return [powerTerm("cpu", { watts: known.watts * load, hours }, grounds)];
}

/** Watts of all cores at full usage: own table, then a TDP that is known otherwise, then 12 W a core. */
function corePower(cpu: WorkloadCpu, { greenAlgorithms: own }: PeerTables) {
  const perCore = cpu.name === null ? null : findTdp(own.cores, cpu.name);
  if (perCore !== null && cpu.cores !== null) {
    return {
      watts: cpu.cores * perCore,
      formula: `${cpu.cores} cores x ${perCore} W`,
      basis: `${perCore} W a core`,
      constants: [],
    };
  }
  const tdp = machineTdp(cpu);
  if (tdp !== null) {
    return { watts: tdp, formula: `TDP ${tdp} W`, basis: `TDP ${tdp} W`, constants: [] };
  }
  if (cpu.cores === null) return null;
  return {
    watts: cpu.cores * C.unknownCore.value,
    formula: `${cpu.cores} cores x ${C.unknownCore.value} W (model not listed)`,
    basis: `${C.unknownCore.value} W a core of an unknown model`,
    constants: ["unknownCore"],
  };
}

function gpuTerms(
  { gpus, hours }: Workload,
  { greenAlgorithms: own }: PeerTables,
): readonly Term[] {
  return gpus.map((gpu) => {
    const listed = findGpuRating(own.gpus, gpu.name)?.tdp ?? gpu.tdp;
    const tdp = listed ?? C.unknownGpu.value;
    const usage = gpu.usage ?? 1;
    return powerTerm(
      "gpu",
      { watts: gpu.count * tdp * usage, hours },
      {
        formula: `${gpu.count} x ${tdp} W x usage ${round(usage)}`,
        basis: `TDP ${tdp} W x usage ${round(usage)}`,
        constants: listed === null ? ["unknownGpu"] : [],
      },
    );
  });
}

function memoryTerm({ memoryGB, hours }: Workload): Term {
  if (memoryGB === null) return missingTerm("memory", "the memory's size is not known (--memory)");
  return powerTerm(
    "memory",
    { watts: memoryGB * C.memory.value, hours },
    {
      formula: `${round(memoryGB)} GB x ${C.memory.value} W/GB`,
      basis: `${C.memory.value} W/GB`,
      constants: ["memory"],
    },
  );
}

/** What its table of data centres says of the cloud region. */
function regionOf({ cloud }: Workload, { regions }: PeerTables["greenAlgorithms"]) {
  return cloud === null ? undefined : regions.get(`${cloud.provider}/${cloud.region}`);
}

/** Given, else the region's, else the provider's default, else 1 at home and 1.56 elsewhere. */
function pueFactor(workload: Workload, { greenAlgorithms: own }: PeerTables): Factor {
  const { pue, cloud, machine } = workload;
  const factor = (value: number, basis: string, constants: readonly string[] = []): Factor => ({
    name: "PUE",
    value,
    basis: `PUE ${value} ${basis}`,
    constants,
  });
  if (pue !== null) return factor(pue, "as given");
  const region = regionOf(workload, own)?.pue ?? null;
  if (region !== null) return factor(region, `of ${cloud?.region}`);
  const provider = cloud === null ? undefined : own.pues.get(cloud.provider);
  if (provider !== undefined) return factor(provider, `of ${cloud?.provider}`);
  if (machine === "desktop" || machine === "laptop") return factor(1, "at home", ["personalPue"]);
  return factor(C.unknownPue.value, "where unknown", ["unknownPue"]);
}

function tableIntensity(workload: Workload, { greenAlgorithms: own }: PeerTables) {
  return intensityOf(workload, (): Answer<"gCO2e/kWh"> => {
    const zone = regionOf(workload, own)?.place ?? workload.place?.zone ?? "WORLD";
    const listed = own.intensities.get(zone);
    if (listed === undefined) return unsupported(`its table of places has no ${zone}`);
    const basis = `${listed} gCO2e/kWh, its table for ${zone}`;
    return answered(carbonIntensity(listed), {
      formula: basis,
      basis,
      constants: zone === "WORLD" ? ["world"] : [],
    });
  });
}
