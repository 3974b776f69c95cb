// `godwit import`: runs that other tools recorded, into the ledger.

import { readFileSync } from "node:fs";
import { basename, resolve } from "node:path";
import { Argument, Command } from "@commander-js/extra-typings";
import type { Card } from "../core/card.ts";
import { reasonOf, UserError, watts } from "../core/index.ts";
import { locate, pueOf } from "../measure/carbon/index.ts";
import {
  importCodeCarbon,
  importPowerLog,
  importSacct,
  utcOffset,
} from "../measure/import/index.ts";
import type { CliContext } from "./context.ts";
import { parseWatts } from "./estimate-values.ts";
import { LEDGER_OPTION, ledgerOf } from "./open-ledger.ts";
import { signalOf } from "./run-options.ts";
import { parseIntensity, parseNumber } from "./values.ts";

const FORMATS = ["sacct", "spl", "codecarbon"] as const;

const EXAMPLES = `
  sacct       sacct -P --format JobID,JobName,Submit,Start,End,Elapsed,Partition,NNodes,\\
              NCPUS,TotalCPU,CPUTime,ReqMem,MaxRSS,State,AllocTRES
  spl         spl.txt of MLPerf Power (SPEC PTDaemon), or a log of time,watts
  codecarbon  emissions.csv of CodeCarbon: kg and kWh

A file that is imported again replaces its runs.

Examples:
  $ sacct -P --format ... | godwit import sacct - --tdp 6.2 --gpu-tdp 300 --location DE
  $ godwit import spl spl.txt --name "resnet50 offline" --from 2026-01-31T12:00:05Z
  $ godwit import codecarbon emissions.csv --utc-offset +01:00`;

interface Options {
  readonly name?: string | undefined;
  readonly utcOffset: number;
  readonly from?: number | undefined;
  readonly to?: number | undefined;
  readonly tdp?: number | undefined;
  readonly gpuTdp?: number | undefined;
  readonly pue?: number | undefined;
  readonly location?: string | undefined;
  readonly intensity?: number | undefined;
}

/** The command `import`. */
export function importCommand(context: CliContext) {
  return new Command("import")
    .description("Take in runs that other tools recorded: Slurm, MLPerf Power, CodeCarbon.")
    .addArgument(new Argument("<format>", "what the file is").choices(FORMATS))
    .argument("<file>", "the file; - is standard input")
    .option("--utc-offset <offset>", "zone of times that name none: +01:00", utcOffset, 0)
    .option("--name <text>", "spl: name of the run (default: the file)")
    .option("--from <time>", "spl: count from here, ISO 8601", (text) => instant("--from", text))
    .option("--to <time>", "spl: count up to here", (text) => instant("--to", text))
    .option("--tdp <watts>", "sacct: watts of one core", (text) => parseWatts("--tdp", text))
    .option("--gpu-tdp <watts>", "sacct: watts of one GPU", (text) => parseWatts("--gpu-tdp", text))
    .option("--pue <factor>", "sacct: PUE of the cluster", (text) => parseNumber("--pue", text))
    .option("--location <place>", "sacct: whose carbon intensity applies")
    .option("--intensity <gCO2e/kWh>", "sacct: carbon intensity", (text) =>
      parseIntensity("--intensity", text),
    )
    .option(...LEDGER_OPTION)
    .addHelpText("after", EXAMPLES)
    .action(async (format, file, { ledger: flag, ...options }) => {
      const text = read(context, file);
      const cards = await cardsOf(context, format, { file, text, options });
      const { openLedger } = await import("../ledger/index.ts");
      const ledger = await openLedger(ledgerOf(context, flag));
      try {
        for (const card of cards) await ledger.put(card);
      } finally {
        ledger.close();
      }
      for (const { id } of cards) context.stdout.write(`${id}\n`);
      context.stderr.write(`Imported ${cards.length} ${cards.length === 1 ? "run" : "runs"}\n`);
      for (const notice of new Set(cards.flatMap(({ notices }) => notices))) {
        context.stderr.write(`note: ${notice}\n`);
      }
    });
}

async function cardsOf(
  context: CliContext,
  format: (typeof FORMATS)[number],
  {
    file,
    text,
    options,
  }: { readonly file: string; readonly text: string; readonly options: Options },
): Promise<readonly Card[]> {
  const { version } = context;
  const offset = options.utcOffset;
  switch (format) {
    case "codecarbon":
      return importCodeCarbon(text, { offset, version });
    case "spl":
      return [
        importPowerLog(text, file, {
          name: options.name ?? basename(file),
          offset,
          version,
          ...(options.from === undefined ? {} : { from: options.from }),
          ...(options.to === undefined ? {} : { to: options.to }),
        }),
      ];
    case "sacct": {
      const { pue, tdp, gpuTdp } = options;
      const { cards, skipped } = importSacct(text, {
        coreTdp: tdp === undefined ? null : watts(tdp),
        gpuTdp: gpuTdp === undefined ? null : watts(gpuTdp),
        pue: pueOf({ personal: false, ...(pue === undefined ? {} : { declared: pue }) }),
        signal: await locate(context.host, signalOf(placeOf(options), context)),
        offset,
        version,
      });
      if (skipped.length > 0) {
        context.stderr.write(`left out, not ended or without times: ${skipped.join(", ")}\n`);
      }
      return cards;
    }
    default:
      return format satisfies never;
  }
}

const placeOf = ({ location, intensity }: Options) => ({
  ...(location === undefined ? {} : { location }),
  ...(intensity === undefined ? {} : { intensity }),
});

function read({ cwd }: CliContext, file: string): string {
  try {
    return readFileSync(file === "-" ? 0 : resolve(cwd, file), "utf8");
  } catch (cause) {
    throw new UserError("invalid-input", `cannot read ${file}`, {
      hint: `Check the path and its permissions (${reasonOf(cause)}).`,
      cause,
    });
  }
}

function instant(option: string, text: string): number {
  const time = Date.parse(text);
  if (/^\d{4}-\d\d-\d\d/.test(text) && !Number.isNaN(time)) return time;
  throw new UserError("usage", `${option}: cannot read "${text}"`, {
    hint: "Give a time with its zone, such as 2026-01-31T12:00:05Z.",
  });
}
