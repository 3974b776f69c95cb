// A profile as one self-contained page: the answer, where the work is, what binds it, and the rows.

import { formatFigure, significant, withPrefix } from "../../core/index.ts";
import { VERSION } from "../../core/version.ts";
import type { DeviceCost } from "../../measure/profile/device.ts";
import {
  type Amount,
  formatAmount,
  type ModelCount,
  type NodeCost,
  nodesIn,
  numberOf,
  type Row,
  type Rows,
} from "../../measure/profile/index.ts";
import { type Roofline, rooflineTime } from "../../measure/profile/roofline.ts";
import type { KernelTimes } from "../../measure/profile/run/kernels.ts";
import type { RunCost } from "../../measure/profile/run/timed-run.ts";
import { type IcicleNode, icicleChart, icicleHeight } from "../charts/icicle.ts";
import { type RooflinePoint, rooflineChart } from "../charts/roofline.ts";
import { element, type Markup, text } from "../markup.ts";
import { htmlDocument } from "../page/document.ts";
import { facts, paragraph, section, table } from "../page/parts.ts";
import { picture } from "../page/pictures.ts";

export interface ProfilePage {
  readonly file: string;
  readonly rows: Rows;
  readonly device?: DeviceCost | null;
  readonly run?: {
    readonly cost: RunCost;
    readonly times: KernelTimes;
    readonly roofline: Roofline;
  } | null;
}

/** The whole document. */
export function profileHtml(model: ModelCount, page: ProfilePage): string {
  const name = page.file.split(/[\\/]/).at(-1) ?? page.file;
  const header = element(
    "header",
    {},
    element("p", { class: "brand" }, text("godwit"), element("small", {}, text("model profile"))),
    element("h1", {}, text(name)),
    paragraph(model.inputs.map((of) => `${of.name} ${of.type} ${of.shape}`).join(", "), "soft"),
  );
  const main = element(
    "main",
    {},
    section("answer", "What it costs", facts(answerOf(model, page))),
    model.uncounted.length === 0 ? null : cautions(model),
    whereSection(model),
    roofSection(model, page),
    rowSection(page.rows),
  );
  const footer = element(
    "footer",
    {},
    text(`Made by godwit ${VERSION}. Counts are of one run; nothing was read of the weights.`),
  );
  return htmlDocument({ title: name, version: VERSION, body: [header, main, footer] });
}

const amount = (of: Amount | null, unit: string): string => {
  const value = of === null ? null : numberOf(of);
  if (of === null) return "too long an expression";
  return value === null ? `${formatAmount(of)} ${unit}` : withPrefix(value, unit);
};

function answerOf(
  model: ModelCount,
  { device, run }: ProfilePage,
): readonly (readonly [string, string])[] {
  const { parameters, totals, activations, bytes } = model;
  return [
    [
      "Parameters",
      `${parameters.total.toLocaleString("en")}, of them ${parameters.trainable.toLocaleString("en")} trainable`,
    ],
    ["Weights", withPrefix(bytes, "B")],
    ["Operations", `${amount(totals.macs, "MAC")}, ${amount(totals.flops, "FLOP")}`],
    ["Traffic", `reads ${amount(totals.reads, "B")}, writes ${amount(totals.writes, "B")}`],
    ...(activations.withReuse === null
      ? []
      : [["Activations", `${withPrefix(activations.withReuse, "B")} at most at once`] as const]),
    ...(run == null
      ? []
      : [
          [
            "Latency here",
            `${formatFigure(run.cost.latency)}, ${run.cost.latency.method}`,
          ] as const,
          ...(run.cost.energy === null
            ? []
            : [
                [
                  "Energy here",
                  `${formatFigure(run.cost.energy)} a run, ${run.cost.energy.method}`,
                ] as const,
              ]),
        ]),
    ...(device == null
      ? []
      : [
          [
            `On ${device.device.name}`,
            `${formatFigure(device.time)}, ${formatFigure(device.energy)}, estimated; ${device.binding}-bound`,
          ] as const,
        ]),
  ];
}

const cautions = ({ uncounted }: ModelCount): Markup =>
  element(
    "div",
    { class: "notice" },
    section(
      "uncounted",
      "Not counted",
      element(
        "ul",
        {},
        ...uncounted.map(({ operator, nodes, reason }) =>
          element("li", {}, text(`${nodes.length} ${operator}: ${reason}`)),
        ),
      ),
    ),
  );

