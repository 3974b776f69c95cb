// How fast and how good the scheduler's decisions are, on recorded traces and grids.
//
//   GODWIT_DATA=../shared/data node bench/schedule/main.ts
//
// 1. Window decisions a second and the memory they take: every job of the GAIA traces, placed on a year of
//    hourly intensity by the lowest-window policy with a day of waiting.
// 2. One sweep of the EuroSys 2024 study: 123 zones, a 24 h job with 24 h of slack.
// 3. Packing: a week of the PAI trace on few nodes, and how far from the optimum it can be at most.
// 4. What the built-in forecasters catch of perfect foresight's saving, in nine regions.

import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { filesIn } from "../../src/cli/replay.ts";
import {
  type ArrivingJob,
  capacityBound,
  decisionValue,
  duration,
  type Exposure,
  exposureOf,
  fixedDuration,
  forecasters,
  gapOf,
  lowestWindow,
  type Packing,
  pack,
  rollingHorizon,
  signal,
  signalFromCsv,
  type Work,
} from "../../src/systems/schedule/index.ts";
import { globalSavings, readZones } from "../../src/systems/schedule/replays/eurosys24.ts";
import { readTrace } from "../../src/systems/schedule/replays/gaia.ts";

const DATA = process.env["GODWIT_DATA"] ?? "../shared/data";
const HOUR = 3600;
const DAY = 24 * HOUR;
const files = filesIn(DATA);

const cpuSeconds = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};

const zones = await readZones(files);
const germany = zones.find(({ zone }) => zone === "DE");
if (germany === undefined) throw new Error("the traces lack DE");
const year = exposureOf(
  signal({
    ...{ zone: "DE", kind: "average", basis: "location", issuedAt: 0, start: 0, step: HOUR },
    values: germany.hundredths.map((value) => value / 100),
    source: "2022",
  }),
);

/** Decides every job of a trace; arrivals are folded into the year. */
async function decideTrace(name: string, year: Exposure, works: (work: Work) => Work) {
  const { jobs } = readTrace(await files.text(`scheduling/gaia/${name}.csv`), HOUR);
  const longest = 7 * DAY;
  const placed = jobs
    .filter(({ length }) => length > 0)
    .map(({ arrival, length, cpus }): Work => {
      const lengthS = Math.min(length, longest);
      const earliest = arrival % (8760 * HOUR - longest - 2 * DAY);
      return works({
        ...{ earliest, latestStart: earliest + DAY, plannedS: lengthS, watts: cpus },
        duration: fixedDuration(lengthS),
        interruption: null,
      });
    });
  globalThis.gc?.();
  const before = process.memoryUsage().heapUsed;
  const started = cpuSeconds();
  let delayed = 0;
  const ROUNDS = 5;
  for (let round = 0; round < ROUNDS; round++)
    for (const work of placed)
      delayed += (lowestWindow.choose(work, year)[0]?.start ?? work.earliest) - work.earliest;
  const spent = cpuSeconds() - started;
  globalThis.gc?.();
  const kept = (process.memoryUsage().heapUsed - before) / 1e6;
  const decisions = ROUNDS * placed.length;
  console.log(
    `  ${name}: ${decisions} decisions, ${(decisions / spent / 1000).toFixed(0)}k/s of CPU time, ` +
      `mean delay ${(delayed / decisions / HOUR).toFixed(1)} h, ` +
      (globalThis.gc === undefined
        ? "heap not settled (run with --expose-gc)"
        : `heap ${kept.toFixed(1)} MB more`),
  );
}

console.log("window decisions on a year of hourly data");
for (const name of ["pai-100k", "azure-100k"]) {
  await decideTrace(name, year, (work) => work);
  await decideTrace(name, year, (work) => ({
    ...work,
    duration: duration([
      { p: 0.05, seconds: work.plannedS / 2 },
      { p: 0.5, seconds: work.plannedS * 0.8 },
      { p: 0.95, seconds: work.plannedS },
    ]),
  }));
}

