// CPU time and memory of a process tree, from one snapshot of the process table after another.
//
// A process that ends and is waited for hands its CPU time to its parent's `reaped` count, so the
// sum over a tree does not lose it. What ends without being waited for (its parent ignores SIGCHLD,
// or it was a daemon) would vanish; it is noticed, because the parent's count did not grow by what
// was last seen of it, and is kept as lost. The total never falls. See docs/methods/cpu-time.md.

/** One process of a snapshot. CPU times in seconds since the process began. */
export interface ProcessRow {
  readonly pid: number;
  readonly parent: number;
  /** Tells a reused pid apart; any unit. */
  readonly start: string;
  readonly cpu: number;
  /** CPU time of children that it has waited for, and theirs; 0 where the platform does not tell. */
  readonly reaped: number;
  readonly rssBytes: number;
  /** It has ended and was not waited for yet; its times still stand. */
  readonly ended?: true;
}

interface TreeTotals {
  readonly cpuSeconds: number;
  readonly rssBytes: number;
  /** Processes of the tree that are alive. */
  readonly pids: readonly number[];
}

/** Follows one command's tree. */
export interface TreeCounter {
  /**
   * Takes a snapshot of, at least, all processes of the tree. `reapedByUs` is the CPU time of the
   * children of the command's own parent (this process) that it has waited for.
   */
  update(rows: Iterable<ProcessRow>, reapedByUs: number): TreeTotals;
  /** Whether a process is, as far as was ever seen, of the tree. */
  has(pid: number): boolean;
}

/** Counts the tree below the process `root`, which is a child of this process. */
export function createTreeCounter(root: number): TreeCounter {
  let members = new Map<number, ProcessRow>();
  let reapedBefore = 0;
  let lost = 0;
  let highest = 0;

  return {
    update(rows, reapedByUs) {
      const now = descendants(rows, root, members);
      lost += unaccounted(members, now, { root, reapedByUs: reapedByUs - reapedBefore });
      members = now;
      reapedBefore = reapedByUs;

      let seconds = reapedByUs + lost;
      let rssBytes = 0;
      for (const row of now.values()) {
        seconds += row.cpu + row.reaped;
        rssBytes += row.rssBytes;
      }
      highest = Math.max(highest, seconds);
      return { cpuSeconds: highest, rssBytes, pids: [...members.keys()] };
    },
    has: (pid) => members.has(pid),
  };
}

/** Processes below `root`, and those that were seen there before and have another parent by now. */
function descendants(
  rows: Iterable<ProcessRow>,
  root: number,
  before: ReadonlyMap<number, ProcessRow>,
): Map<number, ProcessRow> {
  const children = new Map<number, ProcessRow[]>();
  const queue: ProcessRow[] = [];
  for (const row of rows) {
    if (row.pid === root || before.get(row.pid)?.start === row.start) queue.push(row);
    const siblings = children.get(row.parent);
    if (siblings === undefined) children.set(row.parent, [row]);
    else siblings.push(row);
  }
  const found = new Map<number, ProcessRow>();
  for (let row = queue.pop(); row !== undefined; row = queue.pop()) {
    if (found.has(row.pid)) continue;
    found.set(row.pid, row);
    queue.push(...(children.get(row.pid) ?? []));
  }
  return found;
}

/** CPU seconds last seen of processes that ended and that no survivor has taken over. */
function unaccounted(
  before: ReadonlyMap<number, ProcessRow>,
  now: ReadonlyMap<number, ProcessRow>,
  us: { readonly root: number; readonly reapedByUs: number },
): number {
  const isGone = (row: ProcessRow): boolean => now.get(row.pid)?.start !== row.start;
  /** Nearest ancestor that lives on: its pid, "us", or null for what had been orphaned. */
  const heirOf = (row: ProcessRow): number | "us" | null => {
    if (row.pid === us.root) return "us";
    const parent = before.get(row.parent);
    if (parent === undefined) return null;
    return isGone(parent) ? heirOf(parent) : parent.pid;
  };
  const expected = new Map<number | "us" | null, number>();
  for (const row of before.values()) {
    if (!isGone(row)) continue;
    const heir = heirOf(row);
    expected.set(heir, (expected.get(heir) ?? 0) + row.cpu + row.reaped);
  }
  let lost = 0;
  for (const [heir, seconds] of expected) {
    lost += Math.max(0, seconds - inheritedBy(heir, { before, now, reapedByUs: us.reapedByUs }));
  }
  return lost;
}

function inheritedBy(
  heir: number | "us" | null,
  seen: {
    readonly before: ReadonlyMap<number, ProcessRow>;
    readonly now: ReadonlyMap<number, ProcessRow>;
    readonly reapedByUs: number;
  },
): number {
  if (heir === null) return 0;
  if (heir === "us") return seen.reapedByUs;
  return (seen.now.get(heir)?.reaped ?? 0) - (seen.before.get(heir)?.reaped ?? 0);
}
