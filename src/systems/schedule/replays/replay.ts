// What a replay of a published study is: our code on the study's inputs, each result beside the printed
// one. A replay never adjusts itself to the figure it is compared with.

/** The study's files. Names end without `.gz` whether they are packed or not. */
export interface ReplayFiles {
  /** Text of a file, unpacked. Rejects with UserError when it is absent. */
  text(path: string): Promise<string>;
  /** Names in a folder, without `.gz`. */
  list(folder: string): Promise<readonly string[]>;
}

/** One number beside the published one. */
export interface Check {
  readonly name: string;
  readonly unit: string;
  readonly ours: number;
  /** As printed, or the printed range; null where the study gives none and ours stands alone. */
  readonly published: number | readonly [low: number, high: number] | null;
  /** Largest difference that counts as equal. */
  readonly tolerance: number;
  /** What ours is held against where the printed figure does not follow from the released code. */
  readonly instead?: { readonly value: number; readonly why: string };
}

export interface ReplayReport {
  readonly study: string;
  readonly citation: string;
  readonly checks: readonly Check[];
  /** What a reader must know to judge the numbers. */
  readonly notes: readonly string[];
}

/** A study that can be replayed. */
export interface Replay {
  readonly name: string;
  run(files: ReplayFiles): Promise<ReplayReport>;
}

/** Whether our number equals what it is held against; null where there is nothing to hold it against. */
export function agrees({ ours, published, tolerance, instead }: Check): boolean | null {
  const expected = instead?.value ?? published;
  if (expected === null) return null;
  const [low, high] = typeof expected === "number" ? [expected, expected] : expected;
  // A hair of room for the binary form of decimal tolerances.
  const room = tolerance === 0 ? 0 : tolerance + 1e-9;
  return ours >= low - room && ours <= high + room;
}
