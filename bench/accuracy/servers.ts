// Whole servers at the wall: published SPECpower_ssj2008 results against godwit's model, fitted without
// the servers it is asked about, and against what the peers say of them.

import { buildPowerModel, CHOSEN, TESTED_FROM } from "../../scripts/power-model/build.ts";
import { powerLaw } from "../../scripts/power-model/forms.ts";
import { newerThanFit } from "../../scripts/power-model/newer-servers.ts";
import { innerFolds, LAST_TRAINING_YEAR } from "../../scripts/power-model/selection.ts";
import type { SummaryServer } from "../../scripts/power-model/spec-summary.ts";
import { LOADS, type MeasuredServer } from "../../scripts/power-model/spec-systems.ts";
import {
  type Band,
  calibratedBand,
  type Held,
  later,
  leaveOut,
} from "../../scripts/power-model/validation.ts";
import { LEAN_SYSTEMS, serverPower } from "../../src/measure/estimate/server-power.ts";
import { type PeerTables, workloadOf } from "../../src/measure/methods/index.ts";
import { formulaRows, type Point, type ServerPoint, toolRows } from "./peers.ts";
import { type Judged, type Row, scoreOf, type Table } from "./score.ts";

/** Last year of availability among the rows with all load levels. */
const LAST_YEAR = 2022;

const form = powerLaw(CHOSEN.inputs, CHOSEN.training);

/** Systems left out of the fit by CPU model and by CPU family, and the peers on the same systems. */
export function heldOutTable(systems: readonly MeasuredServer[], tables: PeerTables): Table {
  const tested = systems.filter(({ year }) => year >= TESTED_FROM);
  const left = (by: "cpu" | "family"): Row => {
    const rows = leaveOut(form, systems, { by, from: TESTED_FROM });
    const name = `godwit, CPU ${by === "cpu" ? "model" : "family"} left out`;
    return own(name, inFolds(rows));
  };
  return {
    title: `Servers available ${TESTED_FROM} to ${LAST_YEAR}`,
    truth: `${tested.length} systems, wall power at 11 loads from idle to full.`,
    rows: [left("cpu"), left("family"), ...peerRows(tested.flatMap(allLoads), tables)],
  };
}

/** Systems newer than every system fitted on. */
export function nextYearTable(systems: readonly MeasuredServer[], tables: PeerTables): Table {
  const past = systems.filter(({ year }) => year <= LAST_TRAINING_YEAR);
  const { band } = calibratedBand(innerFolds(form, past).flat());
  const rows = later(form, systems, { fitUntil: LAST_TRAINING_YEAR, testUntil: LAST_YEAR });
  const points = rows.flatMap(({ system }) => allLoads(system));
  return {
    title: `Servers available in ${LAST_YEAR}`,
    truth: `${rows.length} systems, wall power at 11 loads; godwit fitted on systems up to ${LAST_TRAINING_YEAR}.`,
    rows: [
      own(`godwit, fitted up to ${LAST_TRAINING_YEAR}`, judgedBy(rows, band)),
      ...peerRows(points, tables),
    ],
  };
}

/** The shipped model on servers of generations that came after it, at one end of the load. */
export function newerTable(
  data: { readonly systems: readonly MeasuredServer[]; readonly summary: readonly SummaryServer[] },
  end: "idle" | "full",
  tables: PeerTables,
): Table {
  const model = buildPowerModel(data.systems, data.summary);
  const load = end === "idle" ? 0 : 1;
  const servers = newerThanFit(data.summary);
  const truthOf = (server: SummaryServer): number =>
    end === "idle" ? server.idleWatts : server.fullWatts;
  const judged = servers.map((server): Judged => {
    const { value, low, high } = serverPower(model, server, load);
    return { truth: truthOf(server), estimate: value, low, high };
  });
  const points = servers.map((server) => ({
    server: { ...server, amd: /epyc/i.test(server.cpu), available: server.published },
    name: server.cpu,
    load,
    truth: truthOf(server),
  }));
  return {
    title: `Servers published 2023 to 2026, ${end === "idle" ? "idle" : "at full load"}`,
    truth: `${servers.length} systems of Sapphire Rapids to Granite Rapids and EPYC 9004 and 9005, wall power; godwit as shipped, fitted up to 2022.`,
    rows: [own("godwit, as shipped", judged), ...peerRows(points, tables)],
  };
}

type NamedPoint = ServerPoint & { readonly name: string };

const allLoads = (server: MeasuredServer): readonly NamedPoint[] =>
  server.watts.map((truth, level) => ({
    server,
    name: server.cpuName,
    load: LOADS[level] ?? Number.NaN,
    truth,
  }));

const own = (name: string, judged: readonly Judged[]): Row => ({
  name,
  kind: "godwit",
  scope: "wall",
  score: scoreOf(judged),
});

/** Each fold judged by the interval that the other folds give. */
function inFolds(rows: readonly Held[]): readonly Judged[] {
  const folds = new Set(rows.map(({ fold }) => fold));
  return [...folds].flatMap((fold) => {
    const { band } = calibratedBand(rows.filter((row) => row.fold !== fold));
    return judgedBy(
      rows.filter((row) => row.fold === fold),
      band,
    );
  });
}

/** As a user gets it: the band, with the tenth on top that is added for lean systems. */
function judgedBy(rows: readonly Held[], band: Band): readonly Judged[] {
  return rows.flatMap(({ system, predicted }) =>
    system.watts.map((truth, level) => {
      const estimate = predicted[level] ?? Number.NaN;
      return {
        truth,
        estimate,
        low: estimate * (band.low[level] ?? Number.NaN),
        high: estimate * (band.high[level] ?? Number.NaN) * LEAN_SYSTEMS,
      };
    }),
  );
}

function peerRows(points: readonly NamedPoint[], tables: PeerTables): readonly Row[] {
  const told = points.map(
    ({ server, name, load, truth }): Point => ({
      truth,
      workload: workloadOf({
        hours: 1,
        machine: "server",
        cpu: {
          name,
          tdp: server.tdp / server.sockets,
          sockets: server.sockets,
          cores: server.cores,
          threads: server.threads,
          usage: load,
        },
        memoryGB: server.memoryGB,
        // What is compared is the machine; those that can be told a PUE are told that there is none.
        pue: 1,
      }),
    }),
  );
  return [...toolRows(told, tables, "all"), ...formulaRows(points)];
}
