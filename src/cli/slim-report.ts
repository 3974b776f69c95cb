// What a search reports: costs before and after, measured in turns; energy from cards; where the time
// goes; and the same facts as text, JSON, Markdown or a page.

import { basename, resolve } from "node:path";
import { writeFileAtomic } from "../core/host/write-file-atomic.ts";
import { readTextIfPresent, shellWord } from "../core/index.ts";
import { nativeRuntime, profileModel } from "../engine/index.ts";
import { identifyMachine } from "../measure/run/index.ts";
import { type Feeds, feedsOf, inputDrift } from "../models/compress/index.ts";
import {
  SLIM_SCHEMA,
  type SlimCost,
  type SlimFile,
  type SlimReport,
} from "../report/slim/report.ts";
import { changeText, ratioText, trialText } from "../report/slim/words.ts";
import type { CliContext } from "./context.ts";
import type { MeteredRun } from "./metered-run.ts";
import { cardOfModel, finishWork, type TwoCards } from "./slim-cards.ts";
import { costsOf, slimCost } from "./slim-costs.ts";
import { fileOf } from "./slim-file.ts";
import type { SlimFound } from "./slim-found.ts";
import { dataArguments, learns } from "./slim-options.ts";
import type { SearchProgress } from "./slim-progress.ts";

/** Measures, writes and prints the report of a search. */
export async function reportSearch(
  context: CliContext,
  found: SlimFound,
  { metered, progress }: { readonly metered: MeteredRun; readonly progress: SearchProgress },
): Promise<void> {
  const report = await reportOf(context, found, metered);
  const { options, cwd } = found.request;
  await found.folder.keep("report.json", report);
  if (options.report !== undefined) {
    const file = resolve(cwd, options.report);
    await writeFileAtomic(file, await rendered(report, file));
    context.stderr.write(`wrote ${options.report}\n`);
  }
  progress.end();
  const { slimText } = await import("./slim-text.ts");
  context.stdout.write(
    options.json === true ? `${JSON.stringify(report, null, 2)}\n` : slimText(context, report),
  );
}

async function rendered(report: SlimReport, file: string): Promise<string> {
  if (file.endsWith(".json")) return `${JSON.stringify(report, null, 2)}\n`;
  if (file.endsWith(".md"))
    return (await import("../report/slim/markdown.ts")).slimMarkdown(report);
  return (await import("../report/slim/html.ts")).slimHtml(report);
}

async function reportOf(
  context: CliContext,
  found: SlimFound,
  metered: MeteredRun,
): Promise<SlimReport> {
  const { request, model, inputs, splits, result, written, trials, outcome } = found;
  const { options } = request;
  const rows = splits.search.slice(0, Math.min(options.batch, inputs.samples.batch));
  const feeds = await feedsOf(inputs.samples, rows);
  const costs = found.costs ?? (await costsOf(found, null));
  const cards = await cardsOf(context, found, feeds, rows.length);
  const { id, energy } = await finishWork(metered, cards);
  const machine = await identifyMachine(context.host);
  const original: SlimFile = await fileOf(model.path, model.fileBytes);
  return {
    schema: SLIM_SCHEMA,
    godwit: context.version,
    runtime: costs.runtime,
    madeAt: new Date(context.host.wall()).toISOString(),
    machine: { id: machine.id, cpu: machine.cpu.name, int8: await int8Of(context) },
    outcome,
    answer: answerOf(found, costs.costs),
    original,
    result: written?.file ?? null,
    data: {
      name: inputs.dataset.name,
      calibration: splits.calibration.length,
      training: learns(options) ? splits.training.length : 0,
      search: splits.search.length,
      verify: splits.verify.length,
      notes: [
        ...inputs.findings.map(({ message }) => message),
        ...(await driftNotes(found)),
        ...(result.outOfTime ? ["the time was up before everything was tried"] : []),
      ],
    },
    metric: inputs.judge.metric.name,
    maxDrop: options.maxDrop,
    objective: options.objective,
    recipe: written?.recipe ?? null,
    tuning: [...result.tuning.tried, ...result.tuning.turned].map(({ settings, cost }) =>
      slimCost("original", settings, cost),
    ),
    candidates: result.candidates,
    front: result.front.map(({ name }) => name),
    trials,
    costs: costs.costs,
    energy,
    operators: await operatorsOf(found, feeds),
    refused: [...result.refused, ...(await refusalsOf(found))],
    command: commandOf(found),
    cards: [
      ...(cards.before === null ? [] : [{ what: "original", id: cards.before.id }]),
      ...(cards.after === null ? [] : [{ what: "result", id: cards.after.id }]),
      { what: "this search", id },
    ],
  };
}

/** What is to be said where the samples for calibration are unlike those for the verification. */
async function driftNotes({ inputs, splits }: SlimFound): Promise<readonly string[]> {
  const drifts = await inputDrift(inputs.samples, splits.calibration, splits.verify);
  return drifts
    .filter(({ psi, outside }) => psi > UNLIKE || outside > MUCH)
    .map(
      ({ input, psi, outside }) =>
        `input ${input} of the samples to calibrate is unlike that of those to verify (PSI ${psi.toFixed(2)}, ${(100 * outside).toFixed(1)} % beyond its range): ranges may not fit`,
    );
}

