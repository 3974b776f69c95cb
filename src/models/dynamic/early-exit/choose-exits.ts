// Which of the fitted heads a model gets: one after the other, as long as the next makes it cheaper.

import type { ExitCosts } from "./exit-costs.ts";
import type { FittedHeads } from "./fit-heads.ts";
import { chooseThresholds, type ExitPlan, type HeadRecord } from "./thresholds.ts";

/** Heads by their places among the fitted ones, and what they do on the samples of `choose`. */
export interface ChosenExits {
  readonly places: readonly number[];
  readonly plan: ExitPlan;
}

/**
 * The cheapest exits whose plan is accepted; null where none cost less than the model itself. Greedy, which
 * forgoes nothing of worth: a head that does not pay by itself pays less behind another, that leaves it the
 * harder samples.
 */
export function chooseExits(
  fitted: Pick<FittedHeads, "answers" | "right">,
  costs: ExitCosts,
  of: { readonly most: number; readonly isAccepted: (plan: ExitPlan) => boolean },
): ChosenExits | null {
  let best: ChosenExits | null = null;
  for (let count = 1; count <= of.most; count++) {
    const before: readonly number[] = best?.places ?? [];
    const wider = fitted.answers
      .flatMap((_, place) => (before.includes(place) ? [] : [[...before, place]]))
      .map((places) =>
        planned(
          places.toSorted((a, b) => a - b),
          { ...of, fitted, costs },
        ),
      );
    const [cheapest] = wider.toSorted((a, b) => a.plan.cost - b.plan.cost);
    if (cheapest === undefined || cheapest.plan.cost >= (best?.plan.cost ?? costs.base)) break;
    best = cheapest;
  }
  return best;
}

function planned(
  places: readonly number[],
  of: {
    readonly fitted: Pick<FittedHeads, "answers" | "right">;
    readonly costs: ExitCosts;
    readonly isAccepted: (plan: ExitPlan) => boolean;
  },
): ChosenExits {
  const { answers, right } = of.fitted;
  let passed = 0;
  const records = places.map((place): HeadRecord => {
    const own = answers[place];
    const cost = of.costs.heads[place];
    if (own === undefined || cost === undefined) throw new RangeError(`no head ${place}`);
    const record = { ...own, cost: passed + cost.leave };
    passed += cost.stay;
    return record;
  });
  const last = { right, cost: of.costs.base + passed };
  return { places, plan: chooseThresholds(records, last, of.isAccepted) };
}
