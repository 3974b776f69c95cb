// While a measured command runs, godwit samples a few times a second and otherwise waits beside it. It
// should not take memory from what it measures, and it needs no compiler for that: bytecode will do.

import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** V8's compilers; their code alone is 8 MB of resident pages once they have run. */
const COMPILERS = ["opt", "maglev", "sparkplug"] as const;

/** Once the command runs this long it is worth 20 ms of CPU time to be small. */
const SETTLE_MS = 1_000;

/**
 * Starts small: no compilers, and a young generation that stays at its first megabyte. No incremental
 * marking: by it V8 would collect the resting heap again and again, on four threads besides, at three
 * times the cost of the samples.
 */
export function startSmall(): void {
  setFlagsFromString("--semi-space-growth-factor=1");
  setFlagsFromString("--no-incremental-marking");
  for (const compiler of COMPILERS) setFlagsFromString(`--no-${compiler}`);
}

/** Gives back what the start left behind, unless the returned function is called before. */
export function settle(): () => void {
  const timer = setTimeout(collect, SETTLE_MS);
  timer.unref();
  return () => clearTimeout(timer);
}

/** `last-resort` also drops the bytecode of functions that have not run lately. */
function collect(): void {
  setFlagsFromString("--expose-gc");
  const gc = runInNewContext("gc") as (options: object) => void;
  gc({ type: "major", execution: "sync", flavor: "last-resort" });
}
