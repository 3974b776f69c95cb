// A service that is asked for one small inference 20 times a second: what waiting threads cost.

import { setTimeout as sleep } from "node:timers/promises";
import { median } from "../../src/core/index.ts";
import { createSession } from "../../src/engine/index.ts";
import { feedForward } from "./feed-forward.ts";
import { cpuMs, printTable, row, spread } from "./figures.ts";

const CALLS = 40;
const PAUSE_MS = 50;
const REPEATS = 5;

/** Spinning and not, interleaved. */
export async function benchSpinning(): Promise<void> {
  const model = feedForward(1);
  const variants = [true, false].map((spinning) => ({
    spinning,
    cpu: [] as number[],
    latency: [] as number[],
  }));
  for (let repeat = 0; repeat < REPEATS; repeat++) {
    for (const { spinning, cpu, latency } of variants) {
      await using session = await createSession(model, { threads: 2, spinning });
      const x = new Float32Array(768).fill(0.5);
      for (let call = 0; call < 5; call++) await session.run({ x });
      const used = process.cpuUsage();
      const times: number[] = [];
      for (let call = 0; call < CALLS; call++) {
        const start = performance.now();
        await session.run({ x });
        times.push(performance.now() - start);
        await sleep(PAUSE_MS);
      }
      cpu.push(cpuMs(used) / CALLS);
      latency.push(median(times));
    }
  }
  console.log(
    `Two layers 768-3072-768, batch 1, float32, 2 threads, a call every ${PAUSE_MS} ms; ` +
      `${REPEATS} x ${CALLS} calls, median (middle half)\n`,
  );
  printTable(
    ["threads between calls", "CPU ms per call", "latency ms"],
    variants.map(({ spinning, cpu, latency }) =>
      row(
        spinning ? "spin (ONNX Runtime's default)" : "sleep (godwit's default)",
        spread(cpu),
        spread(latency),
      ),
    ),
  );
}
