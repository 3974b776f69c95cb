// The stored calibration of one machine, `godwit.profile/1`: a JSON file in the user's configuration
// folder. Checked when it is read, like everything that comes from outside.

import * as z from "zod/mini";
import { type Figure, UserError } from "../../core/index.ts";

export const PROFILE_SCHEMA = "godwit.profile/1";

const positive = z.number().check(z.positive());
const nonnegative = z.number().check(z.nonnegative());
const count = z.int().check(z.positive());
const list = <T extends z.ZodMiniType>(item: T) => z.readonly(z.array(item));

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
    .check(
      z.refine(({ low, value, high }) => low <= value && value <= high, "low <= value <= high"),
      z.refine(({ low }) => low >= 0, "not below zero"),
    ) as unknown as z.ZodMiniType<Figure<U>>;

const residual = z.object({ mean: nonnegative, max: nonnegative, watts: list(z.number()) });

const step = z.object({
  asked: z.number(),
  utilisation: z.number(),
  others: z.number(),
  wall: z.number(),
  spread: z.number(),
  readings: z.number(),
  discarded: z.number(),
  components: z.nullable(z.number()),
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
    threads: count,
    memoryBytes: positive,
  }),
  truth: z.object({
    kind: z.enum(["meter", "bmc", "battery", "typed"]),
    label: z.string(),
    error: nonnegative,
    resolution: nonnegative,
  }),
  steps: list(step),
  /** For the sensors named, whose sum is what the factor multiplies. */
  supply: z.nullable(
    z.object({
      factor: figureOf("1"),
      base: figureOf("W"),
      residual,
      sensors: list(z.string()),
    }),
  ),
  /** `covariance` is of idle, rise and shape; what GPUs draw is not in it. */
  curve: z.nullable(
    z.object({
      idle: figureOf("W"),
      full: figureOf("W"),
      shape: figureOf("1"),
      covariance: z.readonly(z.array(list(z.number()).check(z.length(3))).check(z.length(3))),
      freedom: count,
      error: nonnegative,
      residual,
    }),
  ),
  residual,
  notices: list(z.string()),
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
  const checked = profile.safeParse(content, { error: z.locales.en().localeError });
  if (checked.success) return checked.data;
  const [issue] = checked.error.issues;
  throw fault(`${issue?.path.join(".") ?? ""} ${issue?.message ?? ""}`.trim(), checked.error);
}

/** A profile's text, of the same bytes for the same profile. */
export const profileText = (content: Profile): string => `${JSON.stringify(content, null, 2)}\n`;
