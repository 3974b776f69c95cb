// `godwit slim apply`: a recipe that a search wrote, on the same file or on another version of it. The same
// recipe, file and samples give the same bytes.

import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { writeFileAtomic } from "../core/host/write-file-atomic.ts";
import { UserError } from "../core/index.ts";
import { nativeRuntime } from "../engine/index.ts";
import {
  applyRecipe,
  inputsOf,
  type PassContext,
  parseRecipe,
  type Recipe,
  recipeText,
  sha256,
} from "../models/compress/index.ts";
import { encodeModel, loadOperators } from "../onnx/index.ts";
import type { CliContext } from "./context.ts";
import { outputFile } from "./output-file.ts";
import { endingWith, SLIM_EXIT } from "./slim-exit.ts";
import { openSlimInputs, openSlimModel, type SlimModel } from "./slim-inputs.ts";
import { type DataOptions, dataCommand } from "./slim-options.ts";

/** The command `slim apply`. */
export const slimApplyCommand = (context: CliContext) =>
  dataCommand("apply")
    .description("Make a model by a recipe that a search wrote, byte for byte the same.")
    .argument("<model>", "an .onnx file")
    .requiredOption("--recipe <file>", "recipe.json of a search's folder")
    .requiredOption("-o, --out <file>", "the model to write")
    .option("--json", "print as JSON")
    .action(async (file, options) => {
      const recipe = await readRecipe(resolve(context.cwd, options.recipe));
      const path = resolve(context.cwd, file);
      const out = await outputFile(context, options.out, [path]);
      const model = await openSlimModel(path);
      try {
        const own = {
          ...{ operators: await loadOperators(context.host), runtime: nativeRuntime() },
          ...(await rowsFor(context, { model, recipe, options })),
        };
        const { model: made, changes } = await applyRecipe(model.whole, recipe, own);
        const bytes = encodeModel(made);
        await writeFileAtomic(out, bytes);
        const written = { out: options.out, bytes: bytes.length, sha256: await sha256(bytes) };
        context.stdout.write(
          options.json === true
            ? `${JSON.stringify({ schema: "godwit.slim-apply/1", ...written, changes })}\n`
            : `${recipeText(recipe.steps)}: ${(bytes.length / 1e6).toFixed(2)} MB, SHA-256 ${written.sha256}: ${options.out}\nNothing is verified yet: godwit slim verify holds it against the original.\n`,
        );
      } finally {
        model.close();
      }
    });

async function readRecipe(path: string): Promise<Recipe> {
  return endingWith(SLIM_EXIT.usage, async () => {
    const text = await readFile(path, "utf8").catch((cause: unknown) => {
      throw new UserError("invalid-input", `${path} cannot be read`, {
        hint: "Give the recipe.json of a search's folder.",
        cause,
      });
    });
    try {
      return parseRecipe(JSON.parse(text), path);
    } catch (cause) {
      if (!(cause instanceof SyntaxError)) throw cause;
      throw new UserError("invalid-input", `${path} is no JSON: ${cause.message}`, {
        hint: "Give the recipe.json of a search's folder.",
        cause,
      });
    }
  });
}

/** The rows of the recipe as inputs. Throws UserError where the samples are missing, or fewer. */
async function rowsFor(
  context: CliContext,
  of: { readonly model: SlimModel; readonly recipe: Recipe; readonly options: DataOptions },
): Promise<Pick<PassContext, "calibration" | "training">> {
  const { model, recipe, options } = of;
  const { calibration, training, steps } = recipe;
  if (steps.every(({ pass }) => pass === "simplify")) return {};
  const { dataset, samples } = await openSlimInputs(context, model, options);
  const last = Math.max(-1, ...calibration.rows, ...training);
  await endingWith(SLIM_EXIT.badData, () => {
    if (last < dataset.length) return;
    const message = `the recipe names row ${last}, and ${dataset.name} has ${dataset.length} rows`;
    throw new UserError("invalid-input", message, {
      hint: "Give the samples that the search was given.",
    });
  });
  return {
    calibration: inputsOf(samples, calibration.rows, calibration.batch),
    ...(training.length === 0 ? {} : { training: inputsOf(samples, training) }),
  };
}
