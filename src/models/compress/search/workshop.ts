// Builds models from recipes without doing twice what recipes have in common: what the first steps give is
// kept, and a calibrated quantiser builds its variants without looking at the inputs again.

import type { Model } from "../../../onnx/index.ts";
import type { PassContext, PassResult, Refusal } from "../pass.ts";
import { prepareStatic, type StaticOptions, type StaticQuantiser } from "../quantise/index.ts";
import { runSteps } from "../run-passes.ts";
import { type RecipeStep, runnable } from "./recipe.ts";

interface Built {
  readonly model: Model;
  readonly changes: PassResult["changes"];
  readonly refused: readonly Refusal[];
}

/** Makes models by recipes' steps; the same as `applyRecipe` gives. */
export interface Workshop {
  build(steps: readonly RecipeStep[]): Promise<Built>;
  /** The calibrated quantiser of what the steps give. */
  quantiser(steps: readonly RecipeStep[], options: StaticOptions): Promise<StaticQuantiser>;
}

export function createWorkshop(original: Model, context: PassContext): Workshop {
  const kept = new Map<string, Promise<Built>>();
  const quantisers = new Map<string, Promise<StaticQuantiser>>();

  const quantiser = (steps: readonly RecipeStep[], options: StaticOptions) => {
    const key = JSON.stringify([steps, options]);
    const known = quantisers.get(key);
    if (known !== undefined) return known;
    const made = build(steps).then(({ model }) => prepareStatic(model, context, options));
    quantisers.set(key, made);
    return made;
  };

  const build = (steps: readonly RecipeStep[]): Promise<Built> => {
    const key = JSON.stringify(steps);
    const known = kept.get(key);
    if (known !== undefined) return known;
    const made = construct(steps);
    // Variants of one quantiser differ in their last step alone: they are many, and cheap to make again.
    if (steps.at(-1)?.pass !== "quantise-static") kept.set(key, made);
    return made;
  };

  const construct = async (steps: readonly RecipeStep[]): Promise<Built> => {
    const last = steps.at(-1);
    if (last === undefined) return { model: original, changes: [], refused: [] };
    const before = await build(steps.slice(0, -1));
    const { model, changes, refused } =
      last.pass === "quantise-static"
        ? await quantised(steps.slice(0, -1), last.options)
        : await runSteps(before.model, [runnable(last)], context);
    return {
      model,
      changes: [...before.changes, ...changes],
      refused: [...before.refused, ...refused],
    };
  };

  const quantised = async (
    steps: readonly RecipeStep[],
    { keepFloat = [], ...options }: StaticOptions,
  ): Promise<PassResult> => (await quantiser(steps, options)).build(keepFloat);

  return { build, quantiser };
}
