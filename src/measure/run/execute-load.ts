// Keeps a share of the machine's processors busy, for a calibration: one worker thread for each. As
// programs do, it fills whole processors and only the last one in part, by working some of every
// tenth of a second.

import { Worker, workerData } from "node:worker_threads";
import { reasonOf, UserError } from "../../core/index.ts";
import type { LoadGenerator } from "../calibrate/index.ts";

/** What a worker is given: thousandths of its time to be busy, by worker; below zero ends it. */
interface Orders {
  readonly thousandths: Int32Array;
  readonly place: number;
}

/** Milliseconds of work and rest together. */
const PERIOD_MS = 100;
const END = -1;

/** A generator of load on so many logical processors. Nothing is busy before the first `set`. */
export function createLoadGenerator(processors: number): LoadGenerator {
  const thousandths = new Int32Array(new SharedArrayBuffer(4 * processors));
  const script = `import(${JSON.stringify(import.meta.url)}).then((module) => module.spin())`;
  let workers: readonly Worker[] = [];
  let fault: unknown = null;

  const order = (of: (place: number) => number): void => {
    for (let place = 0; place < processors; place++) {
      Atomics.store(thousandths, place, of(place));
      Atomics.notify(thousandths, place);
    }
  };
  const start = (place: number): Worker => {
    const orders: Orders = { thousandths, place };
    const worker = new Worker(script, { eval: true, workerData: orders });
    worker.on("error", (error) => {
      fault ??= error;
    });
    return worker;
  };

  return {
    async set(share) {
      if (workers.length === 0) workers = Array.from({ length: processors }, (_, i) => start(i));
      order((place) => Math.round(1000 * Math.min(Math.max(share * processors - place, 0), 1)));
      if (fault === null) return;
      throw new UserError("unsupported", `no load can be made: ${reasonOf(fault)}`, {
        hint: "A limit on threads or memory may be in the way; see ulimit -u and ulimit -v.",
        cause: fault,
      });
    },
    async stop() {
      order(() => END);
      await Promise.all(workers.map((worker) => worker.terminate()));
      workers = [];
    },
  };
}

/** A worker's whole life. */
export function spin(): void {
  const { thousandths, place } = workerData as Orders;
  const numbers = new Float64Array(NUMBERS).fill(1);
  for (;;) {
    const part = Atomics.load(thousandths, place);
    if (part === END) return;
    if (part === 0) {
      Atomics.wait(thousandths, place, 0);
      continue;
    }
    const begin = performance.now();
    while (performance.now() < begin + (PERIOD_MS * part) / 1000) work(numbers);
    const rest = begin + PERIOD_MS - performance.now();
    if (rest > 0 && part < 1000) Atomics.wait(thousandths, place, part, rest);
  }
}

/** 32 KiB, the first-level cache of most processors. */
const NUMBERS = 4096;

/** Some microseconds of multiplications, additions and memory traffic; the values stay finite. */
function work(numbers: Float64Array): void {
  for (let i = 1; i < numbers.length; i++) {
    numbers[i] = 0.5 * (numbers[i] ?? 0) + 0.25 * (numbers[i - 1] ?? 0) + 0.25;
  }
}
