// Records the workloads of workloads.ts as `godwit run --epoch-pattern` sees them, seconds and joules
// per epoch, and writes recorded.json: `node bench/predict/record.ts`. About six minutes;
// `biome check --write bench/predict` lays the file out. Repeats
// go round all workloads, so that what else happens on the machine spreads over them. The last epoch
// is left out: it holds the end of the process, which is long beside an epoch so short.

import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseCard, type Span } from "../../src/core/card.ts";
import { createRandom, type Figure } from "../../src/core/index.ts";
import { RECORDED_FILE, type Recorded, type RecordedRun } from "./recorded.ts";
import { WORKLOADS } from "./workloads.ts";

const REPEATS = 4;
const EPOCHS = { fewest: 28, draw: 25 };
/** When the neighbour of `training beside a late neighbour` starts, seconds after the run. */
const NEIGHBOUR = { earliest: 3, draw: 4 };

const program = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));
const script = fileURLToPath(new URL("workloads.ts", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "godwit-record-"));
const random = createRandom(1);

/** Processes that keep every processor busy, from so many seconds on. */
async function neighbours(after: number, signal: AbortSignal): Promise<void> {
  await delay(after * 1000, undefined, { signal });
  for (let i = 0; i < availableParallelism(); i++) {
    spawn(process.execPath, ["--eval", "for (;;);"], { stdio: "ignore", signal }).on(
      "error",
      () => {}, // Aborted: the run is over.
    );
  }
}

const exitOf = (child: ChildProcess): Promise<number | null> =>
  new Promise((resolve) => child.once("exit", resolve));

async function recordRun(workload: string, seed: number) {
  const epochs = EPOCHS.fewest + random.integer(EPOCHS.draw);
  const json = join(folder, "card.json");
  const over = new AbortController();
  if (workload.includes("neighbour")) {
    const after = NEIGHBOUR.earliest + NEIGHBOUR.draw * random.uniform();
    neighbours(after, over.signal).catch(() => {});
  }
  const command = [process.execPath, script, workload, String(seed), String(epochs + 1)];
  const child = spawn(
    process.execPath,
    [
      ...[program, "run", "--quiet", "--ledger", join(folder, "ledger"), "--location", "DE"],
      ...["--epoch-pattern", "Epoch (\\d+)", "--json", json, "--", ...command],
    ],
    { stdio: ["ignore", "ignore", "inherit"] },
  );
  const exit = await exitOf(child);
  over.abort();
  if (exit !== 0) throw new Error(`${workload} exited ${exit}`);
  const card = parseCard(JSON.parse(readFileSync(json, "utf8")));
  const spans = card.spans.filter(({ name }) => name.startsWith("epoch ")).slice(0, -1);
  if (spans.length !== epochs) throw new Error(`${workload}: ${spans.length} of ${epochs} epochs`);
  const run: RecordedRun = {
    workload,
    seed,
    energyMethod: energyOf(spans[0]).method,
    seconds: spans.map(({ startS, endS }) => rounded(endS - startS)),
    joules: spans.map((span) => rounded(energyOf(span).value)),
  };
  return { run, card };
}

function energyOf(span: Span | undefined): Figure<"J"> {
  if (span?.energy === undefined) throw new Error(`no energy of ${span?.name ?? "the run"}`);
  return span.energy;
}

const rounded = (value: number): number => Number(value.toPrecision(4));

const began = performance.now();
const runs: RecordedRun[] = [];
let facts: Omit<Recorded, "runs"> | null = null;
for (let seed = 1; seed <= REPEATS; seed++) {
  for (const workload of Object.keys(WORKLOADS)) {
    const { run, card } = await recordRun(workload, seed);
    runs.push(run);
    console.log(`${workload} ${seed}: ${run.seconds.length} epochs`);
    const { platform, arch, cpu, memoryBytes, virtualization } = card.machine;
    facts ??= {
      note: "The machine was shared: other work came and went on its processors while this was recorded.",
      recorded: card.startedAt.slice(0, 10),
      machine: {
        ...{ platform, arch, cpu: cpu.name, threads: cpu.threads, memoryBytes },
        virtualization: virtualization ?? "none",
      },
      versions: { godwit: card.godwit.version, ...versions() },
    };
  }
}
rmSync(folder, { recursive: true, force: true });
if (facts === null) throw new Error("nothing was recorded");
writeFileSync(RECORDED_FILE, `${JSON.stringify({ ...facts, runs } satisfies Recorded)}\n`);
console.log(`${runs.length} runs in ${((performance.now() - began) / 1000).toFixed(0)} s`);

function versions(): Record<string, string> {
  const file = new URL("../../node_modules/onnxruntime-node/package.json", import.meta.url);
  const { version } = JSON.parse(readFileSync(file, "utf8")) as { readonly version: string };
  return { node: process.version, "onnxruntime-node": version };
}
