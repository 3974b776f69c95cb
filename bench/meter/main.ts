// What godwit itself costs: start-up, the sampler at rest, memory, and whether no CPU time of short
// children is lost. Prints a table; each line is a ratio or a difference within this one run.
//
//   npm run build && node bench/meter/main.ts [repeats]

import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { cpus, release, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { mean, median, quantile, standardDeviation } from "../../src/core/index.ts";

const repeats = Number(process.argv[2] ?? 20);
const program = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));
if (!existsSync(program)) throw new Error("build first: npm run build");
const folder = mkdtempSync(join(tmpdir(), "godwit-bench-"));
const godwit = [program, "run", "-q", "--location", "DE", "--ledger", join(folder, "ledger")];

/** Wall seconds of one execution. */
function time(command: string, args: readonly string[]): number {
  const start = process.hrtime.bigint();
  const { status } = spawnSync(command, [...args], { stdio: "ignore" });
  if (status !== 0) throw new Error(`${command} ${args.join(" ")} exited ${status}`);
  return Number(process.hrtime.bigint() - start) / 1e9;
}

/** Median and spread of interleaved executions, so that a busy moment hits all alike. */
function interleaved(commands: Record<string, () => number>): void {
  const times = new Map(Object.keys(commands).map((name) => [name, [] as number[]]));
  for (const run of Object.values(commands)) run();
  for (let repeat = 0; repeat < repeats; repeat++) {
    for (const [name, run] of Object.entries(commands)) times.get(name)?.push(run());
  }
  for (const [name, values] of times) {
    const sorted = [...values].sort((a, b) => a - b);
    const [low, high] = [quantile(sorted, 0.1), quantile(sorted, 0.9)];
    line(name, `${ms(median(values))} ms`, `10 to 90 %: ${ms(low)} to ${ms(high)}, n = ${repeats}`);
  }
}

const ms = (seconds: number): string => (seconds * 1000).toFixed(0);
const line = (...cells: readonly string[]): void => console.log(`| ${cells.join(" | ")} |`);

/** CPU seconds of all threads, of which the scheduler counts nanoseconds (proc(5), schedstat). */
function cpuSeconds(pid: number): number {
  const threads = readdirSync(`/proc/${pid}/task`).map((thread) => {
    const text = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8");
    return Number(text.split(" ")[0]) / 1e9;
  });
  return threads.reduce((sum, seconds) => sum + seconds, 0);
}

function memory(pid: number, field: string): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return (Number(new RegExp(`${field}:\\s+(\\d+) kB`).exec(status)?.[1]) * 1024) / 1e6;
}

/** CPU share and memory of godwit alone while the command sleeps, after it has settled. */
async function atRest(interval: string, seconds: number): Promise<void> {
  const child = spawn(
    process.execPath,
    [...godwit, "--interval", interval, "--", "sleep", String(seconds + 4)],
    { stdio: "ignore" },
  );
  const { pid } = child;
  if (pid === undefined) throw new Error("godwit did not start");
  await delay(2500);
  const before = cpuSeconds(pid);
  await delay(seconds * 1000);
  const share = (cpuSeconds(pid) - before) / seconds;
  const name = `sampler at ${interval}`;
  line(
    name,
    `${(share * 100).toFixed(2)} % of a core`,
    `over ${seconds} s, all threads, by schedstat`,
  );
  const parts = `anonymous ${memory(pid, "RssAnon").toFixed(0)} MB, the rest mapped files; at most ${memory(pid, "VmHWM").toFixed(0)} MB before the command had run a second`;
  line(`memory at ${interval}`, `${memory(pid, "VmRSS").toFixed(0)} MB`, parts);
  await new Promise((resolve) => child.once("exit", resolve));
}

/**
 * CPU time of a thousand short children: godwit's figure over the kernel's own total, which bash's
 * `time` takes from wait4 to the millisecond (the `times` of a shell counts in steps of 10 ms).
 */
function shortChildren(): number {
  const loop = "sh -c 'i=0; while [ $i -lt 1000 ]; do /bin/true; i=$((i+1)); done'";
  const card = join(folder, "card.json");
  const { stderr } = spawnSync(
    process.execPath,
    [...godwit, "--json", card, "--", "bash", "-c", `TIMEFORMAT='%3U %3S'; time ${loop}`],
    { encoding: "utf8" },
  );
  const [user = 0, system = 0] = stderr.trim().split(" ").map(Number);
  const { measures } = JSON.parse(readFileSync(card, "utf8"));
  return measures.cpuTime.value / (user + system);
}

console.log(`godwit bench/meter, node ${process.version}, linux ${release()},`);
console.log(`${cpus()[0]?.model.trim()} x ${cpus().length}, ${new Date().toISOString()}\n`);
line("what", "measured", "how");
line("---", "---", "---");
interleaved({
  "bare node": () => time(process.execPath, ["-e", "0"]),
  "godwit --help": () => time(process.execPath, [program, "--help"]),
  "true, bare": () => time("true", []),
  "true under godwit run": () => time(process.execPath, [...godwit, "--", "true"]),
});
await atRest("1s", 30);
await atRest("100ms", 30);
const ratios = Array.from({ length: 5 }, shortChildren);
const spread = `sd ${standardDeviation(ratios).toFixed(4)}, n = ${ratios.length}, against wait4`;
line("CPU time of 1,000 short children", `${mean(ratios).toFixed(4)} of the kernel's`, spread);
rmSync(folder, { recursive: true });
