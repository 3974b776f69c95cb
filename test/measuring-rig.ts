// The library's verbs on a made-up machine whose clock moves only when told.

import { exact } from "../src/core/index.ts";
import { createMeasurer, type Measurer } from "../src/measure/run/index.ts";
import { createFakeHost, type FakeHost } from "./fake-host.ts";
import { providerOf, simulate } from "./fake-sensors.ts";
import { NO_SUPPLY, SIGNAL } from "./run-records.ts";

/** The verbs on a machine that draws 50 W and whose only work is this process's. */
export function measuringRig(): Measurer & {
  host: FakeHost;
  pass: (seconds: number) => Promise<void>;
} {
  const seconds = (): number => Number(host.monotonic()) / 1e9;
  const host: FakeHost = createFakeHost({
    files: { "/proc/stat": () => `cpu  ${Math.round(800 * seconds())} 0 0 0 0 0 0 0 0 0\n` },
    ownUsage: () => ({ cpuS: 8 * seconds(), rssBytes: 1e9 }),
  });
  const measurer = createMeasurer(() => ({
    host,
    providers: [providerOf(simulate(host, { energy: (t) => 50 * t }))],
    signal: SIGNAL,
    wall: NO_SUPPLY,
    pue: exact("1", 1, { method: "declared", source: "a test" }),
  }));
  return { ...measurer, host, pass: (time) => host.elapse(time * 1000) };
}
