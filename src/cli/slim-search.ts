// `godwit slim MODEL`: searches, writes, verifies in a process of its own, measures, reports, keeps cards.

import { rename, rm } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { writeFileAtomic } from "../core/host/write-file-atomic.ts";
import { shellWord, UserError } from "../core/index.ts";
import { type EngineOptions, nativeRuntime } from "../engine/index.ts";
import {
  type Allowed,
  CALIBRATION_BATCH,
  type Recipe,
  recipeOf,
  type SearchCandidate,
  search,
  sha256,
  threeSplits,
} from "../models/compress/index.ts";
import { encodeModel, loadOperators } from "../onnx/index.ts";
import type { Outcome, SlimTrial } from "../report/slim/report.ts";
import type { CliContext } from "./context.ts";
import { outputFile } from "./output-file.ts";
import { refuseHopeless } from "./slim-baseline.ts";
import { costsOf, isCheaper } from "./slim-costs.ts";
import { endingWith, SLIM_EXIT } from "./slim-exit.ts";
import { askedOf, openSearchFolder } from "./slim-folder.ts";
import type { SlimCosts, SlimFound, SlimRequest, Written } from "./slim-found.ts";
import { openSlimInputs, openSlimModel } from "./slim-inputs.ts";
import { unlessInterrupted } from "./slim-interrupt.ts";
import { refuseTooLarge } from "./slim-memory.ts";
import { dataArguments, learns, type SlimOptions } from "./slim-options.ts";
import { type SearchProgress, searchProgress } from "./slim-progress.ts";
import { verifyAside } from "./slim-verify.ts";

/** Seconds for the whole where none are asked for. */
const TIME_LIMIT = 20 * 60;

/** Share of the time that the search may take; verification and measuring need the rest. */
const SEARCH_SHARE = 0.7;

/** Samples for calibration: more of them hardly move a range, and each is looked at twice. */
const CALIBRATION = { quick: 16, normal: 48, high: 128 } as const;

/** Samples that students learn from, at most. */
const TRAINING = { quick: 0, normal: 1500, high: 6000 } as const;

/** Of the chance of a wrong claim, 5 %, what each verification may take: the first is the likeliest. */
const ALPHAS = [0.03, 0.015, 0.005] as const;

/** Runs a search to its end and sets the exit code. */
export async function runSearch(context: CliContext, request: SlimRequest): Promise<void> {
  const progress = searchProgress(context, request.options.quiet === true);
  const { meterSearch } = await import("./slim-cards.ts");
  const metered = await meterSearch(context, request);
  const isDone = await unlessInterrupted(async (signal) => {
    try {
      const found = await findSmaller(context, request, { progress, signal });
      progress.stage("measuring before and after");
      const { reportSearch } = await import("./slim-report.ts");
      await reportSearch(context, found, { metered, progress });
      context.setExitCode(EXIT_OF[found.outcome]);
      found.model.close();
    } catch (error) {
      await metered.fail();
      throw error;
    } finally {
      progress.end();
    }
  });
  if (isDone) return;
  context.stderr.write(
    `interrupted; go on with: godwit slim resume ${shellWord(folderOf(request))}\n`,
  );
  context.setExitCode(SLIM_EXIT.interrupted);
}

const EXIT_OF: Readonly<Record<Outcome, number>> = {
  improved: SLIM_EXIT.improved,
  "not-shown": SLIM_EXIT.notShown,
  nothing: SLIM_EXIT.nothing,
  faulty: SLIM_EXIT.faulty,
};

/** Where the smaller model goes. */
const outputOf = ({ model, options, cwd }: SlimRequest): string =>
  options.out === undefined
    ? model.replace(/(\.onnx)?$/, ".green.onnx")
    : resolve(cwd, options.out);

const folderOf = (request: SlimRequest): string =>
  request.options.runDir === undefined
    ? outputOf(request).replace(/(\.onnx)?$/, ".slim")
    : resolve(request.cwd, request.options.runDir);

/** Whether all that is to be written can be, told before the work. */
async function checkPlaces(context: CliContext, request: SlimRequest): Promise<void> {
  const { model, options, cwd } = request;
  await outputFile(context, outputOf(request), [model]);
  if (options.report !== undefined)
    await outputFile({ ...context, cwd }, options.report, [model], "--report");
}

interface Way {
  readonly progress: SearchProgress;
  readonly signal: AbortSignal;
}

