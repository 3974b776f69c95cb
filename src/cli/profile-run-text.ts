// `godwit profile --run` and `--sweep` in a terminal.

import { type AnyFigure, formatFigure, withPrefix } from "../core/index.ts";
import { type ModelCount, numberOf } from "../measure/profile/index.ts";
import { rooflineTime } from "../measure/profile/roofline.ts";
import type { Sweep } from "../measure/profile/run/sweep.ts";
import type { RunReport } from "./profile-run.ts";
import { textTable } from "./text-table.ts";

/** The run in a terminal: what it took, and the nodes that took longest. */
export function runText(
  report: RunReport,
  count: ModelCount,
  { top, width }: { top: number; width: number },
): string {
  const { cost, times, roofline } = report;
  const flops = count.totals.flops === null ? null : numberOf(count.totals.flops);
  const rate = flops === null ? "" : `, ${withPrefix(flops / cost.latency.value, "FLOP/s")}`;
  const line = (name: string, of: AnyFigure | null, rest = ""): readonly string[] =>
    of === null ? [] : [`  ${name.padEnd(12)} ${formatFigure(of)} a run, ${of.method}${rest}`];
  const { runtime, version, threads, spinning } = cost.settings;
  return `${[
    `on this machine: ${runtime} ${version}, ${threads} threads, spinning ${spinning ? "on" : "off"}, ${cost.repeats} runs`,
    ...line("latency", cost.latency, rate),
    ...line("CPU time", cost.cpuTime),
    ...line("energy", cost.energy),
    ...line("emissions", cost.emissions),
    `  roofline     ${withPrefix(roofline.peakFlops, "FLOP/s")} and ${withPrefix(roofline.bandwidth, "B/s")}, measured here once`,
    ...cost.notices.map((notice) => `  note         ${notice}`),
    "",
    ...kernelTable(report, top, width),
    ...(times.folded.length === 0
      ? []
      : [`${times.folded.length} nodes took no time: computed once before the run, or taken out.`]),
  ].join("\n")}\n`;
}

function kernelTable(
  { times, roofline }: RunReport,
  top: number,
  width: number,
): readonly string[] {
  const total = times.kernels.reduce((sum, { time }) => sum + time, times.elsewhere);
  const share = (time: number): string => `${((100 * time) / total).toFixed(1)} %`;
  const rate = (amount: number | null, time: number): string =>
    amount === null || time === 0 ? "" : withPrefix(amount / time, "").trimEnd();
  const rows = times.kernels
    .toSorted((a, b) => b.time - a.time)
    .slice(0, top)
    .map(({ name, operator, time, flops, bytes }) => {
      const bound =
        flops === null || bytes === null || time === 0
          ? null
          : rooflineTime({ flops, bytes }, roofline);
      const roof = bound === null ? "" : `${((100 * bound.seconds) / time).toFixed(0)} %`;
      const cells = [name, operator, withPrefix(time, "s"), share(time)];
      return [...cells, rate(flops, time), rate(bytes, time), roof, bound?.binding ?? ""];
    });
  const others = ["(changes of layout)", "", withPrefix(times.elsewhere, "s")];
  const rest = [...others, share(times.elsewhere), "", "", "", ""];
  return textTable(
    [
      { title: "NODE", flexible: true },
      { title: "OPERATORS", flexible: true },
      { title: "TIME", align: "right" },
      { title: "SHARE", align: "right" },
      { title: "FLOP/S", align: "right" },
      { title: "B/S", align: "right" },
      { title: "ROOF", align: "right" },
      { title: "BY" },
    ],
    times.elsewhere > 0 ? [...rows, rest] : rows,
    width,
  );
}

/** The sweep as a table, the best row marked. */
export function sweepText({ rows, best, by }: Sweep, width: number): string {
  const an = (value: number | undefined, batch: number, unit: string): string =>
    value === undefined ? "-" : withPrefix(value / batch, unit);
  const lines = textTable(
    [
      { title: "THREADS", align: "right" },
      { title: "BATCH", align: "right" },
      { title: "LATENCY", align: "right" },
      { title: "AN ITEM", align: "right" },
      { title: "CPU AN ITEM", align: "right" },
      { title: "ENERGY AN ITEM", align: "right" },
      { title: "" },
    ],
    rows.map((row) => {
      const { threads, batch, cost } = row;
      return [
        String(threads),
        String(batch),
        withPrefix(cost.latency.value, "s"),
        an(cost.latency.value, batch, "s"),
        an(cost.cpuTime?.value, batch, "s"),
        an(cost.energy?.value, batch, "J"),
        row === best ? `<- least ${by}` : "",
      ];
    }),
    width,
  );
  const method = best?.cost.energy?.method ?? null;
  return `${lines.join("\n")}\n${method === null ? "" : `Energy is ${method}.\n`}`;
}
