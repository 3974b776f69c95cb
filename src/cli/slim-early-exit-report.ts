// What `godwit slim exit` found: cards of both models and of the work itself, and the answer as text or JSON.

import { basename } from "node:path";
import { nativeRuntime } from "../engine/index.ts";
import { likelyBound } from "../models/compress/index.ts";
import type { EarlyExitReport, TriedExit } from "../report/slim/exit-report.ts";
import type { SlimTrial } from "../report/slim/report.ts";
import { changeText, dropText, ratioText, secondsText, trialText } from "../report/slim/words.ts";
import type { CliContext } from "./context.ts";
import type { MeteredRun } from "./metered-run.ts";
import { cardOfModel, finishWork, type TwoCards } from "./slim-cards.ts";
import { type ExitFound, TRIALS } from "./slim-early-exit-find.ts";
import type { ExitSettled } from "./slim-early-exit-settle.ts";
import { earlyExitText } from "./slim-early-exit-text.ts";
import { fileOf } from "./slim-file.ts";
import type { SearchProgress } from "./slim-progress.ts";

/** Keeps cards and prints. */
export async function reportExits(
  context: CliContext,
  settled: ExitSettled,
  { metered, progress }: { readonly metered: MeteredRun; readonly progress: SearchProgress },
): Promise<void> {
  const { request, model, inputs, parts, outcome, trials, measured, written } = settled;
  const { before, after } = await cardsOf(context, settled, progress);
  const { id, energy } = await finishWork(metered, { before, after });
  const report: EarlyExitReport = {
    schema: "godwit.slim-exit/1",
    godwit: context.version,
    runtime: `onnxruntime-node ${(await nativeRuntime().load()).version}`,
    ...{ outcome, answer: answerOf(settled), original: await fileOf(model.path, model.fileBytes) },
    result: written?.file ?? null,
    data: {
      name: inputs.dataset.name,
      heads: parts.heads.length,
      temperatures: parts.temperatures.length,
      thresholds: parts.thresholds.length,
      verify: parts.verify.length,
      notes: inputs.findings.map(({ message }) => message),
    },
    maxDrop: request.options.maxDrop,
    ...{ tried: triedOf(settled), expected: expectedOf(settled), trials, costs: measured },
    energy,
    cards: [
      ...(before === null ? [] : [{ what: "original", id: before.id }]),
      ...(after === null ? [] : [{ what: "result", id: after.id }]),
      { what: "this work", id },
    ],
  };
  progress.end();
  context.stdout.write(
    request.options.json === true
      ? `${JSON.stringify(report, null, 2)}\n`
      : earlyExitText(context, report),
  );
}

async function cardsOf(
  context: CliContext,
  { request, model, inputs, trials, written, settings, runs }: ExitSettled,
  progress: SearchProgress,
): Promise<TwoCards> {
  const trial = trials.at(-1);
  if (written === null || trial === undefined) return { before: null, after: null };
  progress.stage("metering the original and the result");
  const quality = ({ value, interval }: SlimTrial["before"]) => ({
    ...{ metric: "accuracy", value },
    ...(interval === null ? {} : { low: interval[0], high: interval[1] }),
    ...{ split: `verify part of ${inputs.dataset.name}`, samples: trial.test.samples },
  });
  const shared = { feeds: runs, items: 1, settings };
  const before = await cardOfModel(context, request, {
    ...{ path: model.path, model: model.whole, quality: quality(trial.before), ...shared },
  });
  const after = await cardOfModel(context, request, {
    ...{ path: written.file.path, model: written.model, quality: quality(trial.after), ...shared },
  });
  return { before, after };
}

function triedOf({ candidates, fitted, costs, exits }: ExitSettled): readonly TriedExit[] {
  return candidates.map(({ value, share: work }, place) => {
    const { right } = fitted.answers[place] ?? { right: new Uint8Array() };
    const cost = costs.heads[place] ?? { leave: Number.NaN, stay: Number.NaN };
    const exit = exits?.places.indexOf(place) ?? -1;
    return {
      ...{ value, work, accuracy: sum(right) / right.length },
      ...{ leave: cost.leave / costs.base, stay: cost.stay / costs.base },
      threshold: exits?.plan.thresholds[exit] ?? null,
      share: exit < 0 ? null : (exits?.plan.shares[exit] ?? null),
    };
  });
}