async function findSmaller(
  context: CliContext,
  request: SlimRequest,
  { progress, signal }: Way,
): Promise<SlimFound> {
  const { options } = request;
  const started = performance.now();
  const limit = options.timeLimit ?? TIME_LIMIT;
  await checkPlaces(context, request);
  progress.stage(`opening ${basename(request.model)} and ${options.data ?? "its data"}`);
  const model = await openSlimModel(request.model);
  const inputs = await openSlimInputs(context, model, options);
  const { seed } = options;
  const allow = allowedOf(options);
  const splits = await endingWith(SLIM_EXIT.badData, () =>
    threeSplits(inputs.dataset, {
      ...{ seed, force: options.force === true },
      calibration: CALIBRATION[options.effort],
      training: learns(options) ? TRAINING[options.effort] : 0,
    }),
  );
  if (options.force !== true) {
    await refuseTooLarge(model, inputs, splits.search);
    await refuseHopeless(model, inputs, splits.search);
  }
  const folder = await openSearchFolder(folderOf(request));
  await folder.keep("asked.json", askedOf(request));
  const operators = await loadOperators(context.host);
  const result = await endingWith(SLIM_EXIT.badModel, () =>
    search(model.whole, {
      ...{ splits, samples: inputs.samples, judge: inputs.judge, store: folder.store },
      ...{ maxDrop: options.maxDrop, objective: options.objective, effort: options.effort },
      ...{ allow, batch: options.batch, alpha: ALPHAS[0] },
      context: { operators, runtime: nativeRuntime(), seed, signal, onProgress: progress.onPass },
      secondsLeft: () => limit * SEARCH_SHARE - (performance.now() - started) / 1000,
      onEvent: progress.onEvent,
    }),
  );
  const found = { request, model, inputs, splits, result, folder };
  return { ...found, ...(await tryFinalists(context, found, { progress, signal })) };
}

function allowedOf({ only }: SlimOptions): readonly Allowed[] {
  const all = ["quantise", "prune", "factorise", "distil"] as const;
  if (only === undefined) return all;
  const unknown = only.find((name) => !all.some((known) => known === name));
  if (unknown === undefined) return all.filter((name) => only.includes(name));
  throw new UserError("usage", `--only: there is no pass ${unknown}`, {
    hint: `There are ${all.join(", ")}.`,
  });
}

interface Trials {
  readonly trials: readonly SlimTrial[];
  readonly written: Written | null;
  readonly costs: SlimCosts | null;
  readonly outcome: Outcome;
}

/** Writes and verifies the finalists, most promising first, until one is shown. */
async function tryFinalists(
  context: CliContext,
  of: Omit<SlimFound, keyof Trials>,
  { progress, signal }: Way,
): Promise<Trials> {
  const { request, result, splits } = of;
  const finalists = pick(result.finalists);
  if (finalists.length === 0) return { trials: [], written: null, costs: null, outcome: "nothing" };
  const output = outputOf(request);
  const waiting = join(dirname(output), `.${basename(output)}.unverified`);
  const trials: SlimTrial[] = [];
  let costs: SlimCosts | null = null;
  try {
    for (const [at, candidate] of finalists.entries()) {
      progress.stage(`verifying ${candidate.name} on ${splits.verify.length} samples`);
      const bytes = encodeModel((await result.workshop.build(candidate.steps)).model);
      await writeFileAtomic(waiting, bytes);
      const plan = await of.folder.keep("verify.json", {
        ...{ rows: splits.verify, alpha: ALPHAS[at], settings: result.tuning.settings },
      });
      const args = [
        ...dataArguments(request.options),
        "--max-drop",
        String(request.options.maxDrop),
      ];
      const files = [request.model, waiting] as const;
      const trial = await verifyAside(context, files, [...args, "--plan", plan], signal);
      trials.push({ ...trial, name: candidate.name });
      const isGood = trial.verdict === "equal" || trial.verdict === "shown";
      const isLast = at === finalists.length - 1;
      const isBest =
        isLast && request.options.writeBestEffort === true && trial.verdict === "not-shown";
      if (!isGood && !isBest) continue;
      progress.stage(`measuring ${candidate.name} and the original in turns`);
      costs = await costsOf(of, waiting);
      // Noise now and then hides a small gain; once more is cheap, a third time would be fishing.
      if (!isCheaper(costs, request.options.objective)) costs = await costsOf(of, waiting);
      if (!isCheaper(costs, request.options.objective)) continue;
      await rename(waiting, output);
      const file = { path: output, sha256: await sha256(bytes), bytes: bytes.length };
      const written = { file, candidate, recipe: recipeFor(candidate, of, result.tuning.settings) };
      await of.folder.keep("recipe.json", written.recipe);
      return { trials, written, costs, outcome: isGood ? "improved" : "not-shown" };
    }
  } finally {
    await rm(waiting, { force: true });
  }
  return { trials, written: null, costs: null, outcome: outcomeOf(trials) };
}

/** What is to be said where no file was written. */
function outcomeOf(trials: readonly SlimTrial[]): Outcome {
  if (trials.every(({ verdict }) => verdict === "faulty")) return "faulty";
  // Good, but within the noise of what the original costs.
  const isGood = trials.some(({ verdict }) => verdict === "equal" || verdict === "shown");
  return isGood ? "nothing" : "not-shown";
}

/** At most as many as there are shares of alpha: the best ones, and the safest one last. */
function pick(finalists: readonly SearchCandidate[]): readonly SearchCandidate[] {
  const most = ALPHAS.length;
  if (finalists.length <= most) return finalists;
  const first = finalists.slice(0, most - 1);
  const rest = finalists.slice(most - 1);
  const safest = rest.reduce((a, b) => (b.spread < a.spread ? b : a));
  return [...first, safest];
}

const recipeFor = (
  { steps }: SearchCandidate,
  { request, splits }: Omit<SlimFound, keyof Trials>,
  settings: EngineOptions,
): Recipe =>
  recipeOf(steps, {
    seed: request.options.seed,
    calibration: { rows: [...splits.calibration], batch: CALIBRATION_BATCH },
    training: [...splits.training],
    session: settings as Recipe["session"],
  });
