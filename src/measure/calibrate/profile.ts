// The stored calibration of one machine, `godwit.profile/1`: a JSON file in the user's configuration
// folder. Checked when it is read, like everything that comes from outside.

import { z } from "zod";
import { type Figure, UserError } from "../../core/index.ts";

export const PROFILE_SCHEMA = "godwit.profile/1";

const figureOf = <U extends "1" | "W">(unit: U) =>
  z
    .object({
      value: z.number(),
      unit: z.literal(unit),
      low: z.number(),
      high: z.number(),
      method: z.enum(["measured", "sampled", "estimated", "declared"]),
      source: z.string(),
      fallbacks: z.array(z.string()),
    })
    .refine(({ low, value, high }) => low <= value && value <= high, "low <= value <= high")
    .refine(({ low }) => low >= 0, "not below zero") as unknown as z.ZodType<Figure<U>>;

const residual = z.object({
  mean: z.number().nonnegative(),
  max: z.number().nonnegative(),
  watts: z.array(z.number()).readonly(),
});

const step = z.object({
  asked: z.number(),
  utilisation: z.number(),
  others: z.number(),
  wall: z.number(),
  spread: z.number(),
  readings: z.number(),
  discarded: z.number(),
  components: z.number().nullable(),
  besides: z.number(),
  at: z.number(),
  settled: z.boolean(),
});

const profile = z.object({
  schema: z.literal(PROFILE_SCHEMA),
  calibratedAt: z.iso.datetime(),
  /** Of godwit and of the system. */
  version: z.string(),
  release: z.string(),
  machine: z.object({
    id: z.string(),
    cpuName: z.string(),
    threads: z.number().int().positive(),
    memoryBytes: z.number().positive(),
  }),
  truth: z.object({
    kind: z.enum(["meter", "bmc", "battery", "typed"]),
    label: z.string(),
    error: z.number().nonnegative(),
    resolution: z.number().nonnegative(),
  }),
  steps: z.array(step).readonly(),
  /** For the sensors named, whose sum is what the factor multiplies. */
  supply: z
    .object({
      factor: figureOf("1"),
      base: figureOf("W"),
      residual,
      sensors: z.array(z.string()).readonly(),
    })
    .nullable(),
  /** `covariance` is of idle, rise and shape; what GPUs draw is not in it. */
  curve: z
    .object({
      idle: figureOf("W"),
      full: figureOf("W"),
      shape: figureOf("1"),
      covariance: z.array(z.array(z.number()).length(3).readonly()).length(3).readonly(),
      freedom: z.number().int().positive(),
      error: z.number().nonnegative(),
      residual,
    })
    .nullable(),
  residual,
  notices: z.array(z.string()).readonly(),
});

/** What was found out about one machine. */
export type Profile = z.infer<typeof profile>;

/** A profile's text, checked. Throws UserError naming the file and the fault. */
export function parseProfile(text: string, path: string): Profile {
  const fault = (why: string, cause: unknown): UserError =>
    new UserError("invalid-input", `${path} is not a machine profile: ${why}`, {
      hint: "godwit calibrate --remove removes it; godwit calibrate makes a new one.",
      cause,
    });
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch (error) {
    throw fault("it is not JSON", error);
  }
  const checked = profile.safeParse(content);
  if (checked.success) return checked.data;
  const [issue] = checked.error.issues;
  throw fault(`${issue?.path.join(".") ?? ""} ${issue?.message ?? ""}`.trim(), checked.error);
}

/** A profile's text, of the same bytes for the same profile. */
export const profileText = (content: Profile): string => `${JSON.stringify(content, null, 2)}\n`;
