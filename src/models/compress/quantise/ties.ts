// Values that share one grid: what only moves elements keeps their grid, and what is joined from parts
// needs no conversion where the parts have one.

import type { Range } from "./grid.ts";
import type { Member } from "./placement.ts";

/** The ranges with those of tied values united. */
export function tieRanges(
  members: Iterable<Member>,
  observed: ReadonlyMap<string, Range>,
): ReadonlyMap<string, Range> {
  const groups = new Groups();
  for (const { node, kind, inputs, result, quantisesResult } of members) {
    if (!quantisesResult) continue;
    if (kind === "passing") groups.unite([...inputs, result]);
    // A grid that must reach below zero for another part would keep a Relu from being dropped.
    const parts = [...inputs, result];
    if (node.opType === "Concat" && sameSide(parts, observed)) groups.unite(parts);
  }
  const united = new Map<string, Range>();
  for (const [name, range] of observed) {
    const group = groups.find(name);
    const before = united.get(group);
    united.set(group, before === undefined ? range : union(before, range));
  }
  return new Map(
    [...observed.keys()].map((name) => [name, united.get(groups.find(name))]) as [string, Range][],
  );
}

/** Keys of weighted members that hang together by values in 8 bits. */
export function islandsOf(members: Iterable<Member>): readonly (readonly string[])[] {
  const all = [...members];
  const groups = new Groups();
  const made = new Set(all.flatMap((of) => (of.quantisesResult ? [of.result] : [])));
  for (const { key, result, inputs, quantisesResult } of all) {
    groups.unite([`node ${key}`, ...inputs.filter((input) => made.has(input))]);
    if (quantisesResult) groups.unite([`node ${key}`, result]);
  }
  const islands = new Map<string, string[]>();
  for (const { key, kind } of all) {
    if (kind !== "weighted") continue;
    const group = groups.find(`node ${key}`);
    islands.set(group, [...(islands.get(group) ?? []), key]);
  }
  return [...islands.values()];
}

const union = (a: Range, b: Range): Range => ({
  min: Math.min(a.min, b.min),
  max: Math.max(a.max, b.max),
});

/** Whether either all of the values are never negative, or none is so. */
function sameSide(names: readonly string[], observed: ReadonlyMap<string, Range>): boolean {
  const sides = new Set(names.map((name) => (observed.get(name)?.min ?? 0) >= 0));
  return sides.size === 1;
}

/** Disjoint sets of names (Tarjan 1975, with path halving). */
class Groups {
  readonly #parents = new Map<string, string>();

  find(name: string): string {
    let at = name;
    for (let parent = this.#parents.get(at); parent !== undefined; parent = this.#parents.get(at)) {
      const grandparent = this.#parents.get(parent);
      if (grandparent !== undefined) this.#parents.set(at, grandparent);
      at = parent;
    }
    return at;
  }

  unite(names: readonly string[]): void {
    const [first, ...others] = names;
    if (first === undefined) return;
    for (const other of others) {
      const [a, b] = [this.find(first), this.find(other)];
      if (a !== b) this.#parents.set(b, a);
    }
  }
}
