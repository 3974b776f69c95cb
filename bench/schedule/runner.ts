// What the local runner itself costs: CPU time of an agent that has nothing to do but wait, and the time that
// submitting a job takes, both from the built package. Run: npm run build && node bench/schedule/runner.ts [MINUTES]

import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { median } from "../../src/core/index.ts";

const MAIN = join(import.meta.dirname, "../../dist/cli/main.js");
const minutes = Number(process.argv[2] ?? 1);
const folder = mkdtempSync(join(tmpdir(), "godwit-bench-"));
mkdirSync(join(folder, ".godwit"));
const env = { ...process.env, GODWIT_LOCATION: "DE" };

const hour = Math.floor(Date.now() / 3.6e6) * 3600;
const utc = (moment: number): string => new Date(moment * 1000).toISOString();
writeFileSync(
  join(folder, "forecast.json"),
  JSON.stringify({
    ...{ schema: "godwit.signal/1", zone: "DE", kind: "average", basis: "location" },
    ...{ issued_at: utc(hour), start: utc(hour), step_s: 3600, source: "a benchmark" },
    values_gco2e_per_kwh: Array.from({ length: 72 }, (_, at) => (at === 40 ? 100 : 400)),
  }),
);

const godwit = (...args: string[]) =>
  spawnSync(process.execPath, [MAIN, ...args], { cwd: folder, env });

/** Of all its threads, by the kernel's scheduler (Documentation/scheduler/sched-stats.rst), ns. */
function cpuSeconds(pid: number): number {
  const folder = `/proc/${pid}/task`;
  return readdirSync(folder).reduce(
    (sum, thread) =>
      sum + Number(readFileSync(`${folder}/${thread}/schedstat`, "utf8").split(" ")[0]) / 1e9,
    0,
  );
}

/** Milliseconds that one command line takes. */
function timed(...args: string[]): number {
  const start = performance.now();
  const { status, stderr } = godwit(...args);
  if (status !== 0) throw new Error(stderr.toString());
  return performance.now() - start;
}

const JOB = [
  ...["submit", "--deadline", "+60h", "--duration", "1h", "--power", "100W", "--error", "0"],
  ...["--signal", "forecast.json", "--", "true"],
];

try {
  const waits = Array.from({ length: 9 }, () => timed("--version"));
  const submits = Array.from({ length: 9 }, () => timed(...JOB));
  console.log(`${cpus()[0]?.model}, Node ${process.version}`);
  console.log(`start of the program alone: median ${median(waits).toFixed(0)} ms of 9`);
  console.log(
    `submit of a job: median ${median(submits).toFixed(0)} ms of 9 ` +
      `(${Math.min(...submits).toFixed(0)} to ${Math.max(...submits).toFixed(0)}), its start included`,
  );
  const agent = spawn(process.execPath, [MAIN, "agent", "--quiet"], {
    cwd: folder,
    env,
    stdio: "ignore",
  });
  const pid = agent.pid ?? 0;
  await delay(8000);
  const before = cpuSeconds(pid);
  await delay(minutes * 60_000);
  const used = cpuSeconds(pid) - before;
  const share = (100 * used) / (minutes * 60);
  const memory = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  console.log(
    `agent with 9 waiting jobs: ${used.toFixed(2)} s of CPU in ${minutes} min, ${share.toFixed(3)} % of a core; ` +
      `${(Number(memory) / 1024).toFixed(0)} MiB resident`,
  );
  agent.kill();
} finally {
  rmSync(folder, { recursive: true, force: true });
}
