// EcoLogits 0.9 (GenAI Impact): a request to a language model, by the tokens that it puts out. The formulas
// and coefficients of its published methodology; none of its code. P in 10^9 parameters, B the batch.
//
// GPU     Wh per token = alpha exp(beta B) P + gamma, on each of the GPUs that hold the model
// server  1.2 kW of the rest x latency x GPUs / 8 / B
// request PUE x (server + GPUs x GPU)

import { gramsCO2e, kilowattHours } from "../../core/index.ts";
import {
  answered,
  energyTerm,
  type Method,
  nothingOf,
  resultOf,
  round,
  standInIntensity,
} from "./method.ts";
import type { Requests, Workload } from "./workload.ts";

const METHODOLOGY = "ecologits.ai, methodology of LLM inference, 0.9";
const constant = (value: number, unit: string) => ({ value, unit, source: METHODOLOGY });

const CONSTANTS = {
  alpha: constant(1.1665273170451914e-6, "Wh/token per 10^9 parameters"),
  beta: constant(-0.011205921025579175, "1"),
  gamma: constant(4.052928146734005e-5, "Wh/token"),
  latencyParameters: constant(6.785088094353663e-4, "s/token per 10^9 parameters"),
  latencyBatch: constant(3.119310311688259e-4, "s/token"),
  latencyBase: constant(1.9473717579473387e-2, "s/token"),
  batch: constant(64, "sequences"),
  weightBits: constant(16, "bit"),
  memoryOverhead: constant(1.2, "1"),
  gpuMemory: constant(80, "GB"),
  serverGpus: constant(8, "GPUs"),
  serverPower: constant(1200, "W"),
  pue: constant(1.2, "1"),
  gpuMaking: constant(164, "kgCO2e"),
  serverMaking: constant(5700, "kgCO2e"),
  life: constant(94_608_000, "s"),
} as const;

const C = CONSTANTS;

/** GPUs that hold the weights: a power of two of 80 GB boards. */
export function ecologitsGpus(totalParameters: number): number {
  const gigabytes = (C.memoryOverhead.value * (totalParameters / 1e9) * C.weightBits.value) / 8;
  return 2 ** Math.ceil(Math.log2(Math.ceil(gigabytes / C.gpuMemory.value)));
}

/** Seconds to put out the tokens of one request. */
export const ecologitsLatency = (activeParameters: number, outputTokens: number): number =>
  outputTokens *
  (C.latencyParameters.value * (activeParameters / 1e9) +
    C.latencyBatch.value * C.batch.value +
    C.latencyBase.value);

/** Wh of one GPU for the tokens of one request. */
export const ecologitsGpuEnergy = (activeParameters: number, outputTokens: number): number =>
  outputTokens *
  (C.alpha.value * Math.exp(C.beta.value * C.batch.value) * (activeParameters / 1e9) +
    C.gamma.value);

/** Wh of the rest of the server for one request. */
export function ecologitsServerEnergy(requests: Requests): number {
  const { activeParameters, outputTokens, totalParameters } = requests;
  const hours = ecologitsLatency(activeParameters, outputTokens) / 3600;
  const part = ecologitsGpus(totalParameters) / C.serverGpus.value;
  return (hours * C.serverPower.value * part) / C.batch.value;
}

export const ecologits: Method = {
  name: "ecologits",
  title: "EcoLogits",
  version: "0.9.1",
  scope: "facility",
  source: METHODOLOGY,
  constants: CONSTANTS,
  defects: [
    "only tokens that are put out count: a long prompt costs nothing",
    "water is PUE times too much: WUE is per energy of the machines",
    "closed models have guessed ranges of parameters, which the result inherits",
    "its refit of 2025 cut results of small models about 44 times, and states no interval",
  ],

  estimate(workload) {
    const { requests } = workload;
    if (requests === null) {
      return nothingOf("it knows requests to language models only (parameters and tokens)");
    }
    return estimateRequests(workload, requests);
  },
};

function estimateRequests(workload: Workload, requests: Requests) {
  const { count, outputTokens, activeParameters, totalParameters } = requests;
  const gpus = ecologitsGpus(totalParameters);
  const gpuWh = gpus * ecologitsGpuEnergy(activeParameters, outputTokens);
  const serverWh = ecologitsServerEnergy(requests);
  const pue = workload.pue ?? C.pue.value;
  return resultOf({
    terms: [
      energyTerm("gpu", kilowattHours((count * gpuWh) / 1000), {
        formula: `${count} x ${round(outputTokens)} tokens x ${gpus} GPUs x (alpha e^(beta B) P + gamma)`,
        basis: `${round((gpuWh * 3600) / outputTokens)} J a token on ${gpus} GPUs`,
        constants: ["alpha", "beta", "gamma", "batch", "memoryOverhead", "gpuMemory", "weightBits"],
      }),
      energyTerm("supply", kilowattHours((count * serverWh) / 1000), {
        formula: `1200 W x latency x ${gpus} / 8 GPUs / ${C.batch.value}`,
        basis: "1.2 kW of server beside its GPUs",
        constants: [
          "serverPower",
          "serverGpus",
          "latencyParameters",
          "latencyBatch",
          "latencyBase",
        ],
      }),
    ],
    factors: [
      {
        name: "PUE",
        value: pue,
        basis: workload.pue === null ? "PUE 1.2 of the provider" : `PUE ${pue} as given`,
        constants: workload.pue === null ? ["pue"] : [],
      },
    ],
    intensity: standInIntensity(workload, "its table of countries"),
    embodied: embodiedOf(requests),
  });
}

function embodiedOf(requests: Requests) {
  const { count, activeParameters, outputTokens, totalParameters } = requests;
  const gpus = ecologitsGpus(totalParameters);
  const kilograms = (gpus / C.serverGpus.value) * C.serverMaking.value + gpus * C.gpuMaking.value;
  const latency = ecologitsLatency(activeParameters, outputTokens);
  const share = latency / (C.life.value * C.batch.value);
  return answered(gramsCO2e(count * kilograms * 1000 * share), {
    formula: `${round(kilograms)} kg x ${round(latency)} s / (3 a x ${C.batch.value})`,
    basis: "a three-year life of server and GPUs",
    constants: ["gpuMaking", "serverMaking", "life"],
  });
}
