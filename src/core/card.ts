// The greenness card: what everything in godwit hands back. Versioned, JSON-safe, frozen.
//
// Reading is forward-compatible: unknown fields are kept, so a card written by a newer minor
// version survives a round trip. A new major version gets a new `schema` and is refused by name.

import { z } from "zod";
import { CARD_SCHEMA } from "./card-version.ts";
import { UserError } from "./errors.ts";
import type { AnyFigure, Figure } from "./figure.ts";
import { deepFreeze } from "./freeze.ts";
import type { Unit } from "./quantity.ts";

export { CARD_SCHEMA };

const method = z.enum(["measured", "sampled", "estimated", "declared"]);

/** Schema of a figure of one unit. */
function figureOf<U extends Unit>(unit: U) {
  return z
    .looseObject({
      value: z.number(),
      unit: z.literal(unit),
      low: z.number(),
      high: z.number(),
      method,
      source: z.string(),
      fallbacks: z.array(z.string()),
    })
    .refine(({ low, value, high }) => low <= value && value <= high, "low <= value <= high")
    .describe(
      `A number in ${unit} with its 90 % interval, method and source`,
    ) as unknown as z.ZodType<Figure<U>>;
}

const anyFigure = z.looseObject({
  value: z.number(),
  unit: z.string(),
  low: z.number(),
  high: z.number(),
  method,
  source: z.string(),
  fallbacks: z.array(z.string()),
}) as unknown as z.ZodType<AnyFigure>;

const instant = z.iso.datetime().describe("UTC, ISO 8601");

const money = z.looseObject({
  currency: z.string().describe("ISO 4217 code"),
  amount: figureOf("money"),
});

/** Where energy went: one domain of one device. */
const component = z.looseObject({
  domain: z.enum(["cpu", "memory", "gpu", "machine", "board", "storage", "network"]),
  device: z.string().describe("Name of the device, such as `package-0` or a GPU's UUID"),
  provider: z.string().describe("The sensor or model that answered"),
  energy: figureOf("J"),
  /** Part of the energy that belongs to the subject, when it was attributed. */
  attributed: figureOf("J").optional(),
  meanPower: figureOf("W").optional(),
  peakPower: figureOf("W").optional(),
  idlePower: figureOf("W").optional().describe("What this run saw of the device while it was idle"),
  utilisation: figureOf("1").optional(),
});

const span = z.looseObject({
  name: z.string(),
  startS: z.number().describe("Seconds after the start"),
  endS: z.number(),
  parent: z.number().int().nonnegative().optional().describe("Index of the enclosing span"),
  energy: figureOf("J").optional(),
});

const gap = z.looseObject({
  sensor: z.string(),
  fromS: z.number(),
  toS: z.number(),
  reason: z.string(),
});

/** One arrow of the chain from counter to carbon, with the numbers filled in. */
const step = z.looseObject({
  name: z.string(),
  formula: z.string(),
  inputs: z.record(z.string(), anyFigure),
  result: anyFigure,
  source: z.string(),
});

/** Power over time, thinned so that a card stays small; the segment has every sample. */
const series = z.looseObject({
  domain: z.string(),
  device: z.string(),
  timesS: z.array(z.number()),
  watts: z.array(z.number().nullable()).describe("null inside a gap"),
});

const machine = z.looseObject({
  id: z.string().describe("Stable hash; not the host name"),
  platform: z.string(),
  arch: z.string(),
  release: z.string(),
  cpu: z.looseObject({
    name: z.string(),
    vendor: z.string().optional(),
    family: z.number().int().optional(),
    model: z.number().int().optional(),
    stepping: z.number().int().optional(),
    sockets: z.number().int().optional(),
    cores: z.number().int().optional(),
    threads: z.number().int(),
  }),
  memoryBytes: z.number(),
  virtualization: z.string().nullable().describe("Hypervisor or container, null on bare metal"),
  gpus: z.array(z.looseObject({ name: z.string(), uuid: z.string().optional() })),
});

const signal = z.looseObject({
  intensity: figureOf("gCO2e/kWh"),
  kind: z.enum(["average", "marginal"]),
  basis: z.enum(["location", "market"]),
  scope: z.enum(["life-cycle", "direct", "unknown"]),
  zone: z.string().describe("ISO 3166 code, grid zone, or WORLD"),
  year: z.number().int().optional(),
  rung: z.string().describe("Which rung of the location ladder answered, in words"),
});

