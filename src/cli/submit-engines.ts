// The engines that `godwit submit` can hand a job to, in one list: what each makes of the command line, and
// what it does once the job is on the disk.

import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { reasonOf, UserError } from "../core/errors.ts";
import {
  type EngineName,
  type JobRecord,
  type JobStore,
  jobFolder,
} from "../systems/schedule/jobs/index.ts";
import { cardsFolder } from "./cards-folder.ts";
import type { CliContext } from "./context.ts";

/** What a job is in its engine. */
export interface Prepared {
  readonly command: JobRecord["command"];
  readonly engineData: JobRecord["engineData"];
  /** Longest it may run, seconds, where the engine was told; null where not. */
  readonly limitS: number | null;
  /** What it is called when nobody says. */
  readonly name: string;
  /** Where the engine writes what the job says; null where godwit does. Slurm's patterns stay. */
  readonly output: string | null;
}

interface SubmitEngine {
  readonly name: EngineName;
  /** Reads the words of the command line; nothing is written. Throws UserError for what cannot be. */
  prepare(
    context: CliContext,
    of: {
      readonly id: string;
      readonly words: readonly string[];
      /** The ledger's. */
      readonly folder: string;
      readonly name: string | undefined;
      readonly tags: Readonly<Record<string, string>>;
      /** Whether an engine that can do without runs it under the meter. */
      readonly isMetered: boolean;
    },
  ): Promise<Prepared>;
  /** Writes what the engine needs beside the record, before the record. */
  spool(
    context: CliContext,
    of: {
      readonly record: JobRecord;
      readonly words: readonly string[];
      readonly folder: string;
    },
  ): Promise<void>;
  /** Hands over a job that is on the disk. Gives it back as it stands then. */
  handOver(
    context: CliContext,
    of: {
      readonly store: JobStore;
      readonly record: JobRecord;
      readonly ledger: string | undefined;
    },
  ): Promise<JobRecord>;
}

const local: SubmitEngine = {
  name: "local",
  async prepare({ host }, { words, isMetered }) {
    const [file, ...args] = words;
    if (!isMetered)
      throw new UserError("usage", "--no-meter is for --engine slurm", {
        hint: "Leave it away: jobs of this machine run under the meter.",
      });
    if (host.platform === "win32")
      throw new UserError("unsupported", "jobs cannot be run on Windows", {
        hint: "godwit plan says when to start; WSL runs jobs.",
      });
    // A shell's `exec` would take it for an option.
    if (file === undefined || file === "" || file.startsWith("-"))
      throw new UserError("usage", `${JSON.stringify(file ?? "")} is no command`, {
        hint: "Write the command after --: godwit submit --deadline +8h -- python train.py",
      });
    return {
      command: [file, ...args],
      engineData: {},
      limitS: null,
      name: words.join(" "),
      output: null,
    };
  },
  spool: async () => {},
  handOver: async (_, { record }) => record,
};

/**
 * A script is copied when it is submitted, as sbatch does. What Slurm gets is a script that starts it under
 * the meter, in a folder that holds the job's id.
 */
const slurm: SubmitEngine = {
  name: "slurm",
  async prepare(context, { id, words, folder, name, tags, isMetered }) {
    const { launchWords, limitOf, optionValue, scriptOptions, splitSbatch } = await import(
      "../systems/schedule/slurm/index.ts"
    );
    const { options, file, args } = splitSbatch(words);
    const text = scriptOf(context, file, isMetered);
    const all = [...(text === null ? [] : scriptOptions(text)), ...options];
    const time = optionValue(all, "time", "t");
    const limitS = time === null ? null : limitOf(time);
    const usualName = [basename(file), ...args].join(" ");
    const { batch, script } = scriptsOf(folder, id, file);
    const launch = launchWords({
      program: [process.execPath, context.program],
      ...{ id, tags, name: name ?? usualName, cards: cardsFolder(folder, id) },
      file: text === null ? file : script,
    });
    return {
      command: [isMetered ? batch : script, ...args],
      engineData: {
        ...{ options: JSON.stringify(options), limitS },
        ...(isMetered ? { launch: JSON.stringify(launch) } : {}),
      },
      ...{ limitS, name: usualName },
      output: resolve(context.cwd, optionValue(all, "output", "o") ?? "slurm-%j.out"),
    };
  },
  async spool(context, { record, words, folder }) {
    const { batchScript, splitSbatch } = await import("../systems/schedule/slurm/index.ts");
    const { file } = splitSbatch(words);
    const isMetered = "launch" in record.engineData;
    const text = scriptOf(context, file, isMetered);
    const { batch, script } = scriptsOf(folder, record.id, file);
    if (text !== null) writeScript(script, text);
    if (isMetered) writeScript(batch, batchScript(text));
  },
  async handOver(context, { store, record, ledger }) {
    const { slurmOn } = await import("./slurm-ports.ts");
    await slurmOn(context, { store, ledger }).engine.submit(record);
    return (await store.get(record.id)) ?? record;
  },
};

/** What Slurm gets, and the copy of the user's script. Slurm names a job by the script's file. */
function scriptsOf(folder: string, id: string, file: string) {
  const at = (part: string): string => join(jobFolder(folder, id), part, basename(file));
  return { batch: at("batch"), script: at("script") };
}

function writeScript(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  writeFileSync(path, text, { mode: 0o700 });
  chmodSync(path, 0o700);
}

/** Text of a batch script: sbatch takes nothing that does not name its interpreter. Null for a program. */
function scriptOf({ cwd, env }: CliContext, file: string, isMetered: boolean): string | null {
  const path = resolve(cwd, file);
  if (!existsSync(path) && !file.includes("/") && isInPath(file, env["PATH"]) && isMetered)
    return null;
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    throw new UserError("invalid-input", `cannot read the script ${path}: ${reasonOf(cause)}`, {
      hint: "Name a script, or a program that is in the PATH: it is the first word that is not an option of sbatch.",
      cause,
    });
  }
  if (text.includes("\r\n"))
    throw new UserError("invalid-input", `${path} has the line ends of Windows`, {
      hint: "Slurm takes no such script: convert it, as dos2unix does.",
    });
  if (text.startsWith("#!")) return text;
  throw new UserError("invalid-input", `${path} is no batch script: it does not begin with #!`, {
    hint: "Let its first line be #!/bin/bash; srun and the program follow.",
  });
}

const isInPath = (file: string, path = ""): boolean =>
  path.split(":").some((folder) => folder !== "" && existsSync(join(folder, file)));

const ENGINES: readonly [SubmitEngine, ...SubmitEngine[]] = [local, slurm];

/** The usual one first. */
export const ENGINE_NAMES = [ENGINES[0].name, ...ENGINES.slice(1).map(({ name }) => name)] as const;

export function engineNamed(name: EngineName): SubmitEngine {
  const found = ENGINES.find((engine) => engine.name === name);
  if (found === undefined) throw new RangeError(`no engine ${name}`);
  return found;
}
