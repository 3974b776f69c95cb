// What `godwit submit` is told beside the plan: resources, environment, outputs, what to wait for.

import { UserError } from "../core/index.ts";
import type { JobRecord, JobStore, Pausing, Resources } from "../systems/schedule/jobs/index.ts";
import type { CliContext } from "./context.ts";

const BYTES_IN: Readonly<Record<string, number>> = {
  "": 1,
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
  K: 2 ** 10,
  M: 2 ** 20,
  G: 2 ** 30,
  T: 2 ** 40,
};

/** `16GB`, `512MiB`, `8G` (2^30, as batch systems mean it). */
export function parseBytes(option: string, text: string): number {
  const match = /^\s*(\d+(?:\.\d+)?)\s*([A-Za-z]*)\s*$/.exec(text);
  const scale = BYTES_IN[match?.[2] ?? ""];
  if (match === null || scale === undefined)
    throw new UserError("usage", `${option}: cannot read "${text}"`, {
      hint: "Give an amount of memory such as 16GB or 512MiB.",
    });
  return Math.round(Number(match[1]) * scale);
}

/** Processors may be shared: 0.5 is half of one. */
export function parseCpus(option: string, text: string): number {
  const cpus = Number(text);
  if (text.trim() !== "" && Number.isFinite(cpus) && cpus >= 0) return cpus;
  throw new UserError("usage", `${option}: cannot read "${text}"`, {
    hint: "Give a number of processors, such as 4 or 0.5.",
  });
}

export const resourcesOf = (options: {
  readonly cpus: number;
  readonly memory?: number | undefined;
  readonly gpus: number;
}): Resources => ({
  cpus: options.cpus,
  memoryBytes: options.memory ?? 0,
  gpus: options.gpus,
  nodes: 1,
});

/** How it is stopped: by signals, or by a command of the user's, which his shell reads. */
export function pausingOf(options: {
  readonly interruptible?: true | undefined;
  readonly checkpointCmd?: string | undefined;
}): Pausing | null {
  if (options.checkpointCmd !== undefined)
    return { kind: "checkpoint", command: ["/bin/sh", "-c", options.checkpointCmd] };
  return options.interruptible === true ? { kind: "stop" } : null;
}

/** Not handed on: what names the run around this one, and what a shell keeps for itself. */
const OWN_VARIABLES = new Set(["GODWIT_RUN", "_", "SHLVL", "OLDPWD", "PWD"]);

/** Variables that the job gets: all, none, or those named. */
export function environmentOf(
  { env }: CliContext,
  choice: string,
): Readonly<Record<string, string>> | null {
  if (choice === "none") return null;
  const wanted = choice === "all" ? Object.keys(env) : choice.split(",").map((name) => name.trim());
  const missing = choice === "all" ? undefined : wanted.find((name) => env[name] === undefined);
  if (missing !== undefined)
    throw new UserError("usage", `--export: there is no variable ${JSON.stringify(missing)}`, {
      hint: "Give all, none, or names that are set: --export PATH,HOME,DATA_DIR.",
    });
  return Object.fromEntries(
    wanted.flatMap((name) => {
      const value = env[name];
      return value === undefined || OWN_VARIABLES.has(name) ? [] : [[name, value] as const];
    }),
  );
}

/** The job that a text names: its id, the end of its id, or the newest of its name. */
export async function findJob(store: JobStore, text: string): Promise<JobRecord> {
  const exact = await store.get(text);
  if (exact !== null) return exact;
  const all = await store.list();
  const found = all.filter(({ id }) => text.length >= 4 && id.endsWith(text));
  const [one] = found;
  if (found.length === 1 && one !== undefined) return one;
  if (found.length > 1)
    throw new UserError("invalid-input", `${text} is the end of more than one job's id`, {
      hint: `Type more of it: ${found.map(({ id }) => id).join(", ")}`,
    });
  const named = text === "last" ? all.at(-1) : all.findLast(({ name }) => name === text);
  if (named !== undefined) return named;
  throw new UserError("invalid-input", `there is no job ${JSON.stringify(text)}`, {
    hint: "godwit jobs --all lists what there is.",
  });
}