/** PSI above which parts are called unlike, and the share of values beyond the range that is much. */
const UNLIKE = 0.25;
const MUCH = 0.01;

async function cardsOf(
  context: CliContext,
  found: SlimFound,
  feeds: Feeds,
  items: number,
): Promise<TwoCards> {
  const { request, model, written, trials, result, inputs } = found;
  if (written === null) return { before: null, after: null };
  const trial = trials.find(({ name }) => name === written.candidate.name);
  const quality = (side: "before" | "after") => {
    const of = trial?.[side];
    if (of === undefined) return undefined;
    const { value, interval } = of;
    return {
      ...{ metric: inputs.judge.metric.name, value },
      ...(interval === null ? {} : { low: interval[0], high: interval[1] }),
      ...{ split: `verify part of ${inputs.dataset.name}`, samples: trial?.test.samples ?? 0 },
    };
  };
  const { settings } = result.tuning;
  const shared = { feeds: [feeds] as const, items, settings };
  const before = await cardOfModel(context, request, {
    ...{ path: model.path, model: model.whole, quality: quality("before"), ...shared },
  });
  const small = (await result.workshop.build(written.candidate.steps)).model;
  const after = await cardOfModel(context, request, {
    ...{ path: written.file.path, model: small, quality: quality("after"), ...shared },
  });
  return { before, after };
}

/** Times of a run by operator of ONNX Runtime's graph, before and after. */
async function operatorsOf(
  { model, written, result }: SlimFound,
  feeds: Feeds,
): Promise<SlimReport["operators"]> {
  if (written === null) return [];
  const timesOf = async (path: string) => {
    const { nodes } = await profileModel(path, feeds, {
      ...{ ...result.tuning.settings, runtime: nativeRuntime(), runs: 10 },
    });
    const times = new Map<string, number>();
    for (const { operator, median } of nodes) {
      times.set(operator, (times.get(operator) ?? 0) + median);
    }
    return times;
  };
  const [before, after] = [await timesOf(model.path), await timesOf(written.file.path)];
  return [...new Set([...before.keys(), ...after.keys()])]
    .map((operator) => ({
      operator,
      before: before.get(operator) ?? 0,
      after: after.get(operator) ?? 0,
    }))
    .sort((a, b) => Math.max(b.before, b.after) - Math.max(a.before, a.after));
}

/** What the passes of the written recipe left alone; nodes that share a reason are one line. */
async function refusalsOf({ written, result }: SlimFound): Promise<SlimReport["refused"]> {
  if (written === null) return [];
  const { refused } = await result.workshop.build(written.candidate.steps);
  const grouped = new Map<string, string[]>();
  for (const { pass, subject, reason } of refused) {
    const key = `${pass}: ${reason}`;
    grouped.set(key, [...(grouped.get(key) ?? []), subject]);
  }
  return [...grouped].map(([reason, subjects]) => ({
    what: subjects.length <= 3 ? subjects.join(", ") : `${subjects.length} nodes`,
    reason,
  }));
}

function answerOf(
  { outcome, trials, written, inputs, request }: SlimFound,
  costs: readonly SlimCost[],
) {
  const metric = inputs.judge.metric.name;
  const [, defaults, result] = costs;
  const idle =
    defaults === undefined || defaults.ratio.verdict !== "more"
      ? "its session settings change nothing either"
      : `with tuned settings it takes ${changeText(1 / defaults.ratio.value)} CPU time against ONNX Runtime's defaults`;
  switch (outcome) {
    case "improved": {
      const trial = trials.at(-1);
      const cost = result === undefined ? "" : `CPU time ${ratioText(result.ratio)}, `;
      const bytes = (written?.file.bytes ?? 0) / 1e6;
      return `${cost}${bytes.toFixed(2)} MB; ${trial === undefined ? "" : trialText(metric, trial)}`;
    }
    case "not-shown":
      return trials.length === 0
        ? "nothing within the budget costs less"
        : trialText(metric, trials.at(-1) as NonNullable<(typeof trials)[number]>);
    case "nothing":
      return `for ${basename(request.model)} on this CPU nothing within the budget costs less than the original; ${idle}`;
    case "faulty":
      return `the written file failed its checks: ${trials.flatMap(({ faults }) => faults).join("; ")}`;
    default:
      return outcome satisfies never;
  }
}

/** The command that makes the same file again. */
function commandOf({ request }: SlimFound): string {
  const { model, options } = request;
  const words = [
    ...["godwit", "slim", model, ...dataArguments(options)],
    ...["--max-drop", String(options.maxDrop), "--objective", options.objective],
    ...["--effort", options.effort, "--seed", String(options.seed)],
    ...(options.only === undefined ? [] : ["--only", options.only.join(",")]),
  ];
  return words.map(shellWord).join(" ");
}

/** How the processor multiplies 8-bit numbers, which decides what int8 gains. */
async function int8Of({ host }: CliContext): Promise<string> {
  const flags = /^flags\s*:(.*)$/m.exec(
    (await readTextIfPresent(host, "/proc/cpuinfo")) ?? "",
  )?.[1];
  if (flags === undefined) return "not known";
  if (/\bavx512_vnni\b|\bavx_vnni\b/.test(flags)) return "VNNI";
  return "no VNNI: sums of 8-bit products may saturate; a model quantised elsewhere may answer otherwise here";
}
