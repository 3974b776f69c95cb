// What the benchmarks of the engine print: medians with their spread, and the machine they come from.

import { arch, cpus, loadavg, platform } from "node:os";
import { quantile } from "../../src/core/index.ts";

/** `1.70 (1.62 to 1.85)`: median and the middle half. */
export function spread(values: readonly number[]): string {
  const sorted = values.toSorted((a, b) => a - b);
  const [low, middle, high] = [0.25, 0.5, 0.75].map((p) => quantile(sorted, p));
  return `${text(middle)} (${text(low)} to ${text(high)})`;
}

const text = (value: number | undefined): string => Number((value ?? 0).toPrecision(3)).toString();

export const row = (...cells: readonly (string | number)[]): string => `| ${cells.join(" | ")} |`;

export function printTable(head: readonly string[], rows: readonly string[]): void {
  console.log([row(...head), row(...head.map(() => "---")), ...rows, ""].join("\n"));
}

export function printMachine(engine: string): void {
  const processors = cpus();
  console.log(
    `${processors[0]?.model ?? "unknown processor"}, ${processors.length} logical processors, ` +
      `${platform()} ${arch()}, Node ${process.versions.node}, ${engine}, ` +
      `load ${loadavg()[0]?.toFixed(1)} before the start\n`,
  );
}

/** CPU milliseconds of this process, all its threads. */
export function cpuMs(since?: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(since);
  return (user + system) / 1000;
}
