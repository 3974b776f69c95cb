// `godwit slim distil`: a smaller model taught by the one that it is to stand in for.

import { resolve } from "node:path";
import { writeFileAtomic } from "../core/host/write-file-atomic.ts";
import { UserError } from "../core/index.ts";
import { distil } from "../models/compress/index.ts";
import { selectColumns } from "../models/data/index.ts";
import { encodeModel, loadOperators } from "../onnx/index.ts";
import type { CliContext } from "./context.ts";
import { outputFile } from "./output-file.ts";
import { openSlimInputs, openSlimModel } from "./slim-inputs.ts";
import { dataCommand, SEED_OPTION } from "./slim-options.ts";
import { parseCount, parsePositive } from "./values.ts";

/** The command `slim distil`. */
export const slimDistilCommand = (context: CliContext) =>
  dataCommand("distil")
    .description("Train a smaller model, a net or a pruned one, towards what the original says.")
    .argument("<student>", "an .onnx file")
    .requiredOption("--teacher <model>", "the original")
    .requiredOption("-o, --out <file>", "the model to write")
    .option(
      "--epochs <count>",
      "rounds over the samples",
      (text) => parseCount("--epochs", text, 1),
      3,
    )
    .option(
      "--rate <number>",
      "highest learning rate",
      (text) => parsePositive("--rate", text),
      0.001,
    )
    .option(
      "--temperature <number>",
      "softens what both say",
      (text) => parsePositive("--temperature", text),
      4,
    )
    .option("--train-batch <rows>", "of a step", (text) => parseCount("--train-batch", text, 1), 16)
    .option(...SEED_OPTION)
    .option("--json", "print as JSON")
    .action(async (file, options) => {
      const paths = [resolve(context.cwd, file), resolve(context.cwd, options.teacher)] as const;
      const out = await outputFile(context, options.out, paths);
      const student = await openSlimModel(paths[0]);
      const teacher = await openSlimModel(paths[1]);
      try {
        const { samples, dataset } = await openSlimInputs(context, student, options);
        if (Object.keys(samples.fixed).length > 0) {
          throw new UserError("unsupported", "models with fixed inputs are not trained here", {
            hint: "Distil them with godwit/train, whose data have all inputs.",
          });
        }
        const columns = [...samples.columns].map(([input, column]) => [column, input] as const);
        const taught = await distil(student.whole, {
          teacher: teacher.whole,
          data: selectColumns(dataset, Object.fromEntries(columns)),
          operators: await loadOperators(context.host),
          ...{ epochs: options.epochs, rate: options.rate, temperature: options.temperature },
          ...{ batchSize: options.trainBatch, seed: options.seed },
        });
        const bytes = encodeModel(taught.model);
        await writeFileAtomic(out, bytes);
        const { before, after, kept } = taught;
        const found = {
          schema: "godwit.slim-distil/1",
          out,
          bytes: bytes.length,
          before,
          after,
          kept,
        };
        const learnt = kept ? "it learnt" : "nothing was learnt that helps, so it stays as it was";
        context.stdout.write(
          options.json === true
            ? `${JSON.stringify(found)}\n`
            : `distance from the teacher on samples left out: ${before.toPrecision(3)} to ${after.toPrecision(3)}; ${learnt}: ${options.out}\nNothing is verified yet: godwit slim verify holds it against the original.\n`,
        );
      } finally {
        student.close();
        teacher.close();
      }
    });
