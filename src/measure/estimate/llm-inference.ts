// What answering a request with a language model costs, without measuring it. GPU joules per token put out
// come from a fit over model size, batch, number of GPUs and precision (data/methods/llm-inference); the
// interval is the spread between vendors and tasks that the fit had not seen, not the smaller one between
// models. The prompt is read at the arithmetic peak's MFU. docs/methods/llm-inference.md.

import {
  exact,
  type Figure,
  figure,
  type Host,
  JOULES_PER_KILOWATT_HOUR,
  product,
  suggest,
  sum,
  UserError,
  Z90,
} from "../../core/index.ts";
import { gpuPower } from "../sensors/gpu-model.ts";
import { type Accelerator, inverse, serverAround, unknownMfu } from "./accelerators.ts";

/** Coefficients of one GPU, and how far vendors and tasks outside the fit lie from it. */
export interface TokenLaw {
  readonly constant: number;
  readonly active: number;
  readonly total: number;
  readonly batch: number;
  readonly batchSquared: number;
  readonly gpus: number;
  readonly bytes: number;
  /** Measurements fitted on. */
  readonly rows: number;
  /** 10 and 90 % points of measured over estimated. */
  readonly spread80: { readonly low: number; readonly high: number };
}

export interface InferenceModel {
  readonly schema: "godwit.llm-inference/1";
  readonly devices: Readonly<Record<string, TokenLaw>>;
}

/** The shipped coefficients. */
export async function loadInferenceModel(host: Host): Promise<InferenceModel> {
  return JSON.parse(
    await host.readData("methods/llm-inference/coefficients.json"),
  ) as InferenceModel;
}

export interface InferencePlan {
  /** Those used for a token, in units of one. */
  readonly activeParameters: number;
  /** All; the same as active for a dense model. */
  readonly totalParameters: number;
  /** Bytes of a weight: 2, 1 or 0.5. */
  readonly bytesPerWeight: number;
  /** Mean sequences answered at once; null when unknown: then from 8 to 256. */
  readonly batch: number | null;
  /** GPUs that hold one copy of the model. */
  readonly gpus: number;
  /** Tokens of the prompt and of the answer, mean per request. */
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly device: Accelerator;
  readonly law: TokenLaw;
  readonly pue: Figure<"1">;
  readonly intensity?: Figure<"gCO2e/kWh">;
  /** Making one GPU with its part of the server, and how long it serves. */
  readonly making?: { readonly grams: Figure<"gCO2e">; readonly lifeYears: number };
}

export interface InferenceEstimate {
  /** GPU boards alone, of one token put out. */
  readonly perToken: Figure<"J">;
  /** GPU boards alone: reading the prompt, and putting out the answer. */
  readonly prefill: Figure<"J">;
  readonly decode: Figure<"J">;
  /** Of a request, with the server and the PUE. */
  readonly perRequest: Figure<"J">;
  readonly emissions: Figure<"gCO2e"> | null;
  readonly embodied: Figure<"gCO2e"> | null;
  readonly notes: readonly string[];
}

/** What the interval is, for whoever reads it. */
export const INTERVAL_STATEMENT =
  "the interval is how far vendors and tasks that the fit had not seen lie from it, not the smaller spread between models";

/** Batches fitted on, and those assumed when nothing is known. */
const FITTED_BATCH = { low: 8, high: 2000 } as const;
const UNKNOWN_BATCH = { low: 8, high: 256 } as const;

/** Half of an 80 % interval of the standard normal, in standard deviations. */
const Z80 = 1.2815515655446004;

/** Widening where the batch lies outside those fitted on: a factor of two on each side. */
const OUTSIDE = 2;

const SECONDS_PER_YEAR = 365.25 * 86_400;

/** GPU joules of a token by the fit alone. */
export function tokenEnergy(
  law: TokenLaw,
  at: Pick<InferencePlan, "activeParameters" | "totalParameters" | "bytesPerWeight" | "gpus"> & {
    readonly batch: number;
  },
): number {
  const ln = Math.log(at.batch);
  return Math.exp(
    law.constant +
      law.active * Math.log(at.activeParameters / 1e9) +
      law.total * Math.log(at.totalParameters / 1e9) +
      law.batch * ln +
      law.batchSquared * ln ** 2 +
      law.gpus * Math.log(at.gpus) +
      law.bytes * Math.log(at.bytesPerWeight),
  );
}

/** The law of a GPU by name. Throws UserError for GPUs that were not measured. */
export function findTokenLaw(model: InferenceModel, name: string): TokenLaw {
  const words = name.toUpperCase().split(/[^A-Z0-9]+/);
  const key = Object.keys(model.devices).find((device) => words.includes(device));
  const law = key === undefined ? undefined : model.devices[key];
  if (law !== undefined) return law;
  const known = Object.keys(model.devices);
  const near = suggest(name, known);
  throw new UserError("unsupported", `no measurements of language models on ${name} are known`, {
    hint: `${near === null ? "" : `Did you mean ${near}? `}There are for ${known.join(" and ")}.`,
  });
}

