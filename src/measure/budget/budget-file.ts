// The committed budget of a project, `godwit.budget.json`: what runs may cost, absolutely or against a
// base. Units are in the names of metrics. Emissions are computed at one fixed intensity, so that a
// change of the grid fails nobody's build. Method: docs/methods/budget.md.

import { z } from "zod";
import { UserError } from "../../core/index.ts";

export const BUDGET_SCHEMA = "godwit.budget/1";

/** What can be budgeted; the unit is the end of the name. */
export const METRICS = [
  "energy_j",
  "energy_per_item_j",
  "emissions_gco2e",
  "emissions_per_item_gco2e",
  "duration_s",
  "cpu_time_s",
  "model_size_bytes",
  "macs",
  "flops",
] as const;

export type Metric = (typeof METRICS)[number];

const selector = z
  .strictObject({
    name: z.string().min(1).describe("Exact name of the runs"),
    tags: z.record(z.string(), z.string()).optional().describe("Tags that they all have"),
  })
  .describe("The newest complete runs that are like this");

const budget = z
  .strictObject({
    name: z.string().min(1).max(200).describe("Unique; the test case in JUnit"),
    runs: selector,
    metric: z.enum(METRICS),
    items: z
      .number()
      .positive()
      .optional()
      .describe("Items of one run, for metrics per item; else the samples of its quality"),
    limit: z.number().positive().optional().describe("Highest value, in the metric's unit"),
    base: z
      .union([selector, z.strictObject({ file: z.string().min(1) })])
      .optional()
      .describe("Runs, or a file of exported cards, not to be worse than"),
    tolerance: z
      .number()
      .min(0)
      .optional()
      .describe("How much worse than the base is allowed: 0.05 is 5 %"),
    repeats: z.int().min(1).max(1000).default(1).describe("Runs that are judged together"),
  })
  .refine(({ limit, base }) => (limit === undefined) !== (base === undefined), {
    message: "give either limit or base",
  })
  .refine(({ base, tolerance }) => (base === undefined) === (tolerance === undefined), {
    message: "base and tolerance belong together",
  });

const file = z
  .strictObject({
    $schema: z.string().optional(),
    schema: z.literal(BUDGET_SCHEMA),
    intensity_gco2e_per_kwh: z
      .number()
      .positive()
      .max(2000)
      .optional()
      .describe("Fixed carbon intensity of all budgets of emissions"),
    budgets: z.array(budget).min(1),
  })
  .refine(
    ({ budgets }) => new Set(budgets.map(({ name }) => name)).size === budgets.length,
    "two budgets have the same name",
  )
  .refine(
    ({ budgets, intensity_gco2e_per_kwh: intensity }) =>
      intensity !== undefined || budgets.every(({ metric }) => !metric.startsWith("emissions")),
    "a budget of emissions needs intensity_gco2e_per_kwh",
  );

export type BudgetFile = z.infer<typeof file>;
export type Budget = z.infer<typeof budget>;

/** A budget file's content. Throws UserError that names the first field that is wrong. */
export function parseBudget(text: string, path: string): BudgetFile {
  const result = file.safeParse(parseJson(text, path));
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const where = issue?.path.join(".") || "the whole";
  throw new UserError("invalid-input", `${path}: ${where}: ${issue?.message}`, {
    hint: `A budget follows godwit/schema/budget.json; metrics are ${METRICS.join(", ")}.`,
    cause: result.error,
  });
}

function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new UserError("invalid-input", `${path} is no JSON`, {
      hint: "godwit budget init writes a first one.",
      cause,
    });
  }
}

/** The published JSON Schema of a budget file. */
export const budgetJsonSchema = (): object =>
  z.toJSONSchema(file, { io: "input", unrepresentable: "any" });
