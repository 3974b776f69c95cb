// What only the measured command can know: how good its answers were, how large its model was, how
// many operations it took. It says so in a JSON file whose path is in GODWIT_FACTS, in any language.

import { z } from "zod";
import { exact, UserError } from "../../core/index.ts";
import type { Ending } from "./meter.ts";

const count = z.number().nonnegative();
const source = z.string().max(500);

const facts = z.strictObject({
  /** Dimensionless: 0.975, not 97.5 %. */
  quality: z
    .strictObject({
      metric: z.string().max(200),
      value: z.number(),
      low: z.number().optional(),
      high: z.number().optional(),
      split: z.string().max(200).optional(),
      samples: z.int().nonnegative().optional(),
      baseline: z.strictObject({ name: z.string().max(200), value: z.number() }).optional(),
    })
    .optional(),
  /** Multiply-accumulates and floating-point operations of the whole run; `source` says which. */
  operations: z
    .strictObject({ macs: count.optional(), flops: count.optional(), source })
    .optional(),
  parameters: z.strictObject({ count, source }).optional(),
});

/** The command's own facts for its card. Throws UserError that names the field that is wrong. */
export function parseFacts(text: string): Pick<Ending, "extra" | "quality"> {
  const result = facts.safeParse(parseJson(text));
  if (!result.success) {
    const [issue] = result.error.issues;
    const where = issue?.path.join(".") || "the whole";
    throw malformed(`${where}: ${issue?.message}`, result.error);
  }
  const { quality, operations, parameters } = result.data;
  return {
    ...(quality === undefined ? {} : { quality }),
    extra: {
      ...(operations === undefined ? {} : { operations: operationsOf(operations) }),
      ...(parameters === undefined
        ? {}
        : { parameters: declared("parameters", parameters.count, parameters.source) }),
    },
  };
}

function operationsOf(of: NonNullable<z.infer<typeof facts>["operations"]>) {
  return {
    ...(of.macs === undefined ? {} : { macs: declared("MAC", of.macs, of.source) }),
    ...(of.flops === undefined ? {} : { flops: declared("FLOP", of.flops, of.source) }),
  };
}

const declared = <U extends "MAC" | "FLOP" | "parameters">(unit: U, value: number, from: string) =>
  exact(unit, value, { method: "declared", source: `the command itself: ${from}` });

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw malformed("it is no JSON", cause);
  }
}

function malformed(fault: string, cause: unknown): UserError {
  return new UserError("invalid-input", `what the command wrote to GODWIT_FACTS: ${fault}`, {
    hint: 'Write one object, such as {"quality": {"metric": "accuracy", "value": 0.93}}.',
    cause,
  });
}
