// Builds models from recipes without doing twice what recipes have in common: what the first steps give is
// kept, and a calibrated quantiser builds its variants without looking at the inputs again.

import type { Model } from "../../../onnx/index.ts";
import { createKeeper } from "../keeper.ts";
import type { PassContext, PassResult, Refusal } from "../pass.ts";
import {
  type Observer,
  observerFor,
  observes,
  prepareStatic,
  type StaticOptions,
  type StaticQuantiser,
} from "../quantise/index.ts";
import { runSteps } from "../run-passes.ts";
import { type RecipeStep, runnable } from "./recipe.ts";

interface Built {
  readonly model: Model;
  readonly changes: PassResult["changes"];
  readonly refused: readonly Refusal[];
}

/** Makes models by recipes' steps; the same as `applyRecipe` gives. Work that a signal ends leaves nothing. */
export interface Workshop {
  build(steps: readonly RecipeStep[], signal?: AbortSignal): Promise<Built>;
  /** The calibrated quantiser of what the steps give. */
  quantiser(
    steps: readonly RecipeStep[],
    options: StaticOptions,
    signal?: AbortSignal,
  ): Promise<StaticQuantiser>;
}

export function createWorkshop(original: Model, given: PassContext): Workshop {
  const built = createKeeper<Built>();
  const quantisers = createKeeper<StaticQuantiser>();
  const observers = new Map<string, Observer>();

  const contextFor = (signal: AbortSignal | undefined): PassContext => ({
    ...given,
    teacher: original,
    ...(signal === undefined ? {} : { signal }),
  });

  const observerOf = (model: Model, steps: readonly RecipeStep[], options: StaticOptions) => {
    const key = JSON.stringify([steps, observes(options)]);
    const observer = observers.get(key) ?? observerFor(model, given, options);
    observers.set(key, observer);
    return observer;
  };

  const quantiser: Workshop["quantiser"] = (steps, options, signal) =>
    quantisers(JSON.stringify([steps, options]), async () => {
      const { model } = await build(steps, signal);
      const observer = observerOf(model, steps, options);
      return prepareStatic(model, contextFor(signal), { ...options, observer });
    });

  const build: Workshop["build"] = (steps, signal) =>
    // Variants of one quantiser differ in their last step alone: they are many, and cheap to make again.
    steps.at(-1)?.pass === "quantise-static"
      ? construct(steps, signal)
      : built(JSON.stringify(steps), () => construct(steps, signal));

  const construct = async (
    steps: readonly RecipeStep[],
    signal: AbortSignal | undefined,
  ): Promise<Built> => {
    const last = steps.at(-1);
    if (last === undefined) return { model: original, changes: [], refused: [] };
    const before = await build(steps.slice(0, -1), signal);
    const { model, changes, refused } =
      last.pass === "quantise-static"
        ? await quantised(steps.slice(0, -1), last.options, signal)
        : await runSteps(before.model, [runnable(last)], contextFor(signal));
    return {
      model,
      changes: [...before.changes, ...changes],
      refused: [...before.refused, ...refused],
    };
  };

  const quantised = async (
    steps: readonly RecipeStep[],
    { keepFloat = [], ...options }: StaticOptions,
    signal: AbortSignal | undefined,
  ): Promise<PassResult> => (await quantiser(steps, options, signal)).build(keepFloat);

  return { build, quantiser };
}
