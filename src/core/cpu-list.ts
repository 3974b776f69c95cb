// The kernel's way to write a set of processors: `0-3,8,10-11` (cpuset(7), List format).

/** Numbers of a list, ascending. Null when the text is not a list; an empty text is an empty set. */
export function parseCpuList(text: string): readonly number[] | null {
  const numbers = new Set<number>();
  for (const part of text.trim().split(",")) {
    if (part === "") continue;
    const range = /^(\d+)(?:-(\d+))?$/.exec(part.trim());
    if (range === null) return null;
    const first = Number(range[1]);
    const last = Number(range[2] ?? range[1]);
    // Linux knows at most 8,192 processors (CONFIG_NR_CPUS); more is not a list of them.
    if (last < first || last > 65_535) return null;
    for (let number = first; number <= last; number += 1) numbers.add(number);
  }
  return [...numbers].sort((a, b) => a - b);
}
