// Which indices of which axes stand or fall together.
//
// Every index of every axis of every value is an element; rules of operators join elements that must be
// kept or removed together (Fang, Ma, Song, Mi & Wang, "DepGraph: towards any structural pruning", CVPR
// 2023, on axes of tensors in place of modules). Joining single elements, not whole axes with affine
// maps, makes every map there is (offsets of Concat, strides of Flatten, blocks of heads) one mechanism.
// Disjoint sets with path halving (Tarjan & van Leeuwen 1984).

/** An axis of a value. */
export type AxisRef = readonly [value: string, axis: number];

/** The elements of an axis are numbered one after the other. */
interface AxisElements {
  readonly value: string;
  readonly axis: number;
  readonly first: number;
  readonly size: number;
}

export interface Coupling {
  /** The elements of an axis of a size above 1; made on first call. */
  elements(ref: AxisRef, size: number): AxisElements;
  /** Elements of an axis that a rule has spoken of; null otherwise. */
  known(ref: AxisRef): AxisElements | null;
  all(): Iterable<AxisElements>;
  join(a: number, b: number): void;
  /** Elements that must be kept, with the reason; the first reason given to a set stays. */
  freeze(element: number, reason: string): void;
  /** The set of an element, by one of its members. */
  setOf(element: number): number;
  frozen(element: number): string | null;
}

export function createCoupling(): Coupling {
  const parents: number[] = [];
  const reasons = new Map<number, string>();
  const axes = new Map<string, AxisElements>();
  const keyOf = ([value, axis]: AxisRef): string => `${axis} ${value}`;

  const setOf = (element: number): number => {
    let at = element;
    for (;;) {
      const parent = parents[at] ?? at;
      if (parent === at) return at;
      const above = parents[parent] ?? parent;
      parents[at] = above;
      at = above;
    }
  };
  return {
    elements(ref, size) {
      const key = keyOf(ref);
      const known = axes.get(key);
      if (known !== undefined) return known;
      const made = { value: ref[0], axis: ref[1], first: parents.length, size };
      for (let i = 0; i < size; i++) parents.push(made.first + i);
      axes.set(key, made);
      return made;
    },
    known: (ref) => axes.get(keyOf(ref)) ?? null,
    all: () => axes.values(),
    join(a, b) {
      const [x, y] = [setOf(a), setOf(b)];
      if (x === y) return;
      // The older set stays, so that sets do not depend on how they came about.
      const [root, other] = x < y ? [x, y] : [y, x];
      parents[other] = root;
      const reason = reasons.get(root) ?? reasons.get(other);
      reasons.delete(other);
      if (reason !== undefined) reasons.set(root, reason);
    },
    freeze(element, reason) {
      const root = setOf(element);
      if (!reasons.has(root)) reasons.set(root, reason);
    },
    setOf,
    frozen: (element) => reasons.get(setOf(element)) ?? null,
  };
}
