// When to leave: thresholds of confidence that cost least of those whose accuracy is accepted, chosen on
// samples that neither heads nor temperatures have seen.

/** What one head says of each sample. */
export interface HeadAnswers {
  /** Confidence; a sample leaves where it is at least the threshold. */
  readonly confidence: Float64Array;
  /** 1 where the head's class is right, else 0. */
  readonly right: Uint8Array;
}

/** The answers of one head and what they cost. */
export interface HeadRecord extends HeadAnswers {
  /** Cost of a sample that leaves here: everything up to this head, heads included. */
  readonly cost: number;
}

/** The last exit, which takes all that are left. */
export interface LastExit {
  readonly right: Uint8Array;
  readonly cost: number;
}

/** What thresholds do on the samples they were chosen on. */
export interface ExitPlan {
  /** One a head; above 1 for a head that is never used. */
  readonly thresholds: readonly number[];
  /** Share of the samples that leave at each head, and at the end. */
  readonly shares: readonly number[];
  /** Expected cost of a sample: the sum of shares times costs. */
  readonly cost: number;
  readonly accuracy: number;
  /** Samples, and how many of them are answered worse and better than by the last exit. */
  readonly samples: number;
  readonly lost: number;
  readonly won: number;
}

/** No confidence reaches it. */
export const NEVER = 1 + 1e-6;

/** Values of a threshold that are tried: quantiles of the confidences. */
const TRIED = 32;

/** The cheapest thresholds that are accepted; that no sample leaves early is always one. */
export function chooseThresholds(
  heads: readonly HeadRecord[],
  last: LastExit,
  isAccepted: (plan: ExitPlan) => boolean,
): ExitPlan {
  const grids = heads.map(({ confidence }) => gridOf(confidence));
  let best = planOf(
    heads,
    last,
    heads.map(() => NEVER),
  );
  const visit = (chosen: readonly number[]): void => {
    if (chosen.length === heads.length) {
      const plan = planOf(heads, last, chosen);
      const better =
        plan.cost < best.cost || (plan.cost === best.cost && plan.accuracy > best.accuracy);
      if (better && isAccepted(plan)) best = plan;
      return;
    }
    for (const threshold of grids[chosen.length] ?? []) visit([...chosen, threshold]);
  };
  visit([]);
  return best;
}

function gridOf(confidence: Float64Array): readonly number[] {
  const sorted = confidence.toSorted();
  const quantiles = Array.from({ length: TRIED }, (_, i) => {
    return sorted[Math.floor((i * (sorted.length - 1)) / (TRIED - 1))] ?? NEVER;
  });
  return [...new Set([...quantiles, NEVER])];
}

/** What thresholds do. Called for thousands of them, so that its loops are plain. */
function planOf(
  heads: readonly HeadRecord[],
  last: LastExit,
  thresholds: readonly number[],
): ExitPlan {
  const counts = new Array<number>(heads.length + 1).fill(0);
  const size = last.right.length;
  const totals = { right: 0, lost: 0, won: 0 };
  for (let sample = 0; sample < size; sample++) {
    let exit = 0;
    while (exit < heads.length) {
      if ((heads[exit]?.confidence[sample] ?? 0) >= (thresholds[exit] ?? NEVER)) break;
      exit++;
    }
    counts[exit] = (counts[exit] ?? 0) + 1;
    const own = (heads[exit] ?? last).right[sample] ?? 0;
    const whole = last.right[sample] ?? 0;
    totals.right += own;
    if (own < whole) totals.lost++;
    if (own > whole) totals.won++;
  }
  const shares = counts.map((count) => count / size);
  return {
    thresholds,
    shares,
    cost: expectedCost(
      shares,
      [...heads, last].map(({ cost }) => cost),
    ),
    accuracy: totals.right / size,
    ...{ samples: size, lost: totals.lost, won: totals.won },
  };
}

/** Sum of shares times costs (BranchyNet's and every later early exit's energy model). */
export const expectedCost = (shares: readonly number[], costs: readonly number[]): number =>
  shares.reduce((sum, share, exit) => sum + share * (costs[exit] ?? 0), 0);
