// `godwit profile --run`: the model on this machine, its nodes against the host's roofline, and the sweep
// over threads and batches.

import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { cacheFolder, createFolderStore } from "../core/host/cache-folder.ts";
import { type AnyFigure, formatFigure, UserError, withPrefix } from "../core/index.ts";
import { nativeRuntime, type OpenModel, type TensorValue } from "../engine/index.ts";
import { locate } from "../measure/carbon/index.ts";
import { model as estimate } from "../measure/estimate/estimator.ts";
import {
  type InputShapes,
  inputShapes,
  type ModelCount,
  numberOf,
} from "../measure/profile/index.ts";
import { type Roofline, rooflineTime } from "../measure/profile/roofline.ts";
import { feedsFor } from "../measure/profile/run/feeds.ts";
import { hostRoofline, raiseRoofline } from "../measure/profile/run/host-roofline.ts";
import { type KernelTimes, kernelTimes } from "../measure/profile/run/kernels.ts";
import { readNpy } from "../measure/profile/run/npy.ts";
import { type Sweep, settingsOf, sweep } from "../measure/profile/run/sweep.ts";
import { type RunCost, timedRun } from "../measure/profile/run/timed-run.ts";
import { identifyMachine } from "../measure/run/identity.ts";
import { createMeasurer, type Measurer } from "../measure/run/index.ts";
import { providers } from "../measure/sensors/index.ts";
import type { CliContext } from "./context.ts";
import { textTable } from "./text-table.ts";

export interface RunChoice {
  readonly inputs: InputShapes | undefined;
  readonly values: Readonly<Record<string, readonly number[]>>;
  /** Files by input. */
  readonly feeds: Readonly<Record<string, string>>;
  readonly threads?: number | undefined;
  readonly repeats?: number | undefined;
  readonly spin: boolean;
}

/** A run and what it is held against. */
export interface RunReport {
  readonly cost: RunCost;
  readonly times: KernelTimes;
  readonly roofline: Roofline;
}

/** Measures one setting. Throws UserError when ONNX Runtime is not installed. */
export async function runModel(
  context: CliContext,
  opened: OpenModel,
  { count, ...choice }: RunChoice & { readonly count: ModelCount },
): Promise<RunReport> {
  const { path, model, external } = opened;
  const given = Object.fromEntries(
    Object.entries(choice.feeds).map(([name, file]): readonly [string, TensorValue] => [
      name,
      readNpy(readFileSync(file), file),
    ]),
  );
  const feeds = feedsFor(model, {
    external,
    given,
    values: choice.values,
    ...(choice.inputs === undefined ? {} : { inputs: choice.inputs }),
  });
  const options = sessionOptions(choice);
  const measurer = await measurerOf(context);
  const repeats = choice.repeats === undefined ? {} : { repeats: choice.repeats };
  const cost = await timedRun(path, feeds, { ...options, ...repeats, measurer });
  const times = await kernelTimes(path, feeds, { ...options, count });
  const machine = await identifyMachine(context.host);
  const store = createFolderStore(join(cacheFolder(context.env), "roofline"));
  const here = {
    threads: cost.settings.threads,
    machine: `${machine.id} ${machine.cpu.name} onnxruntime ${cost.settings.version}`,
    store,
  };
  const roofline = await raiseRoofline(await hostRoofline(here), times.kernels, here);
  return { cost, times, roofline };
}

const sessionOptions = ({ threads, spin }: Pick<RunChoice, "threads" | "spin">) => ({
  // A fall-back would measure another engine than the one that is deployed.
  runtime: nativeRuntime(),
  spinning: spin,
  ...(threads === undefined ? {} : { threads }),
});

async function measurerOf({ host }: CliContext): Promise<Measurer> {
  const signal = await locate(host, {});
  return createMeasurer(() => ({ host, providers: [...providers, estimate], signal }));
}

const BATCHES = [1, 2, 4, 8, 16];

/** Runs every setting that is asked for: `threads`, `batch` or both. */
export async function sweepModel(
  context: CliContext,
  opened: OpenModel,
  choice: RunChoice & {
    readonly over: readonly ("threads" | "batch")[];
    readonly batch?: number | undefined;
  },
): Promise<Sweep> {
  const { model, path, external } = opened;
  const most = availableParallelism();
  const threads = choice.over.includes("threads")
    ? [1, 2, 4, 8, 16, 32, 64].filter((count) => count <= most)
    : [choice.threads ?? Math.min(most, 4)];
  const measurer = await measurerOf(context);
  const batches = choice.over.includes("batch") ? BATCHES : [choice.batch ?? 1];
  return sweep(settingsOf(threads, batches), async ({ threads: count, batch }) => {
    const sizes = choice.over.includes("batch") ? { batch } : {};
    const inputs = inputShapes(model, { shapes: choice.inputs ?? {}, sizes: {}, ...sizes });
    const feeds = feedsFor(model, {
      external,
      values: choice.values,
      ...(inputs === undefined ? {} : { inputs }),
    });
    const options = sessionOptions({ ...choice, threads: count });
    const repeats = choice.repeats === undefined ? {} : { repeats: choice.repeats };
    return timedRun(path, feeds, { ...options, ...repeats, measurer });
  });
}

/** The words after `--sweep`. */
export function parseSweep(text: string): readonly ("threads" | "batch")[] {
  return text.split(",").map((word) => {
    if (word === "threads" || word === "batch") return word;
    throw new UserError("usage", `--sweep: cannot read "${text}"`, {
      hint: "Give threads, batch, or threads,batch.",
    });
  });
}

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
