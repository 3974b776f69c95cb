// `godwit card`: a run's emissions in a model card's front matter, or a check of what stands there.

import { isUtf8 } from "node:buffer";
import { resolve } from "node:path";
import { Command, Option } from "@commander-js/extra-typings";
import type { Card } from "../core/card.ts";
import { EXIT, formatQuantity, reasonOf, UserError } from "../core/index.ts";
import type { CliContext } from "./context.ts";
import { LEDGER_OPTION } from "./open-ledger.ts";

const EXAMPLES = `
The file keeps its comments, order and spelling; fields that a person wrote stay.

Exit codes of --check: 0 nothing is wrong, 1 something is, 2 the file cannot be read.

Examples:
  $ godwit card last README.md --training-type fine-tuning
  $ godwit card --check README.md
  $ godwit card last README.md --check`;

/** The command `card`. */
export function cardCommand(context: CliContext) {
  return new Command("card")
    .description("Write a run's emissions, in grams, into a Hugging Face model card.")
    .argument("<run>", "run to take the emissions from; with --check it may be left out")
    .argument("[file]", "the model card, such as README.md")
    .option("--check", "only say what is wrong with what the file says")
    .addOption(
      new Option("--training-type <type>", "what was measured").choices([
        "pre-training",
        "fine-tuning",
      ] as const),
    )
    .option("--geographical-location <text>", "as granular as possible: Quebec, Canada")
    .option("--hardware <text>", "how much and what kind: 8 V100 GPUs")
    .option("--source <text>", "where the number is from (default: godwit and its method)")
    .option(...LEDGER_OPTION)
    .addHelpText("after", EXAMPLES)
    .action(async (first, second, { check, ledger, ...options }) => {
      if (check) {
        const [file, run] = second === undefined ? [first] : [second, first];
        await checkFile(
          context,
          file,
          run === undefined ? null : await cardOf(context, run, ledger),
        );
        return;
      }
      if (second === undefined) {
        throw new UserError("usage", "no model card was named", {
          hint: "Name a run and a file: godwit card last README.md",
        });
      }
      await writeFile(context, second, await cardOf(context, first, ledger), options);
    });
}

async function cardOf(
  context: CliContext,
  reference: string,
  flag: string | undefined,
): Promise<Card> {
  const { openForReading } = await import("./open-ledger.ts");
  const ledger = await openForReading(context, flag);
  try {
    return await ledger.get(reference);
  } finally {
    ledger.close();
  }
}

async function checkFile(context: CliContext, file: string, card: Card | null): Promise<void> {
  const { checkFootprint } = await import("../report/exports/footprint.ts");
  const text = await read(resolve(context.cwd, file));
  const findings = checkFootprint(text, card?.measures.emissions?.value);
  for (const finding of findings) context.stdout.write(`${file}: ${finding}\n`);
  if (findings.length > 0) context.setExitCode(EXIT.failed);
  else context.stderr.write(`${file}: nothing is wrong\n`);
}

async function writeFile(
  context: CliContext,
  file: string,
  card: Card,
  options: {
    readonly trainingType?: string;
    readonly geographicalLocation?: string;
    readonly hardware?: string;
    readonly source?: string;
  },
): Promise<void> {
  const { footprintOf } = await import("../report/exports/footprint.ts");
  const { readFootprint, writeFootprint } = await import("../report/exports/front-matter.ts");
  const { writeFileAtomic } = await import("../core/host/write-file-atomic.ts");
  const path = resolve(context.cwd, file);
  const text = await read(path);
  const {
    geographical_location: place,
    hardware_used: hardware,
    ...rest
  } = footprintOf(card, options);
  const before: unknown = Object(readFootprint(text));
  // What a person wrote of place and hardware is finer than what a card knows.
  const own = (field: string, derived: string | undefined, given: string | undefined) => {
    const written: unknown = Reflect.get(Object(before), field);
    const isKept = given === undefined && typeof written === "string" && written !== "";
    if (isKept && derived !== undefined && written !== derived) {
      context.stderr.write(`${field} stays "${written}"; the run says "${derived}"\n`);
    }
    return isKept || derived === undefined ? {} : { [field]: derived };
  };
  const changed = writeFootprint(text, {
    ...rest,
    ...own("geographical_location", place, options.geographicalLocation),
    ...own("hardware_used", hardware, options.hardware),
  });
  await writeFileAtomic(path, changed);
  context.stderr.write(`${file}: ${formatQuantity(rest.emissions, "gCO2e")} of run ${card.id}\n`);
}

async function read(path: string): Promise<string> {
  const { readFile } = await import("node:fs/promises");
  const bytes = await readFile(path).catch((cause: unknown) => {
    throw new UserError("invalid-input", `cannot read ${path}`, {
      hint: `Name the model card, such as README.md (${reasonOf(cause)}).`,
      cause,
    });
  });
  // Written back as text, what is none would be destroyed: a model named in place of its card.
  if (isUtf8(bytes) && !bytes.includes(0)) return bytes.toString();
  throw new UserError("invalid-input", `${path} is no text`, {
    hint: "Name the model card, such as README.md, in UTF-8.",
  });
}
