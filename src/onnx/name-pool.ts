// Names that are in use in a model under construction, and new ones that people can read.

/** Names in use in a model. */
export class NamePool {
  readonly #taken = new Set<string>();
  readonly #counts = new Map<string, number>();

  /** Takes a name; false when it is in use. */
  take(name: string): boolean {
    if (this.#taken.has(name)) return false;
    this.#taken.add(name);
    return true;
  }

  /** The name, or with the first number that makes it new: `block`, `block2`, `block3`. */
  fresh(wanted: string): string {
    return this.take(wanted) ? wanted : this.#next(wanted, 2);
  }

  /** The name with the first number that makes it new: `conv1`, `conv2`. */
  numbered(wanted: string): string {
    return this.#next(wanted, 1);
  }

  #next(wanted: string, first: number): string {
    let count = this.#counts.get(wanted) ?? first;
    while (!this.take(`${wanted}${count}`)) count++;
    this.#counts.set(wanted, count + 1);
    return `${wanted}${count}`;
  }
}
