// `godwit train`: a network or a model of the user's, trained and metered.

import { existsSync, rmSync } from "node:fs";
import { resolve } from "node:path";
import { EXIT, UserError } from "../core/errors.ts";
import type { Checkpoint, Recipe } from "../models/train/index.ts";
import type { CliContext } from "./context.ts";
import { ledgerOf } from "./open-ledger.ts";
import { outputFile } from "./output-file.ts";
import { signalOf } from "./run-options.ts";
import { type OpenRecipe, recipeFrom, type TrainOptions, trainOptions } from "./train-options.ts";
import type { Trained } from "./train-run.ts";

export const trainCommand = (context: CliContext) =>
  trainOptions().action(async (options) => {
    const { openInputs, readWhole } = await import("./train-inputs.ts");
    const { decodeCheckpoint, parseRecipe } = await import("../models/train/index.ts");
    const { loadOperators } = await import("../onnx/index.ts");
    const { nameOfRun, recipeFileOf, runTraining } = await import("./train-run.ts");
    const { host, cwd } = context;
    const files = filesOf(context, options);
    const resume =
      files.resume === null ? null : decodeCheckpoint(readWhole(files.resume), files.resume);
    const read = (path: string): Recipe => parseRecipe(parseJson(path, readWhole(path)), path);
    const base = options.recipe === undefined ? null : read(resolve(cwd, options.recipe));
    const stored =
      resume === null ? null : parseRecipe(JSON.parse(resume.recipe), files.resume ?? "");
    const open = recipeFrom(options, base ?? stored);
    if (stored !== null) checkSame(open, stored, resume);
    if (stored !== null && options.tune === true) throw tunedAlready();
    await checkPlaces(context, files, open);
    const operators = await loadOperators(host);
    const inputs = await openInputs(open, { context, operators });
    try {
      const trained = await runTraining(context, inputs, {
        ...{ operators, resume, output: files.output, checkpointFile: files.checkpoint },
        tune: options.tune === true,
        name: options.name ?? nameOfRun(inputs.recipe),
        tags: options.tag,
        maxEnergy: options.maxEnergy ?? null,
        place: ledgerOf(context, options.ledger),
        signal: signalOf(options, context),
        quiet: options.quiet === true,
      });
      const isDone = trained.result.stopped !== "aborted" && trained.result.stopped !== "energy";
      if (isDone) rmSync(files.checkpoint, { force: true });
      const where = { ...files, recipe: recipeFileOf(files.output), isDone };
      await report(context, trained, { where, json: options.json === true });
      endAs(context, trained);
    } finally {
      inputs.close();
    }
  });

interface Files {
  readonly output: string;
  /** Where this run leaves its checkpoints. */
  readonly checkpoint: string;
  /** The checkpoint to go on from; null for a new run. */
  readonly resume: string | null;
}

function filesOf({ cwd }: CliContext, { output, resume }: TrainOptions): Files {
  const given = typeof resume === "string" ? resolve(cwd, resume) : null;
  const fallback = given === null ? "model.onnx" : given.replace(/(\.checkpoint)?$/, ".onnx");
  const model = resolve(cwd, output ?? fallback);
  const checkpoint = `${model.replace(/\.onnx$/, "")}.checkpoint`;
  const from = given ?? (resume === true ? checkpoint : null);
  if (from !== null && !existsSync(from)) {
    throw new UserError("invalid-input", `there is no checkpoint ${from}`, {
      hint: "Name one with --resume FILE, or start anew without it.",
    });
  }
  return { output: model, checkpoint, resume: from };
}

/** Whether what is written at the end can be, told before the first epoch. */
async function checkPlaces(
  context: CliContext,
  { output }: Files,
  { model }: OpenRecipe,
): Promise<void> {
  const { recipeFileOf } = await import("./train-run.ts");
  const read = "file" in model ? [resolve(context.cwd, model.file)] : [];
  await outputFile(context, output, read, "--output");
  await outputFile(context, recipeFileOf(output), [], "--output");
}

/** A run is gone on with as it began; only its end may be another. */
function checkSame(open: OpenRecipe, stored: Recipe, resume: Checkpoint | null): void {
  const changed = Object.entries(open).filter(
    ([key, value]) =>
      JSON.stringify(value) !== JSON.stringify(stored[key as keyof Recipe]) &&
      !["threads", "spin"].includes(key),
  );
  if (changed.length === 0) return;
  const names = changed.map(([key]) => key).join(", ");
  throw new UserError("usage", `the run that is resumed had other settings: ${names}`, {
    hint: `Resume without them (after epoch ${resume?.position.epochs ?? 0}), or start anew without --resume.`,
  });
}

const tunedAlready = (): UserError =>
  new UserError("usage", "--tune: the run that is resumed goes on in the ways it began with", {
    hint: "Leave --tune out, or start anew without --resume.",
  });

function parseJson(path: string, bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch (error) {
    throw new UserError("invalid-input", `${path} is not JSON`, {
      hint: "Give a recipe such as godwit train writes beside each model.",
      cause: error,
    });
  }
}

async function report(
  context: CliContext,
  trained: Trained,
  of: {
    readonly where: Files & { readonly recipe: string; readonly isDone: boolean };
    readonly json: boolean;
  },
): Promise<void> {
  const { stdout, stderr } = context;
  const { trainedObject, trainedText } = await import("./train-text.ts");
  const files = {
    model: of.where.output,
    recipe: of.where.recipe,
    ...(of.where.isDone ? {} : { checkpoint: of.where.checkpoint }),
  };
  for (const text of new Set([...trained.result.notices, ...trained.notices])) {
    stderr.write(`note: ${text}\n`);
  }
  stdout.write(
    of.json
      ? `${JSON.stringify(trainedObject(trained, files), null, 2)}\n`
      : trainedText(context, trained, files),
  );
}

function endAs(context: CliContext, { result, signal }: Trained): void {
  switch (result.stopped) {
    case "aborted":
      context.setExitCode(EXIT.failed, signal ?? "SIGINT");
      return;
    case "not-finite":
      context.setExitCode(EXIT.failed);
      return;
    case "energy":
      context.setExitCode(EXIT.budgetExceeded);
      return;
    default:
      return;
  }
}