const started = cpuSeconds();
const { defer, interrupt } = globalSavings(zones, 24, 24);
console.log(
  `EuroSys 2024, 123 zones, 24 h job, 24 h slack: ${(cpuSeconds() - started).toFixed(2)} CPU s; ` +
    `defer ${defer.toFixed(1)} %, plus interrupt ${interrupt.toFixed(1)} %`,
);

/** Packs jobs of the figure-8 trace on a cluster and prints the gap to the bound. */
async function packTrace(count: number, nodes: number): Promise<void> {
  const { jobs } = readTrace(await files.text("scheduling/gaia/pai_1k.csv"));
  const SLOTS = 192;
  const slotJobs = jobs
    .filter(({ length, arrival, cpus }) => length < DAY && arrival < 5 * DAY && cpus <= nodes)
    .slice(0, count)
    .map(({ arrival, length, cpus }, at): ArrivingJob => {
      const earliest = Math.ceil(arrival / HOUR);
      const slots = Math.max(1, Math.ceil(length / HOUR));
      const latestStart = Math.min(earliest + 24, SLOTS - slots);
      const job = { id: `${at}`, nodes: cpus, slots, earliest, latestStart, watts: 100 * cpus };
      return { ...job, arrives: earliest };
    });
  const horizon = {
    capacity: new Float64Array(SLOTS).fill(nodes),
    intensity: year.signal.values.slice(0, SLOTS),
  };
  const started = cpuSeconds();
  const packing = pack(slotJobs, horizon);
  const packed = cpuSeconds() - started;
  const bound = await capacityBound(slotJobs, horizon);
  const rolling = rollingHorizon(slotJobs, horizon, () => horizon.intensity);
  const gap = ({ cost, unplaced }: Packing): string => {
    if (bound.status !== "bounded") return "no packing places all";
    if (unplaced.length > 0) return `${unplaced.length} left out`;
    return `gap ${(100 * gapOf(cost, bound.cost)).toFixed(2)} %`;
  };
  console.log(
    `  ${slotJobs.length} jobs on ${nodes} nodes: ${gap(packing)} (${packed.toFixed(2)} CPU s); ` +
      `as they arrive: ${gap(rolling)}`,
  );
}

console.log("packing, against the linear bound");
for (const nodes of [60, 30, 24]) await packTrace(300, nodes);

const JULY = Date.UTC(2021, 6, 1) / 1000;
const origins = Array.from({ length: 180 }, (_, day) => JULY + day * DAY);
const { perfect: _, ...builtIn } = forecasters;
console.log("4 h job, start chosen at 00:00 UTC within 24 h, July to December 2021");
console.log(`  zone  oracle   saved (share of the oracle's): ${Object.keys(builtIn).join(", ")}`);
for (const zone of ["CISO", "PJM", "ERCO", "EPE", "MISO", "DE", "PL", "NL", "SE"]) {
  const text = gunzipSync(readFileSync(`${DATA}/grid-carbon/${zone}.csv.gz`)).toString();
  const record = signalFromCsv(
    text,
    { zone, kind: "average", basis: "location", source: "2021, lifecycle" },
    { time: "utc", value: "ci_lifecycle", step: HOUR },
  );
  const job = { lengthS: 4 * HOUR, windowS: DAY, origins };
  const values = Object.values(builtIn).map((one) => decisionValue(record, one, job));
  const percent = (share: number): string => (100 * share).toFixed(1);
  const oracle = percent(values[0]?.oracle ?? NaN);
  const caught = values.map(
    ({ forecaster, caught: share }) => `${percent(forecaster)} % (${(100 * share).toFixed(0)} %)`,
  );
  console.log(`  ${zone.padEnd(5)} ${oracle.padStart(5)} %   ${caught.join("   ")}`);
}