function whereSection(model: ModelCount): Markup | null {
  const byWork = treeOf(model, ({ flops }) => (typeof flops === "number" ? flops : 0));
  const [root, measure] =
    byWork.value > 0
      ? [byWork, "FLOP"]
      : [treeOf(model, ({ parameters }) => parameters.trainable + parameters.buffer), "parameters"];
  if (root.value === 0) return null;
  const height = icicleHeight(root);
  return section(
    "where",
    `Where the ${measure} are`,
    picture("icicle", { wide: height, narrow: height }, (options) =>
      icicleChart({ title: `${measure} by module`, measure, root }, options),
    ),
  );
}

/** The modules with their nodes; without modules, operators with their nodes. */
function treeOf(model: ModelCount, measureOf: (cost: NodeCost) => number): IcicleNode {
  const costs = [...nodesIn(model.entries)];
  const scoped = costs.some(({ scope }) => scope.length > 0);
  const root: GrowingNode = { label: "all", value: 0, children: new Map() };
  for (const cost of costs) {
    const value = measureOf(cost);
    if (value === 0) continue;
    const leaf = cost.name.split("/").at(-1) ?? cost.name;
    const path = scoped
      ? [...cost.scope, `${leaf} (${cost.operator})`]
      : [cost.operator, cost.name];
    let at = root;
    at.value += value;
    for (const label of path) {
      const next = at.children.get(label) ?? { label, value: 0, children: new Map() };
      at.children.set(label, next);
      at = next;
      at.value += value;
    }
  }
  return finished(root);
}

interface GrowingNode {
  readonly label: string;
  value: number;
  readonly children: Map<string, GrowingNode>;
}

const finished = ({ label, value, children }: GrowingNode): IcicleNode => ({
  label,
  value,
  children: [...children.values()].map(finished),
});

const ROOF = { wide: 420, narrow: 320 };

function roofSection(model: ModelCount, { run, device }: ProfilePage): Markup | null {
  if (run != null) {
    const total = run.times.kernels.reduce((sum, { time }) => sum + time, 0);
    const points = run.times.kernels.flatMap(({ name, time, flops, bytes }): RooflinePoint[] =>
      flops === null || bytes === null || bytes === 0 || time === 0
        ? []
        : [{ label: name, intensity: flops / bytes, rate: flops / time, share: time / total }],
    );
    return roofPicture("Kernels under this machine's roof", run.roofline, points);
  }
  if (device == null) return null;
  const roofline = {
    peakFlops: device.device.peak[device.precision],
    bandwidth: device.device.bandwidth,
  };
  const points = [...nodesIn(model.entries)].flatMap(
    ({ name, flops, reads, writes }): RooflinePoint[] => {
      const known =
        typeof flops === "number" && typeof reads === "number" && typeof writes === "number";
      if (!known || flops === 0 || reads + writes === 0) return [];
      const bytes = reads + writes;
      const { seconds } = rooflineTime({ flops, bytes }, roofline);
      return [
        {
          label: name,
          intensity: flops / bytes,
          rate: flops / seconds,
          share: seconds / device.bound,
        },
      ];
    },
  );
  return roofPicture(`What ${device.device.name} allows each node`, roofline, points);
}

const roofPicture = (title: string, roofline: Roofline, points: readonly RooflinePoint[]): Markup =>
  section(
    "roof",
    title,
    picture("roofline", ROOF, (options) =>
      rooflineChart(
        { title, peak: roofline.peakFlops, bandwidth: roofline.bandwidth, points },
        options,
      ),
    ),
  );

const rowSection = ({ rows, cut }: Rows): Markup =>
  section(
    "rows",
    "Row by row",
    table(
      cut === 0 ? `${rows.length} rows` : `The first ${rows.length} rows of ${rows.length + cut}`,
      [
        { title: "Name" },
        { title: "Parameters", kind: "number" },
        { title: "MAC", kind: "number" },
        { title: "FLOP", kind: "number" },
        { title: "Share", kind: "number" },
        { title: "Read and written", kind: "number" },
      ],
      rows.map((row) => cellsOf(row)),
    ),
  );

const cellsOf = ({ name, operator, totals, share }: Row): readonly Markup[] =>
  [
    operator === null ? name : `${name} (${operator})`,
    totals.parameters.toLocaleString("en"),
    amount(totals.macs, ""),
    amount(totals.flops, ""),
    share === null ? "" : `${significant(100 * share)} %`,
    `${amount(totals.reads, "B")}, ${amount(totals.writes, "B")}`,
  ].map((cell) => text(cell));