const sum = (values: Iterable<number>): number => {
  let total = 0;
  for (const value of values) total += value;
  return total;
};

function expectedOf({ exits, costs }: ExitSettled): EarlyExitReport["expected"] {
  if (exits === null) return null;
  const { cost, shares, lost, won, samples } = exits.plan;
  const passed = sum(exits.places.map((place) => costs.heads[place]?.stay ?? 0));
  return {
    ratio: cost / costs.base,
    worst: 1 + passed / costs.base,
    drop: (lost - won) / samples,
    stays: shares.at(-1) ?? 1,
  };
}

function answerOf(settled: ExitSettled): string {
  const { outcome, trials, measured, request } = settled;
  const trial = trials.at(-1);
  const expected = expectedOf(settled);
  const cost = measured.at(-1);
  const tested = trial === undefined ? "" : trialText("accuracy", trial);
  const name = basename(request.model);
  switch (outcome) {
    case "improved":
      return `CPU time ${cost === undefined ? "" : ratioText(cost.ratio)} by exits; ${leavingText(settled)}; ${tested}`;
    case "not-shown":
      return trial === undefined ? hopeText(settled) : tested;
    case "nothing":
      if (cost !== undefined) {
        return `exits do not pay for ${name} on this machine: the accuracy is kept, and the CPU time is ${ratioText(cost.ratio)}, where ${changeText(expected?.ratio ?? 1)} was expected`;
      }
      return `exits do not pay for ${name} on this machine: ${reasonOf(settled)}`;
    case "faulty":
      return `the written file failed its checks: ${trial?.faults.join("; ") ?? ""}`;
    default:
      return outcome satisfies never;
  }
}

function leavingText({ exits, fitted }: ExitSettled): string {
  const { places = [], plan } = exits ?? {};
  const leaving = places.map((place, exit) => {
    const share = plan?.shares[exit] ?? 0;
    return `${percent(share)} of the samples leave at ${fitted.heads[place]?.value ?? ""}`;
  });
  const stays = plan?.shares.at(-1) ?? 1;
  const unused =
    stays < FEW ? ["hardly any goes to the end, so that a model which is cut there may do"] : [];
  return [...leaving, ...unused].join(", ");
}

/** Share of the samples below which the rest of a model is not worth its place. */
const FEW = 0.01;

/** Why no exit costs less, whatever could be shown. */
function reasonOf({ costs, request }: ExitFound): string {
  const cheapest = Math.min(...costs.heads.map(({ leave }) => leave)) / costs.base;
  if (cheapest >= 1) {
    return `to leave at the first possible place costs ${changeText(cheapest)} against the whole model, which takes ${secondsText(costs.base)}`;
  }
  return `to leave costs ${changeText(cheapest)} at best, but with a drop of ${dropText("accuracy", request.options.maxDrop)} at most too few samples do to pay for the heads that all run`;
}

/** What is to be gained, and how many samples it would take to show it. */
function hopeText({ wished, costs, parts, request }: ExitFound): string {
  if (wished === null) return "nothing within the budget costs less";
  const { maxDrop } = request.options;
  const gain = changeText(wished.plan.cost / costs.base);
  const isShownBy = (verified: number): boolean =>
    TRIALS.some((trial) => likelyBound(wished.plan, { verified, ...trial }) <= maxDrop);
  const sizes = Array.from({ length: DOUBLINGS }, (_, at) => parts.verify.length * 2 ** at);
  const needed = sizes.find(isShownBy);
  const remedy =
    needed === undefined
      ? "more samples for the thresholds are needed first"
      : `about ${needed.toLocaleString("en")} could`;
  return `exits may save: CPU time ${gain}; but ${parts.verify.length} samples to verify on cannot show a drop below ${dropText("accuracy", maxDrop)}, ${remedy}`;
}

/** Times that the samples to verify on are doubled before it is called hopeless. */
const DOUBLINGS = 12;

const percent = (share: number): string => `${Math.round(100 * share)} %`;
