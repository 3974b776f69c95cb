// What handing a job to Slurm through godwit costs beside plain sbatch, on a real cluster of this machine
// (test/support/slurm-cluster.ts: four slurmd, accounting), interleaved. Needs root and Debian's packages.
//
//   npm run build && node bench/schedule/slurm.ts [rounds]
//
// Four ways, in turn, each round: `sbatch` as a process; the engine's submit in a process that runs (a store
// write before and after, sbatch held, release); `godwit submit --engine slurm` as a process of its own, from
// the built package; Node alone. Processor time is that of a process and those that it waits for, by GNU time
// where that is installed: unlike the clock it is about the same on a busy machine.

import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { mean, median, quantile } from "../../src/core/index.ts";
import { missingSlurm, startSlurm } from "../../test/support/slurm-cluster.ts";
import { cleanAt, createJobRig } from "../../test/support/slurm-jobs.ts";

const TIME = "/usr/bin/time";
const ROUNDS = Number(process.argv[2] ?? 30);
const BUILT = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));

if (missingSlurm !== null) {
  console.log(missingSlurm);
  process.exit(1);
}
const cluster = await startSlurm();
try {
  const rig = await createJobRig(cluster);
  const home = mkdtempSync(join(tmpdir(), "godwit-slurm-bench-"));
  writeFileSync(join(cluster.work, "job.sh"), "#!/bin/sh\n", { mode: 0o755 });
  const minute = Math.floor(Date.now() / 60_000) * 60_000;
  const rows = Array.from({ length: 24 }, (_, hour) => {
    const at = new Date(minute + (hour - 1) * 3_600_000).toISOString();
    return `${at},${hour === 12 ? 50 : 400}`;
  });
  writeFileSync(join(cluster.work, "f.csv"), ["start,gco2e_per_kwh", ...rows, ""].join("\n"));
  const env = { ...cluster.env, HOME: home };
  const sbatch = ["--parsable", "--time=1", "--begin=now+8hours", "job.sh"];
  const submit = [
    ...["submit", "--engine", "slurm", "--deadline", "+20h", "--duration", "1h", "--power", "1kW"],
    ...["--signal", "f.csv", "--zone", "DE", "--kind", "average", "--basis", "location"],
    ...["--ledger", join(home, ".godwit"), "--", "--time=1", "job.sh"],
  ];
  const timed = join(home, "time");
  /** Runs a program; gives back the processor seconds that it took, NaN without GNU time. */
  const run = (file: string, args: readonly string[]): number => {
    const measured = existsSync(TIME) ? [TIME, "-o", timed, "-f", "%U %S", file] : [file];
    const [program = "", ...words] = measured;
    const options = { env, cwd: cluster.work, encoding: "utf8" } as const;
    const { status, stderr } = spawnSync(program, [...words, ...args], options);
    if (status !== 0) throw new Error(stderr);
    if (program !== TIME) return Number.NaN;
    const [user, system] = readFileSync(timed, "utf8").trim().split(" ").map(Number);
    return (user ?? Number.NaN) + (system ?? Number.NaN);
  };
  const ways: readonly (readonly [string, () => Promise<number>])[] = [
    ["sbatch", async () => run("sbatch", sbatch)],
    [
      "engine.submit in a running process",
      async () => {
        await rig.engine.submit(await rig.add("true", { forecast: cleanAt(600, 2) }));
        return Number.NaN;
      },
    ],
    ["godwit submit as a process", async () => run(process.execPath, [BUILT, ...submit])],
    ["node that does nothing", async () => run(process.execPath, ["-e", ""])],
  ];
  const times = new Map(ways.map(([name]) => [name, [] as number[]]));
  const processor = new Map(ways.map(([name]) => [name, [] as number[]]));
  for (let round = -2; round < ROUNDS; round++)
    for (const [name, once] of ways) {
      const started = performance.now();
      const seconds = await once();
      if (round < 0) continue;
      times.get(name)?.push(performance.now() - started);
      processor.get(name)?.push(1000 * seconds);
    }
  console.log(
    `${cpus()[0]?.model}, ${cpus().length} processors, load ${loadavg()[0]?.toFixed(1)}, node ${process.version}, ${ROUNDS} rounds`,
  );
  const plain = median(times.get("sbatch") ?? []);
  for (const [name, all] of times) {
    const sorted = all.toSorted((a, b) => a - b);
    const [low, high] = [quantile(sorted, 0.1), quantile(sorted, 0.9)];
    const over = median(sorted) - plain;
    const cpu = mean(processor.get(name) ?? []);
    console.log(
      `  ${name.padEnd(36)} ${median(sorted).toFixed(0)} ms (10 to 90 %: ${low.toFixed(0)} to ${high.toFixed(0)}), ` +
        `${over.toFixed(0)} ms over sbatch${Number.isNaN(cpu) ? "" : `; processor ${cpu.toFixed(0)} ms`}`,
    );
  }
  rig.close();
  rmSync(home, { recursive: true, force: true });
} finally {
  await cluster.stop();
}
