// Candidates that no other one beats in everything.

/** What candidates are compared in: less is better of each. */
export interface Criteria {
  readonly drop: number;
  /** CPU seconds a sample, the proxy of energy. */
  readonly cpu: number;
  /** Seconds a run. */
  readonly latency: number;
  readonly bytes: number;
}

const KEYS = ["drop", "cpu", "latency", "bytes"] as const;

/** Whether `a` is as good as `b` in everything and better in something. */
export function dominates(a: Criteria, b: Criteria, keys: readonly (keyof Criteria)[] = KEYS) {
  return keys.every((key) => a[key] <= b[key]) && keys.some((key) => a[key] < b[key]);
}

/** The non-dominated ones, in their order. */
export function paretoFront<T>(
  all: readonly T[],
  criteriaOf: (one: T) => Criteria,
  keys: readonly (keyof Criteria)[] = KEYS,
): readonly T[] {
  return all.filter(
    (one) => !all.some((other) => dominates(criteriaOf(other), criteriaOf(one), keys)),
  );
}
