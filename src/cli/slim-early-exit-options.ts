// What can be asked of `godwit slim exit`.

import { Option } from "@commander-js/extra-typings";
import { UserError } from "../core/index.ts";
import { LEDGER_OPTION } from "./open-ledger.ts";
import { dataCommand, parseDrop } from "./slim-options.ts";
import { parseCount, parseIntensity } from "./values.ts";

const HELP = `
The model stays as it is. Behind some of its layers a small classifier is put, fitted to the labels; where it
is sure enough, the rest of the model is not run. The file written is one ONNX model with If, which takes one
row a run. Labelled samples, best ones that the model was not trained on, are parted in four: for the
classifiers, for how sure they are, for the thresholds, and for the verification, in a process of its own.

Ends with
    0  the model was written, and verified on samples that nothing else has seen
    2  it would cost less, but it cannot be shown that the accuracy stays within the budget
    3  leaving early does not pay for this model on this machine
    4  the model cannot be used: no classifier, or nowhere to leave it
    5  the data cannot be used: no labels, too few samples
    6  the written file failed its checks (a fault of godwit)
   64  the command line is wrong: an option, or a value of one
  130  interrupted

Examples:
  $ godwit slim exit model.onnx --data photos/ --image-size 224x224 --max-drop 0.5pp -o early.onnx
  $ godwit slim exit model.onnx --data fashion-10k:test --max-drop 1pp --exits 1 -o early.onnx --json
  $ godwit slim exit model.onnx --data digits --at relu_2,relu_5 --confidence margin -o early.onnx
  $ godwit slim verify model.onnx early.onnx --data other/ --one-row`;

const MOST_EXITS = 3;

/** The command without its action. */
export const exitOptions = () =>
  dataCommand("exit")
    .description("Let easy samples leave a classifier early, with its accuracy verified.")
    .argument("<model>", "an .onnx file")
    .requiredOption("-o, --out <file>", "the model to write")
    .option(
      "--max-drop <drop>",
      "largest drop of the accuracy that is accepted: 0.5pp, or a share",
      parseDrop,
      0.01,
    )
    .option("--exits <count>", "exits at most, 1 to 3", parseExits, 2)
    .option(
      "--at <values>",
      "values to try, by name, in the order of the graph (default: five of all)",
      (text) => text.split(","),
    )
    .addOption(
      new Option("--confidence <kind>", "largest probability, or its lead over the second")
        .choices(["max", "margin"] as const)
        .default("max" as const),
    )
    .addOption(
      new Option("--effort <how>", "how long costs are measured: high tells small gains from noise")
        .choices(["quick", "normal", "high"] as const)
        .default("normal" as const),
    )
    .option("--seed <number>", "of every random choice", Number, 1)
    .option("--location <place>", "whose carbon intensity applies: DE, US-CA, eu-west-1 ...")
    .option("--intensity <gCO2e/kWh>", "carbon intensity, such as 380", (text) =>
      parseIntensity("--intensity", text),
    )
    .option("--json", "print as JSON")
    .option("-q, --quiet", "no progress")
    .option(...LEDGER_OPTION)
    .addHelpText("after", HELP);

/** What is asked of early exits. */
export type ExitOptions = ReturnType<ReturnType<typeof exitOptions>["opts"]>;

function parseExits(text: string): number {
  const count = parseCount("--exits", text, 1);
  if (count <= MOST_EXITS) return count;
  throw new UserError("usage", `--exits: ${count} is too many`, {
    hint: `Give 1 to ${MOST_EXITS}: every exit costs those who stay.`,
  });
}
