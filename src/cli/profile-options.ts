// What can be asked of `godwit profile`.

import { Command, Option } from "@commander-js/extra-typings";
import { LEDGER_OPTION } from "./open-ledger.ts";
import { parseFeed, parseShape, parseSize, parseValues } from "./profile-values.ts";
import { parseCount } from "./values.ts";

const EXAMPLES = `
Examples:
  $ godwit profile model.onnx
  $ godwit profile model.onnx --batch 8 --by scope --top 20
  $ godwit profile model.onnx --run --threads 4
  $ godwit profile model.onnx --device h100 --train --optimizer adam
  $ godwit profile model.onnx --diff smaller.onnx
  $ godwit profile model.onnx --by node --csv > nodes.csv`;

/** The command without its action. */
export const profileOptions = () =>
  new Command("profile")
    .description("Show where a model's parameters, operations, bytes, time and energy go.")
    .argument("<model>", "an .onnx file; of .safetensors and .gguf the weights alone")
    .option(
      "--input <name=1x3x224x224>",
      "shape of an input; names keep a size open",
      parseShape,
      {},
    )
    .option(
      "--value <name=16000>",
      "elements of a small input that sizes or branches hang on",
      parseValues,
      {},
    )
    .option("--size <name=4>", "size of a named axis", parseSize, {})
    .option("--batch <count>", "first axis of the inputs that leave it open", (text) =>
      parseCount("--batch", text, 1),
    )
    .addOption(
      new Option("--by <view>", "rows of the table")
        .choices(["node", "scope", "op", "graph"])
        .default("op"),
    )
    .addOption(
      new Option("--sort <column>", "order of the rows")
        .choices(["flops", "macs", "params", "bytes", "order"])
        .default("flops"),
    )
    .option("--top <count>", "rows to show", (text) => parseCount("--top", text, 1), 15)
    .option("--filter <pattern>", "only rows whose name or operator matches")
    .addOption(
      new Option("--flops <convention>", "what a FLOP is")
        .choices(["default", "tfprof", "toolkit"])
        .default("default"),
    )
    .option(
      "--train",
      "add the cost of a training step, by rule and as its gradients are written out",
    )
    .option("--optimizer <name>", "optimiser of that step", "adam")
    .option("--sparsity", "read the weights and count zeros")
    .option("--device <name>", "estimate time and energy on a device, such as h100 or epyc-7763")
    .option("--run", "run it here with ONNX Runtime: time, CPU time and energy by node")
    .option("--feed <name=file.npy>", "values of an input for --run", parseFeed, {})
    .option("--threads <count>", "threads of --run", (text) => parseCount("--threads", text, 1))
    .option("--repeats <count>", "runs that count (default: two seconds of them)", (text) =>
      parseCount("--repeats", text, 1),
    )
    .option("--spin", "let threads spin between operators, as ONNX Runtime does by default")
    .option("--sweep <threads,batch>", "run settings and show the one with the least energy")
    .option("--diff <model>", "compare with another model")
    .option("--strict", "fail when an operator is not counted")
    .option("--json", "print as JSON")
    .option("--csv", "print the rows as CSV")
    .option("--html <file>", "write a page with pictures")
    .option("--keep [name]", "keep the model's card in the ledger")
    .option(...LEDGER_OPTION)
    .addHelpText("after", EXAMPLES);

/** What a command line asked for. */
export type ProfileOptions = ReturnType<ReturnType<typeof profileOptions>["opts"]>;
