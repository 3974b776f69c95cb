// One option for each item, the least total loss within a budget of cost: the multiple-choice knapsack
// (Kellerer, Pferschy & Pisinger, Knapsack Problems, 2004, chapter 11), by dynamic programming over costs
// rounded up to a grid, so that what is chosen always fits.

/** What one item may become. */
export interface Option {
  readonly cost: number;
  readonly loss: number;
}

/** Steps that the budget is divided into; an item's cost is overstated by at most one of them. */
const STEPS = 4096;

/** The index of the option chosen for each item; null when even the cheapest do not fit. */
export function chooseWithin(
  budget: number,
  items: readonly (readonly Option[])[],
): readonly number[] | null {
  const cheapest = items.map((options) => Math.min(...options.map(({ cost }) => cost)));
  const floor = cheapest.reduce((sum, cost) => sum + cost, 0);
  if (!(floor <= budget)) return null;
  const room = budget - floor;
  const stepsOf = (cost: number, least: number): number =>
    cost === least ? 0 : room === 0 ? STEPS + 1 : Math.ceil(((cost - least) / room) * STEPS);
  // best[s]: least loss of the items so far for s steps beyond the cheapest choice of each.
  let best = new Float64Array(STEPS + 1);
  const chosen: Int32Array[] = [];
  for (const [index, options] of items.entries()) {
    const next = new Float64Array(STEPS + 1).fill(Number.POSITIVE_INFINITY);
    const choice = new Int32Array(STEPS + 1).fill(-1);
    for (const [option, { cost, loss }] of options.entries()) {
      const steps = stepsOf(cost, cheapest[index] ?? 0);
      for (let at = steps; at <= STEPS; at++) {
        const total = (best[at - steps] ?? Number.POSITIVE_INFINITY) + loss;
        if (total < (next[at] ?? 0)) {
          next[at] = total;
          choice[at] = option;
        }
      }
    }
    chosen.push(choice);
    best = next;
  }
  return walkBack(items, chosen, (index, cost) => stepsOf(cost, cheapest[index] ?? 0));
}

function walkBack(
  items: readonly (readonly Option[])[],
  chosen: readonly Int32Array[],
  stepsOf: (index: number, cost: number) => number,
): readonly number[] {
  const picks = new Array<number>(items.length).fill(0);
  let at = STEPS;
  for (let index = items.length - 1; index >= 0; index--) {
    const pick = chosen[index]?.[at] ?? 0;
    picks[index] = pick;
    at -= stepsOf(index, items[index]?.[pick]?.cost ?? 0);
  }
  return picks;
}
