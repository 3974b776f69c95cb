// How a smaller model was made, as plain JSON: passes in order with their options, the rows that statistics
// were taken on, the seed. The same recipe on the same file gives the same file, byte for byte.

import { z } from "zod";
import { UserError } from "../../../core/index.ts";
import type { Model } from "../../../onnx/index.ts";
import type { Pass, PassContext } from "../pass.ts";
import { runSteps, type Step, type StepsResult, stepOf } from "../run-passes.ts";
import { PASSES, type PassName } from "./passes.ts";

const RECIPE_SCHEMA = "godwit.recipe/1";

const passName = z.enum(Object.keys(PASSES) as [PassName, ...PassName[]]);

const recipeSchema = z.strictObject({
  schema: z.literal(RECIPE_SCHEMA),
  /** Of every random choice of the passes. */
  seed: z.number().int(),
  steps: z.array(z.strictObject({ pass: passName, options: z.record(z.string(), z.unknown()) })),
  /** Rows of the dataset that statistics are taken on, and how many go through the model at once. */
  calibration: z.strictObject({
    rows: z.array(z.number().int().nonnegative()),
    batch: z.number().int().positive(),
  }),
  /** Rows that a student learns from, in their order; none where nothing learns. */
  training: z.array(z.number().int().nonnegative()).default([]),
  /** Settings that the model is run with. */
  session: z.strictObject({
    threads: z.number().int().positive().optional(),
    spinning: z.boolean().optional(),
    optimisation: z.enum(["none", "basic", "extended", "all"]).optional(),
    arena: z.boolean().optional(),
    memoryPattern: z.boolean().optional(),
    denormalsAsZero: z.boolean().optional(),
  }),
});

export type Recipe = z.infer<typeof recipeSchema>;
export type RecipeStep = Recipe["steps"][number];

/** A recipe of these steps. */
export const recipeOf = (
  steps: readonly RecipeStep[],
  of: Pick<Recipe, "seed" | "calibration"> & Partial<Pick<Recipe, "training" | "session">>,
): Recipe => ({
  schema: RECIPE_SCHEMA,
  seed: of.seed,
  steps: [...steps],
  calibration: of.calibration,
  training: steps.some(({ pass }) => pass === "distil") ? (of.training ?? []) : [],
  session: of.session ?? {},
});

/** A recipe from JSON. Throws UserError naming what is wrong and where. */
export function parseRecipe(value: unknown, source: string): Recipe {
  const parsed = recipeSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const where = issue?.path.join(".") || "the whole";
  throw new UserError("invalid-input", `${source} is no recipe: ${where}: ${issue?.message}`, {
    hint: "Give a recipe as godwit slim writes it beside the model.",
  });
}

/** A step of a recipe as a step of a run. */
export const runnable = ({ pass, options }: RecipeStep): Step =>
  stepOf(PASSES[pass] as Pass<RecipeStep["options"]>, options);

/**
 * Applies a recipe. The context's calibration and training inputs must be the recipe's rows; what learns,
 * learns from the model itself.
 */
export function applyRecipe(
  model: Model,
  recipe: Recipe,
  context: Omit<PassContext, "seed" | "teacher">,
): Promise<StepsResult> {
  const own = { ...context, seed: recipe.seed, teacher: model };
  return runSteps(model, recipe.steps.map(runnable), own);
}

/** A recipe in words, shortest form: `simplify, quantise-static (9 nodes in floats)`. */
export function recipeText(steps: readonly RecipeStep[]): string {
  if (steps.length === 0) return "as it is";
  return steps.map(stepText).join(", ");
}

function stepText({ pass, options }: RecipeStep): string {
  const kept = Array.isArray(options["keepFloat"]) ? options["keepFloat"].length : 0;
  const notes = [
    ...methodOf(options["calibration"]),
    ...(kept === 0 ? [] : [`${kept} in floats`]),
    ...shareOf(options["ratio"]),
    ...ruleOf(options["rank"]),
    ...(typeof options["epochs"] === "number" ? [`${options["epochs"]} epochs`] : []),
    ...(typeof options["clusters"] === "number" ? [`${options["clusters"]} values`] : []),
  ];
  return notes.length === 0 ? pass : `${pass} (${notes.join(", ")})`;
}

const methodOf = (calibration: unknown): readonly string[] =>
  typeof calibration === "object" && calibration !== null && "method" in calibration
    ? [String(calibration.method)]
    : [];

function shareOf(ratio: unknown): readonly string[] {
  if (typeof ratio === "number") return [`${Math.round(100 * ratio)} % of the channels`];
  if (typeof ratio !== "object" || ratio === null) return [];
  const shares = Object.values(ratio as Record<string, number>);
  const touched = shares.filter((share) => share > 0).length;
  return [`${touched} of ${shares.length} groups`];
}

function ruleOf(rank: unknown): readonly string[] {
  if (typeof rank !== "object" || rank === null || !("rule" in rank)) return [];
  const amount = "keep" in rank ? rank.keep : "share" in rank ? rank.share : null;
  return [
    `${String(rank.rule)}${typeof amount === "number" ? ` ${Number(amount.toPrecision(3))}` : ""}`,
  ];
}
