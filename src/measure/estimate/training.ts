// What training a network will cost, before it runs: E = FLOPs / (peak x MFU) x power x server x PUE.
//
// FLOPs of a dense transformer are 6 x parameters x tokens: 2 a parameter and token forwards, 4 backwards
// (Kaplan et al. 2020, arXiv:2001.08361, section 2.1; Hoffmann et al. 2022). Attention over long contexts
// comes on top. Of a mixture of experts, parameters are those used for a token.
// docs/methods/training-estimate.md.

import {
  exact,
  type Figure,
  figure,
  JOULES_PER_KILOWATT_HOUR,
  product,
  UserError,
} from "../../core/index.ts";
import { gpuPower } from "../sensors/gpu-model.ts";
import { type Accelerator, inverse, serverAround, unknownMfu } from "./accelerators.ts";

/** How much there is to compute. */
export type TrainingWork =
  | { readonly kind: "flops"; readonly flops: number }
  | {
      readonly kind: "tokens";
      /** Those used for a token. */
      readonly parameters: number;
      readonly tokens: number;
    }
  | {
      readonly kind: "samples";
      /** Of one sample, forwards: twice its multiply-adds. */
      readonly forwardFlops: number;
      readonly samples: number;
      readonly epochs: number;
    };

export interface TrainingPlan {
  readonly work: TrainingWork;
  readonly device: Accelerator;
  readonly count: number;
  /** Share of the peak that is useful work, 0..1; an interval of published runs when left out. */
  readonly mfu?: number;
  /** Mean power of one accelerator, watts, where it is known from similar runs. */
  readonly meanWatts?: number;
  readonly pue: Figure<"1">;
  readonly intensity?: Figure<"gCO2e/kWh">;
}

export interface TrainingEstimate {
  readonly flops: Figure<"FLOP">;
  readonly duration: Figure<"s">;
  /** Of the boards alone. */
  readonly accelerators: Figure<"J">;
  /** Of the servers. */
  readonly wall: Figure<"J">;
  /** With the PUE. */
  readonly energy: Figure<"J">;
  readonly emissions: Figure<"gCO2e"> | null;
}

/** A backward pass costs twice the forward one. */
const PASSES = 3;
/** Multiply and add, forwards and twice that backwards, for each parameter and token. */
const PER_PARAMETER = 2 * PASSES;

/** FLOPs of all of a training. Throws UserError when a number cannot be right. */
export function trainingFlops(work: TrainingWork): Figure<"FLOP"> {
  const declared = (value: number, source: string): Figure<"FLOP"> =>
    exact("FLOP", value, { method: "estimated", source });
  switch (work.kind) {
    case "flops":
      return declared(positive(work.flops, "FLOPs"), "FLOPs as given");
    case "tokens": {
      const parameters = positive(work.parameters, "parameters");
      const tokens = positive(work.tokens, "tokens");
      const source = `6 x ${parameters} parameters x ${tokens} tokens (Kaplan et al. 2020)`;
      return declared(PER_PARAMETER * parameters * tokens, source);
    }
    case "samples": {
      const forward = positive(work.forwardFlops, "FLOPs of a sample");
      const seen = positive(work.samples, "samples") * positive(work.epochs, "epochs");
      return declared(PASSES * forward * seen, `3 x ${forward} FLOP x ${seen} samples seen`);
    }
    default:
      return work satisfies never;
  }
}

/**
 * Utilisation of accelerators while they train: kernels run most of the time. With P = TDP (0.115 + 0.905 u)
 * it gives 0.88 of the rated power, 0.66 to 1.02.
 */
const BUSY = { value: 0.85, low: 0.6, high: 1 } as const;

/** The estimate of a plan. Throws UserError when a number cannot be right. */
export function estimateTraining(plan: TrainingPlan): TrainingEstimate {
  const { device, pue, intensity } = plan;
  const count = positive(plan.count, "accelerators");
  const flops = trainingFlops(plan.work);
  const mfu = mfuOf(plan.mfu);
  const peak = positive(device.peakFlops, "peak FLOP/s");
  const source = `FLOPs / (${count} x ${peak} FLOP/s x MFU)`;
  const duration = product("s", [flops, inverse(mfu)], { scale: 1 / (peak * count), source });
  const accelerators = product("J", [duration, powerOf(plan)], {
    scale: count,
    source: `time x ${count} boards x power of ${device.name}`,
  });
  const wall = product("J", [accelerators, serverAround()], { source: "boards x server" });
  const energy = product("J", [wall, pue], { source: "servers x PUE" });
  const emissions =
    intensity === undefined
      ? null
      : product("gCO2e", [energy, intensity], {
          scale: 1 / JOULES_PER_KILOWATT_HOUR,
          source: "energy x intensity",
        });
  return { flops, duration, accelerators, wall, energy, emissions };
}

function mfuOf(given: number | undefined): Figure<"1"> {
  if (given === undefined) return unknownMfu();
  if (given > 0 && given <= 1) {
    return exact("1", given, { method: "declared", source: "MFU as given" });
  }
  throw new UserError("invalid-input", `an MFU of ${given} cannot be right`, {
    hint: "Model FLOPs utilisation is a share of the peak above 0 and at most 1, such as 0.4.",
  });
}

function powerOf({ device, meanWatts }: TrainingPlan): Figure<"W"> {
  if (meanWatts !== undefined) {
    const watts = positive(meanWatts, "watts");
    return exact("W", watts, { method: "declared", source: "mean power as given" });
  }
  const at = (usage: number): number => gpuPower(positive(device.watts, "watts"), usage);
  return figure(
    "W",
    at(BUSY.value),
    { low: at(BUSY.low), high: at(BUSY.high) },
    { method: "estimated", source: `${device.watts} W x (0.115 + 0.905 u), u 0.85 from 0.6 to 1` },
  );
}

function positive(value: number, what: string): number {
  if (value > 0 && Number.isFinite(value)) return value;
  throw new UserError("invalid-input", `${what} of ${value} cannot be right`, {
    hint: "Give a number above zero; 175B, 300e9 and 1.5T are read.",
  });
}
