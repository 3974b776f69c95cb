// Processor packages: RAPL energy of four CPUs under stepped load against the package model, fitted
// anew without the CPU it is asked about, and against the CPU terms of the peers.

import { nonNegative } from "../../scripts/power-model/least-squares.ts";
import type { SweepPoint } from "../../scripts/power-model/sweep.ts";
import { packagePower, packageWatts } from "../../src/measure/estimate/package-power.ts";
import { type PeerTables, workloadOf } from "../../src/measure/methods/index.ts";
import { type Point, toolRows } from "./peers.ts";
import { type Row, scoreOf, type Table } from "./score.ts";

/** What a tool would be told of a swept CPU (vendor specifications); `maker` groups families. */
interface Swept {
  readonly name: string;
  readonly maker: "AMD" | "Intel";
  readonly sockets: number;
  /** Of all sockets. */
  readonly cores: number;
}

const SWEPT: Readonly<Record<string, Swept>> = {
  EPYC_8024P: { name: "AMD EPYC 8024P", maker: "AMD", sockets: 1, cores: 8 },
  Threadripper_1950X: {
    name: "AMD Ryzen Threadripper 1950X",
    maker: "AMD",
    sockets: 1,
    cores: 16,
  },
  "E3-1240_V2": { name: "Intel Xeon E3-1240 v2", maker: "Intel", sockets: 1, cores: 4 },
  "E5-2620_v3": { name: "Intel Xeon E5-2620 v3", maker: "Intel", sockets: 2, cores: 12 },
};

const sweptOf = ({ cpu }: SweepPoint): Swept => {
  const swept = SWEPT[cpu];
  if (swept === undefined) throw new RangeError(`${cpu} is not a swept CPU`);
  return swept;
};

/** The sweep: as shipped, each CPU left out, each maker left out, and the peers. */
export function packageTable(points: readonly SweepPoint[], tables: PeerTables): Table {
  return {
    title: "Packages",
    truth: `${points.length} points of four CPUs of four microarchitectures, RAPL package power at loads from idle to full.`,
    rows: [
      own("godwit, as shipped (drawn through these points)", points, () => packageWatts),
      own("godwit's form, CPU left out", points, (point) =>
        fitShape(points.filter(({ cpu }) => cpu !== point.cpu)),
      ),
      own("godwit's form, maker left out", points, (point) =>
        fitShape(points.filter((other) => sweptOf(other).maker !== sweptOf(point).maker)),
      ),
      ...toolRows(points.map(told), tables, "cpu"),
    ],
  };
}

type Shape = (tdp: number, load: number) => number;

function own(
  name: string,
  points: readonly SweepPoint[],
  shapeFor: (point: SweepPoint) => Shape,
): Row {
  const { low, high } = packagePower({ tdp: 1, cores: 1 }).factors;
  const judged = points.map((point) => {
    const estimate = shapeFor(point)(point.tdp, point.load);
    return { truth: point.watts, estimate, low: estimate * low, high: estimate * high };
  });
  return { name, kind: "godwit", scope: "package", score: scoreOf(judged) };
}

const EXPONENTS = [0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1] as const;

/** TDP (a + b u^c) by least squares on relative errors, c from a grid. */
function fitShape(points: readonly SweepPoint[]): Shape {
  const fits = EXPONENTS.map((exponent) => {
    const [idle = 0, active = 0] = nonNegative({
      rows: points.map(({ tdp, load }) => [tdp, tdp * load ** exponent]),
      targets: points.map(({ watts }) => watts),
      weights: points.map(({ watts }) => 1 / watts ** 2),
    });
    const shape: Shape = (tdp, load) => tdp * (idle + active * load ** exponent);
    const loss = points.reduce(
      (sum, { tdp, load, watts }) => sum + (shape(tdp, load) / watts - 1) ** 2,
      0,
    );
    return { shape, loss };
  });
  const [best] = fits.sort((a, b) => a.loss - b.loss);
  if (best === undefined) throw new RangeError("no exponent was tried");
  return best.shape;
}

function told(point: SweepPoint): Point {
  const { name, sockets, cores } = sweptOf(point);
  return {
    truth: point.watts,
    workload: workloadOf({
      hours: 1,
      machine: "desktop",
      cpu: {
        name,
        tdp: point.tdp / sockets,
        sockets,
        cores,
        threads: 2 * cores,
        usage: point.load,
      },
      pue: 1,
    }),
  };
}
