// Stop in dirty hours and go on in clean ones, when stopping costs something: a minimum run between two
// stops, time and energy of a checkpoint at each stop and of a restart at each continuation. Exact, by
// dynamic programming over (slot, slots done, running), on a grid of slots from the earliest start.
// Without costs it is the sum of the cleanest slots (`waitAwhileInterrupting`).

import { between, type Exposure } from "../exposure.ts";
import { FREE_INTERRUPTION } from "../job.ts";
import { joined } from "./pieces.ts";
import { inOnePiece, type Policy, type Run, type Work } from "./policy.ts";

/** Slots are at least this long, and longer where the table would grow beyond `MOST_CELLS`. */
const SHORTEST_SLOT_S = 300;
const MOST_CELLS = 4_000_000;

/** Suspend and resume on slots of at least `slotS` seconds; costs are rounded up to whole slots. */
export const suspendResumeIn = (slotS: number): Policy => ({
  name: "suspend-resume",
  interrupts: "priced",
  choose(work, forecast) {
    const grid = gridOf(work, slotS);
    // Rounding up to slots may leave no room to wait; then there is nothing to decide.
    if (grid.slots <= grid.needed) return inOnePiece(work.earliest, work);
    const runs = runsOf(fill(tableOf(grid), priced(grid, work, forecast)), grid, work);
    // A stop that costs nothing and lasts no time is none.
    return isFree(work) ? joined(runs) : runs;
  },
});

export const suspendResume: Policy = suspendResumeIn(SHORTEST_SLOT_S);

function isFree({ interruption }: Work): boolean {
  const { checkpointS, checkpointJ, restartS, restartJ } = interruption ?? FREE_INTERRUPTION;
  return checkpointS + checkpointJ + restartS + restartJ === 0;
}

interface Grid {
  readonly slotS: number;
  /** Slots of the window. */
  readonly slots: number;
  /** Slots of progress that the work needs. */
  readonly needed: number;
  readonly minimumRun: number;
  readonly checkpoint: number;
  readonly restart: number;
}

function gridOf(work: Work, shortestS: number): Grid {
  const { earliest, latestStart, plannedS } = work;
  const windowS = latestStart + plannedS - earliest;
  let slotS = shortestS;
  while ((windowS / slotS) * (plannedS / slotS) > MOST_CELLS) slotS *= 2;
  const { minimumRunS, checkpointS, restartS } = work.interruption ?? FREE_INTERRUPTION;
  const needed = Math.ceil(plannedS / slotS);
  return {
    slotS,
    slots: Math.floor(windowS / slotS),
    needed,
    minimumRun: Math.min(needed, Math.max(1, Math.ceil(minimumRunS / slotS))),
    checkpoint: Math.ceil(checkpointS / slotS),
    restart: Math.ceil(restartS / slotS),
  };
}

/** Exposure from the first slot to each border, and what a stop and a restart add at each. */
interface Prices {
  readonly until: Float64Array;
  readonly stop: Float64Array;
  readonly resume: Float64Array;
}

function priced({ slots, slotS }: Grid, work: Work, forecast: Exposure): Prices {
  const { checkpointJ, restartJ } = work.interruption ?? FREE_INTERRUPTION;
  const at = (slot: number): number => work.earliest + slot * slotS;
  const until = Float64Array.from({ length: slots + 1 }, (_, slot) =>
    between(forecast, work.earliest, at(slot)),
  );
  // Joules as seconds of running: energy over power, at the intensity of the slot they fall in.
  const mean = (slot: number): number =>
    ((until[slot + 1] ?? NaN) - (until[slot] ?? NaN)) / slotS || 0;
  const spent = (joules: number): Float64Array =>
    Float64Array.from({ length: slots + 1 }, (_, slot) => (joules / work.watts) * mean(slot));
  return { until, stop: spent(checkpointJ), resume: spent(restartJ) };
}

