// The engines that `godwit submit` can hand a job to, in one list: what each makes of the command line, and
// what it does once the job is on the disk.

import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { reasonOf, UserError } from "../core/errors.ts";
import {
  type EngineName,
  type JobRecord,
  type JobStore,
  jobFolder,
} from "../systems/schedule/jobs/index.ts";
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
    of: { readonly id: string; readonly words: readonly string[]; readonly folder: string },
  ): Promise<Prepared>;
  /** Writes what the engine needs beside the record, before the record. */
  spool(
    context: CliContext,
    of: { readonly record: JobRecord; readonly words: readonly string[] },
  ): Promise<void>;
  /** Hands over a job that is on the disk. */
  handOver(
    context: CliContext,
    of: { readonly store: JobStore; readonly record: JobRecord },
  ): Promise<void>;
}

const local: SubmitEngine = {
  name: "local",
  async prepare({ host }, { words }) {
    const [file, ...args] = words;
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
  handOver: async () => {},
};

/** The script is copied when it is submitted, as sbatch does, into a folder that holds the job's id. */
const slurm: SubmitEngine = {
  name: "slurm",
  async prepare(context, { id, words, folder }) {
    const { limitOf, optionValue, scriptOptions, splitSbatch } = await import(
      "../systems/schedule/slurm/index.ts"
    );
    const { options, script, args } = splitSbatch(words);
    const text = readScript(resolve(context.cwd, script));
    const all = [...scriptOptions(text), ...options];
    const time = optionValue(all, "time", "t");
    const limitS = time === null ? null : limitOf(time);
    return {
      command: [join(jobFolder(folder, id), basename(script)), ...args],
      engineData: { options: JSON.stringify(options), limitS },
      ...{ limitS, name: [basename(script), ...args].join(" ") },
      output: resolve(context.cwd, optionValue(all, "output", "o") ?? "slurm-%j.out"),
    };
  },
  async spool(context, { record, words }) {
    const { splitSbatch } = await import("../systems/schedule/slurm/index.ts");
    const [copy] = record.command;
    mkdirSync(join(copy, ".."), { recursive: true, mode: 0o700 });
    writeFileSync(copy, readScript(resolve(context.cwd, splitSbatch(words).script)), {
      mode: 0o700,
    });
    chmodSync(copy, 0o700);
  },
  async handOver(context, { store, record }) {
    const { slurmOn } = await import("./slurm-ports.ts");
    await slurmOn(context, store).engine.submit(record);
  },
};

/** Text of a batch script: sbatch takes nothing that does not name its interpreter. */
function readScript(path: string): string {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    throw new UserError("invalid-input", `cannot read the script ${path}: ${reasonOf(cause)}`, {
      hint: "Check the path: it is the first word that is not an option of sbatch.",
      cause,
    });
  }
  if (text.startsWith("#!")) return text;
  throw new UserError("invalid-input", `${path} is no batch script: it does not begin with #!`, {
    hint: "Let its first line be #!/bin/bash; srun and the program follow.",
  });
}

const ENGINES: readonly [SubmitEngine, ...SubmitEngine[]] = [local, slurm];

/** The usual one first. */
export const ENGINE_NAMES = [ENGINES[0].name, ...ENGINES.slice(1).map(({ name }) => name)] as const;

export function engineNamed(name: EngineName): SubmitEngine {
  const found = ENGINES.find((engine) => engine.name === name);
  if (found === undefined) throw new RangeError(`no engine ${name}`);
  return found;
}
