// Thinner models: channels taken out, or layers split into chains of thinner ones.

import { countModel, numberOf } from "../../../measure/profile/index.ts";
import type { Model } from "../../../onnx/index.ts";
import type { Feeds, PassContext } from "../pass.ts";
import { pruningSensitivity, ratiosWithin } from "../prune/index.ts";
import { thinInEightBits } from "./eight-bits.ts";
import { hashOfModel, remembered } from "./memo.ts";
import { inputsFor, type ProposeOptions, SIMPLIFIED } from "./proposing.ts";
import { type RecipeStep, recipeText } from "./recipe.ts";
import { endingAfter, isOutOfTime } from "./time.ts";
import type { Workshop } from "./workshop.ts";

/** Work that each round of thinning leaves, and how many rounds there are. */
const EACH = { quick: 1, normal: 0.6, high: 0.7 } as const;
const ROUNDS = { quick: 0, normal: 3, high: 6 } as const;

/** Steps that a student learns for, where there is time; of 16 rows each. */
const STEPS = { quick: 0, normal: 400, high: 1600 } as const;
const BATCH = 16;

/** Below this it is not worth beginning. */
const LEAST_STEPS = 50;

/** A step forwards and backwards with the teacher's answer takes about as many runs of the model. */
const RUNS_A_STEP = 4;

/** Of the time that is left, what one student may take. */
const STUDENT_SHARE = 0.4;

/**
 * Thinner models, a share of the work at a time: what is too bad then learns from the original. The first one
 * that does not come back within the budget ends the line, since those after it would lose more. Those within
 * the budget are proposed in 8 bits too.
 */
export async function thinned(
  way: "prune" | "factorise",
  workshop: Workshop,
  options: ProposeOptions,
): Promise<readonly (readonly RecipeStep[])[]> {
  const { effort, allow, judge, isWithin, match, secondsLeft, context } = options;
  const signal = context.signal ?? endingAfter(secondsLeft(), undefined);
  const recipes: (readonly RecipeStep[])[] = [];
  let before = SIMPLIFIED;
  try {
    for (let round = 1; round <= ROUNDS[effort]; round++) {
      const step = await (way === "prune"
        ? pruneStep(workshop, before, options)
        : factoriseStep(EACH[effort] ** round));
      if (step === null) break;
      let steps: readonly RecipeStep[] = [...(way === "prune" ? before : SIMPLIFIED), step];
      let candidate = await judge(steps, signal);
      if (candidate === null) break;
      const epochs = allow.includes("distil") ? epochsFor(options) : null;
      if (!isWithin(candidate) && epochs !== null) {
        const learning = { epochs, batchSize: BATCH, match };
        const taught = [...steps, { pass: "distil" as const, options: learning }];
        const after = await judge(taught, signal);
        if (after !== null && after.drop < candidate.drop) [steps, candidate] = [taught, after];
      }
      recipes.push(steps);
      if (!isWithin(candidate)) break;
      if (allow.includes("quantise")) {
        recipes.push(...(await thinInEightBits(workshop, steps, options)));
      }
      before = steps;
    }
  } catch (error) {
    // What came before stands.
    if (!isOutOfTime(error)) throw error;
    options.onRefused(way, "its share of the time was over");
  }
  return recipes;
}

/** Rounds over the training rows that there is time for; null where that is too few to begin. */
function epochsFor(options: ProposeOptions): number | null {
  const { effort, trainingRows, secondsARow, secondsLeft, onRefused } = options;
  let steps: number = STEPS[effort];
  // By halves, so that the same search on a machine as fast asks for the same.
  while (steps * BATCH * RUNS_A_STEP * secondsARow > STUDENT_SHARE * secondsLeft()) steps /= 2;
  if (steps < LEAST_STEPS) {
    onRefused("distil", "there was no time left for a student to learn");
    return null;
  }
  return Math.max(1, Math.round((steps * BATCH) / trainingRows));
}

const factoriseStep = (keep: number): RecipeStep => ({
  pass: "factorise",
  options: { rank: { rule: "budget", keep } },
});

/** Channels taken out for the least loss that leaves a share of the work; null where that cannot be. */
async function pruneStep(
  workshop: Workshop,
  before: readonly RecipeStep[],
  options: ProposeOptions,
): Promise<RecipeStep | null> {
  const { context, store, effort } = options;
  const { model } = await workshop.build(before, context.signal);
  const macs = macsOf(model, options.feeds);
  if (macs === null) return null;
  const key = ["pruning", await hashOfModel(model), context.seed];
  const groups = await remembered(store, key, () =>
    // Without refitting, which takes longer than all the rest and hardly moves the order of the groups.
    pruningSensitivity(model, firstInputs(context, inputsFor(options)), {
      ...{ ratios: [0.25, 0.5], repair: false },
    }),
  );
  const ratio = ratiosWithin(groups, { macs, keep: EACH[effort] });
  if (groups.length === 0 || ratio === null) {
    options.onRefused(recipeText([...before, { pass: "prune", options: {} }]), NOTHING_TO_PRUNE);
    return null;
  }
  return { pass: "prune", options: { ratio } };
}

const NOTHING_TO_PRUNE = "too few channels can go: of each group at least a block must stay";

/** The context with the first calibration inputs alone. */
function firstInputs(context: PassContext, count: number): PassContext {
  const { calibration } = context;
  if (calibration === undefined) return context;
  return {
    ...context,
    async *calibration() {
      let given = 0;
      for await (const feeds of calibration()) {
        yield feeds;
        if (++given >= count) return;
      }
    },
  };
}

function macsOf(model: Model, feeds: Feeds): number | null {
  const inputs = Object.entries(feeds).flatMap(([name, feed]) =>
    "dims" in feed ? [[name, feed.dims] as const] : [],
  );
  const { totals } = countModel(model, { inputs: Object.fromEntries(inputs) });
  return totals.macs === null ? null : numberOf(totals.macs);
}
