// Names that a graph can see: its own and those of the graphs around it.

/** The values of one graph while its nodes are gone through in order. */
export interface Scope {
  readonly parent: Scope | null;
  /** Values that exist so far. */
  readonly values: Set<string>;
  /** Values that nodes still to come make, with the index of the node. */
  readonly later: ReadonlyMap<string, number>;
  /** Types of values as texts, as far as they are known. */
  readonly types: Map<string, string>;
}

/** Whether a value exists already, here or in an enclosing graph. */
export function isVisible(scope: Scope | null, value: string): boolean {
  for (let at = scope; at !== null; at = at.parent) if (at.values.has(value)) return true;
  return false;
}

/** Index of the node of this or an enclosing graph that makes the value later; null when none does. */
export function madeLater(scope: Scope | null, value: string): number | null {
  for (let at = scope; at !== null; at = at.parent) {
    const index = at.later.get(value);
    if (index !== undefined) return index;
  }
  return null;
}

/** The known type of a value; null when it is not known. */
export function typeIn(scope: Scope | null, value: string): string | null {
  for (let at = scope; at !== null; at = at.parent) {
    const type = at.types.get(value);
    if (type !== undefined) return type;
    // A value of this graph hides those of its name further out, known type or not.
    if (at.values.has(value)) return null;
  }
  return null;
}
