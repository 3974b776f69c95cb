// Selection of NSGA-II (Deb, Pratap, Agarwal & Meyarivan, A fast and elitist multiobjective genetic algorithm,
// IEEE Trans. Evol. Comput. 6, 2002): fronts one behind the other, and within a front those that stand alone.

/** What is compared: less is better of each objective. */
export interface Point {
  readonly objectives: readonly number[];
  /** How far it is beyond what is allowed; 0 for what is allowed, which goes before all that is not. */
  readonly violation: number;
}

/** Whether `a` beats `b`, constraints first (section VI). */
export function beats(a: Point, b: Point): boolean {
  if (a.violation !== b.violation) return a.violation < b.violation;
  const isNowhereWorse = a.objectives.every((value, at) => value <= (b.objectives[at] as number));
  return isNowhereWorse && a.objectives.some((value, at) => value < (b.objectives[at] as number));
}

/** Places of the points in fronts: the first is beaten by none, the next only by the first, and so on (III-A). */
export function fastNonDominatedSort(points: readonly Point[]): readonly (readonly number[])[] {
  const beaten = points.map((point) =>
    points.flatMap((other, at) => (beats(point, other) ? [at] : [])),
  );
  const beatenBy = points.map((point) => points.filter((other) => beats(other, point)).length);
  const fronts: (readonly number[])[] = [];
  let front = points.flatMap((_, at) => (beatenBy[at] === 0 ? [at] : []));
  while (front.length > 0) {
    fronts.push(front);
    const next: number[] = [];
    for (const other of front.flatMap((at) => beaten[at] ?? [])) {
      const left = (beatenBy[other] ?? 0) - 1;
      beatenBy[other] = left;
      if (left === 0) next.push(other);
    }
    front = next.sort((a, b) => a - b);
  }
  return fronts;
}

/**
 * How alone each point of a front stands: the sum over objectives of the distance between its two neighbours,
 * as a share of the front's range; infinite for those at an end (III-B).
 */
export function crowdingDistance(front: readonly Point[]): readonly number[] {
  const distances = front.map(() => 0);
  const [first] = front;
  for (const [objective] of (first?.objectives ?? []).entries()) {
    const value = (at: number | undefined): number => front[at ?? 0]?.objectives[objective] ?? 0;
    const order = front.map((_, at) => at).sort((a, b) => value(a) - value(b));
    const [low, high] = [value(order[0]), value(order.at(-1))];
    for (const [place, at] of order.entries()) {
      const isEnd = place === 0 || place === order.length - 1;
      const gap = value(order[place + 1]) - value(order[place - 1]);
      if (isEnd) distances[at] = Number.POSITIVE_INFINITY;
      else if (high > low) distances[at] = (distances[at] ?? 0) + gap / (high - low);
    }
  }
  return distances;
}

/** Places of the best points, best first: by front, within a front those that stand most alone. */
export function selectBest(points: readonly Point[], count: number): readonly number[] {
  const ordered = fastNonDominatedSort(points).flatMap((front) => {
    const distances = crowdingDistance(front.map((at) => points[at] as Point));
    return front
      .map((at, place) => ({ at, distance: distances[place] ?? 0 }))
      .sort((a, b) => (a.distance === b.distance ? a.at - b.at : b.distance - a.distance))
      .map(({ at }) => at);
  });
  return ordered.slice(0, count);
}