/** Least cost of each state, and whether it was reached by going on (0) or by a change (1). */
interface Table extends Grid {
  readonly idle: Float64Array;
  readonly running: Float64Array;
  readonly stopped: Uint8Array;
  readonly started: Uint8Array;
}

function tableOf(grid: Grid): Table {
  const cells = (grid.slots + 1) * (grid.needed + 1);
  return {
    ...grid,
    idle: new Float64Array(cells).fill(Infinity),
    running: new Float64Array(cells).fill(Infinity),
    stopped: new Uint8Array(cells),
    started: new Uint8Array(cells),
  };
}

const cellOf = ({ needed }: Grid, slot: number, done: number): number => slot * (needed + 1) + done;

function fill(table: Table, prices: Prices): Table {
  const { slots, needed, idle, running } = table;
  idle[0] = 0;
  for (let slot = 0; slot <= slots; slot++) {
    for (let done = 0; done <= needed; done++) {
      const cell = cellOf(table, slot, done);
      // Running is settled first: a stop that takes no time leads to idle in the same slot.
      if (done > 0) leaveRunning(table, prices, slot, done, running[cell] ?? Infinity);
      leaveIdle(table, prices, slot, done, idle[cell] ?? Infinity);
    }
  }
  return table;
}

function leaveRunning(
  table: Table,
  { until, stop }: Prices,
  slot: number,
  done: number,
  cost: number,
) {
  if (cost === Infinity || done === table.needed) return;
  const { running, started, idle, stopped, slots, checkpoint } = table;
  const spent = (to: number): number => cost + (until[to] ?? NaN) - (until[slot] ?? NaN);
  if (slot < slots) lower(running, started, cellOf(table, slot + 1, done + 1), spent(slot + 1), 0);
  const idleAt = slot + checkpoint;
  if (idleAt < slots)
    lower(idle, stopped, cellOf(table, idleAt, done), spent(idleAt) + (stop[slot] ?? NaN), 1);
}

function leaveIdle(
  table: Table,
  { until, resume }: Prices,
  slot: number,
  done: number,
  cost: number,
) {
  if (cost === Infinity || done === table.needed) return;
  const { running, started, idle, stopped, slots, needed, minimumRun, restart } = table;
  if (slot < slots) lower(idle, stopped, cellOf(table, slot + 1, done), cost, 0);
  const first = done === 0;
  const to = slot + minimumRun + (first ? 0 : restart);
  if (to > slots || done + minimumRun > needed) return;
  const spent =
    cost + (until[to] ?? NaN) - (until[slot] ?? NaN) + (first ? 0 : (resume[slot] ?? NaN));
  lower(running, started, cellOf(table, to, done + minimumRun), spent, 1);
}

function lower(costs: Float64Array, how: Uint8Array, cell: number, cost: number, way: 0 | 1): void {
  if (cost >= (costs[cell] ?? Infinity)) return;
  costs[cell] = cost;
  how[cell] = way;
}

/** Walks back from the cheapest end; on equal costs the earlier end. */
function runsOf(table: Table, grid: Grid, work: Work): readonly Run[] {
  const { slots, needed, running, started, stopped, minimumRun, restart, checkpoint } = table;
  let end = needed;
  for (let slot = needed; slot <= slots; slot++)
    if (
      (running[cellOf(table, slot, needed)] ?? Infinity) <
      (running[cellOf(table, end, needed)] ?? Infinity)
    )
      end = slot;
  const at = (slot: number): number => work.earliest + slot * grid.slotS;
  const runs: Run[] = [];
  let [slot, done, runEnd] = [end, needed, end];
  while (done > 0) {
    if (started[cellOf(table, slot, done)] === 0) {
      [slot, done] = [slot - 1, done - 1];
      continue;
    }
    done -= minimumRun;
    slot -= minimumRun + (done === 0 ? 0 : restart);
    runs.unshift({ start: at(slot), end: at(runEnd) });
    if (done === 0) break;
    while (stopped[cellOf(table, slot, done)] === 0) slot--;
    runEnd = slot;
    slot -= checkpoint;
  }
  return runs;
}