/** The estimate of a request. Throws UserError when a number cannot be right. */
export function estimateInference(plan: InferencePlan): InferenceEstimate {
  check(plan);
  const { device, pue, intensity } = plan;
  const { perToken, notes } = tokenFigure(plan);
  const decode = product("J", [perToken], {
    scale: plan.outputTokens,
    source: "tokens put out x J/token",
  });
  const prefill = prefillFigure(plan);
  const gpu = sum("J", [prefill, decode], { source: "prompt + answer" });
  const perRequest = product("J", [gpu, serverAround(), pue], { source: "GPUs x server x PUE" });
  const emissions =
    intensity === undefined
      ? null
      : product("gCO2e", [perRequest, intensity], {
          scale: 1 / JOULES_PER_KILOWATT_HOUR,
          source: "energy x intensity",
        });
  return {
    perToken,
    prefill,
    decode,
    perRequest,
    emissions,
    embodied: plan.making === undefined ? null : makingOf(plan.making, gpu, device),
    notes: [INTERVAL_STATEMENT, ...notes],
  };
}

function tokenFigure(plan: InferencePlan): {
  readonly perToken: Figure<"J">;
  readonly notes: readonly string[];
} {
  const { law, batch } = plan;
  const at = (size: number): number => tokenEnergy(law, { ...plan, batch: size });
  const origin = { method: "estimated", source: `fit over ${law.rows} measurements` } as const;
  const centre = batch ?? Math.sqrt(UNKNOWN_BATCH.low * UNKNOWN_BATCH.high);
  // Energy of a token falls with the batch: the largest batch gives the lower bound.
  const fitted =
    batch === null
      ? figure(
          "J",
          at(centre),
          { low: at(UNKNOWN_BATCH.high), high: at(UNKNOWN_BATCH.low) },
          origin,
        )
      : exact("J", at(batch), origin);
  const outside = centre < FITTED_BATCH.low || centre > FITTED_BATCH.high;
  const perToken = product("J", [fitted, spreadOf(law, outside)], { source: origin.source });
  const notes = [
    ...(batch === null
      ? [`batch unknown: from ${UNKNOWN_BATCH.low} to ${UNKNOWN_BATCH.high} sequences at once`]
      : []),
    ...(outside
      ? [
          `a batch of ${centre} is outside the ${FITTED_BATCH.low} to ${FITTED_BATCH.high} fitted on: interval widened`,
        ]
      : []),
  ];
  return { perToken, notes };
}

/** From 80 to 90 % as a log-normal of two pieces. */
function spreadOf({ spread80 }: TokenLaw, outside: boolean): Figure<"1"> {
  const widening = outside ? OUTSIDE : 1;
  const interval = {
    low: spread80.low ** (Z90 / Z80) / widening,
    high: spread80.high ** (Z90 / Z80) * widening,
  };
  return figure("1", 1, interval, { method: "estimated", source: INTERVAL_STATEMENT });
}

/**
 * Reading the prompt is bound by arithmetic: 2 FLOPs a parameter and token (Kaplan et al. 2020) at the MFU of
 * large batches. The fit's answers had short prompts of their own, so that these count twice.
 */
function prefillFigure({ activeParameters, inputTokens, device }: InferencePlan): Figure<"J"> {
  const flops = 2 * activeParameters * inputTokens;
  if (flops === 0) return exact("J", 0, { method: "declared", source: "no prompt was given" });
  const power = exact("W", device.watts, {
    method: "declared",
    source: `rated power of ${device.name}`,
  });
  return product("J", [power, inverse(unknownMfu())], {
    scale: flops / device.peakFlops,
    source: `2 x ${activeParameters} parameters x ${inputTokens} tokens / (peak x MFU) x rated power`,
  });
}

/** Share of the life of a GPU that the energy stands for, at the mean power of a serving GPU. */
function makingOf(
  { grams, lifeYears }: NonNullable<InferencePlan["making"]>,
  energy: Figure<"J">,
  { watts }: Accelerator,
): Figure<"gCO2e"> {
  const [value, low, high] = [0.7, 0.3, 1].map((usage) => gpuPower(watts, usage));
  const power = figure(
    "1",
    1 / (value ?? 1),
    { low: 1 / (high ?? 1), high: 1 / (low ?? 1) },
    {
      method: "estimated",
      source: "seconds of a GPU per joule, at 0.7 of its use (0.3 to 1)",
    },
  );
  return product("gCO2e", [grams, energy, power], {
    scale: 1 / (lifeYears * SECONDS_PER_YEAR),
    source: `making x GPU seconds / ${lifeYears} years`,
  });
}

function check(plan: InferencePlan): void {
  const { activeParameters, totalParameters, bytesPerWeight, batch, gpus } = plan;
  const { inputTokens, outputTokens } = plan;
  const fault = (message: string, hint: string): never => {
    throw new UserError("invalid-input", message, { hint });
  };
  for (const [value, what] of [
    [activeParameters, "active parameters"],
    [totalParameters, "parameters"],
    [bytesPerWeight, "bytes of a weight"],
    [gpus, "GPUs"],
    [batch ?? 1, "batch"],
    [outputTokens, "tokens put out"],
  ] as const) {
    if (!(value > 0 && Number.isFinite(value))) {
      fault(`${what} of ${value} cannot be right`, "Give a number above zero.");
    }
  }
  if (!(inputTokens >= 0))
    fault(`a prompt of ${inputTokens} tokens cannot be right`, "Give 0 or more.");
  if (activeParameters > totalParameters) {
    fault("more parameters are used for a token than there are", "Exchange --active and --params.");
  }
  if (bytesPerWeight > 4)
    fault(`${bytesPerWeight} bytes a weight cannot be right`, "Give 2, 1 or 0.5.");
}