export const cardSchema = z.looseObject({
  schema: z.literal(CARD_SCHEMA),
  id: z.string(),
  subject: z.looseObject({
    kind: z.enum([
      "command",
      "span",
      "training",
      "inference",
      "model",
      "query",
      "job",
      "application",
    ]),
    name: z.string(),
    command: z.array(z.string()).optional(),
    tags: z.record(z.string(), z.string()),
  }),
  status: z.enum(["complete", "failed", "interrupted"]),
  startedAt: instant,
  endedAt: instant,
  exit: z
    .looseObject({ code: z.number().int().nullable(), signal: z.string().nullable() })
    .optional(),

  measures: z.looseObject({
    duration: figureOf("s"),
    modelSize: figureOf("B").optional(),
    parameters: figureOf("parameters").optional(),
    operations: z
      .looseObject({ macs: figureOf("MAC").optional(), flops: figureOf("FLOP").optional() })
      .optional(),
    power: z.looseObject({ mean: figureOf("W"), peak: figureOf("W").optional() }).optional(),
    energy: z
      .looseObject({
        gross: figureOf("J").describe("All that the machine used meanwhile"),
        net: figureOf("J").optional().describe("The subject's share of active energy, no idle"),
        attributed: figureOf("J").optional().describe("net plus the subject's share of idle"),
      })
      .optional(),
    emissions: figureOf("gCO2e").optional(),
    embodied: figureOf("gCO2e").optional(),
    water: figureOf("L").optional(),
    cost: z
      .looseObject({ electricity: money.optional(), carbon: money.optional() })
      .optional()
      .describe("What the electricity, and the emissions at a carbon price, cost"),
    cpuTime: figureOf("s").optional().describe("CPU time of the subject's whole process tree"),
    savedPerUse: figureOf("J")
      .optional()
      .describe("Of work that makes something cheaper: what each use of its result saves"),
    paidBackAfter: figureOf("1")
      .optional()
      .describe("Uses of the result that save as much as the work used"),
  }),
  quality: z
    .looseObject({
      metric: z.string(),
      value: z.number(),
      low: z.number().optional(),
      high: z.number().optional(),
      split: z.string().optional(),
      samples: z.number().int().optional(),
      baseline: z.looseObject({ name: z.string(), value: z.number() }).optional(),
    })
    .optional(),

  boundary: z.looseObject({
    headline: z.enum(["gross", "net", "attributed"]).describe("Which energy carries the emissions"),
    scope: z.enum(["component", "wall", "facility"]),
    pue: figureOf("1").optional(),
    idlePolicy: z.string(),
  }),
  conservation: z
    .looseObject({
      measuredJ: z.number(),
      attributedJ: z.number(),
      unattributedJ: z.number(),
      relativeError: z.number(),
    })
    .optional(),
  signal: signal.optional(),
  components: z.array(component),
  spans: z.array(span),
  gaps: z.array(gap),
  series: z.array(series),
  steps: z.array(step).describe("The whole chain of arithmetic, for `godwit explain`"),
  notices: z.array(z.string()),
  machine,
  overhead: z
    .looseObject({ cpuS: z.number(), wallS: z.number(), rssBytes: z.number() })
    .optional()
    .describe("What godwit itself cost"),
  godwit: z.looseObject({ version: z.string() }),
});

export type Card = Readonly<z.infer<typeof cardSchema>>;
export type Component = z.infer<typeof component>;
export type Span = z.infer<typeof span>;
export type Gap = z.infer<typeof gap>;
export type Step = z.infer<typeof step>;
export type Series = z.infer<typeof series>;
export type Machine = z.infer<typeof machine>;
export type Signal = z.infer<typeof signal>;

/** A valid, deeply frozen card. Throws UserError naming the first field that is wrong. */
export function parseCard(value: unknown): Card {
  const schema = typeof value === "object" && value !== null ? Reflect.get(value, "schema") : null;
  if (typeof schema === "string" && schema.startsWith("godwit.card/") && schema !== CARD_SCHEMA) {
    throw new UserError("unsupported", `the card is of version ${schema}`, {
      hint: `This godwit reads ${CARD_SCHEMA}; update godwit to read it.`,
    });
  }
  const result = cardSchema.safeParse(value);
  if (!result.success) {
    const [issue] = result.error.issues;
    throw new UserError(
      "invalid-input",
      `not a card: ${issue?.path.join(".")}: ${issue?.message}`,
      {
        hint: `A card follows the JSON Schema godwit/schema/card.json (${CARD_SCHEMA}).`,
        cause: result.error,
      },
    );
  }
  return deepFreeze(result.data);
}

/** The published JSON Schema of a card. */
export function cardJsonSchema(): object {
  return z.toJSONSchema(cardSchema, { io: "input", unrepresentable: "any" });
}
