// How many configurations get how much: successive halving (Jamieson & Talwalkar 2016) and the brackets of
// Hyperband (Li et al., JMLR 18, 2018, Algorithm 1).

/** A rung: so many configurations, each with so much of the resource in all. */
export interface Rung {
  readonly configurations: number;
  readonly resource: number;
}

/** Rungs of one bracket, cheapest first. */
export type Bracket = readonly Rung[];

/** From `count` configurations with `least` each: a 1/eta of them goes on with eta times as much. */
export function successiveHalving(count: number, least: number, most: number, eta = 3): Bracket {
  const rungs: Rung[] = [];
  for (let step = 0; ; step++) {
    const configurations = Math.floor(count / eta ** step);
    const resource = least * eta ** step;
    if (configurations < 1 || resource > most * (1 + 1e-9)) return rungs;
    rungs.push({ configurations, resource });
  }
}

/**
 * All brackets, the most daring first: s_max = floor(log_eta R), n = ceil((s_max + 1) eta^s / (s + 1)), r = R
 * eta^-s, rungs of floor(n eta^-i) configurations with r eta^i.
 */
export function hyperbandBrackets(most: number, eta = 3, least = 1): readonly Bracket[] {
  let highest = 0;
  while (least * eta ** (highest + 1) <= most * (1 + 1e-9)) highest++;
  return Array.from({ length: highest + 1 }, (_, at) => {
    const s = highest - at;
    const count = Math.ceil(((highest + 1) * eta ** s) / (s + 1) - 1e-9);
    return Array.from({ length: s + 1 }, (_, rung) => ({
      configurations: Math.floor(count / eta ** rung),
      resource: most / eta ** (s - rung),
    }));
  });
}
