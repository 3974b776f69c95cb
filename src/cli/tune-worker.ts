// One run of a search: the command with its values filled in, under `godwit run` in a process of its own,
// so that it is measured and kept as any run is.

import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Card, parseCard } from "../core/card.ts";
import type { Assignment } from "../models/search/index.ts";

/** What all runs of a search share. */
export interface WorkerOptions {
  readonly command: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Name of the search; each run's is this with its number. */
  readonly name: string;
  /** Tags by which the runs of a search are found again. */
  readonly tags: Readonly<Record<string, string>>;
  /** Options of `godwit run` that the search was given: location, intensity, ledger. */
  readonly runArgs: readonly string[];
}

export interface WorkerResult {
  /** Null when nothing could be measured or the command did not start. */
  readonly card: Card | null;
  readonly code: number | null;
  /** The end of what the command printed. */
  readonly stdout: string;
  readonly stderr: string;
}

/** The resource as commands take it: epochs are whole. */
export const wholeResource = (resource: number): number => Math.max(1, Math.round(resource));

/** The command with values in place of {name}; {resource} and {trial} are the run's own. */
export function fillIn(
  command: readonly string[],
  { config, resource, trial }: Assignment,
): string[] {
  const values = new Map<string, unknown>(Object.entries(config));
  values.set("resource", wholeResource(resource));
  values.set("trial", trial);
  return command.map((word) =>
    word.replace(/\{([A-Za-z_][\w.-]*)\}/g, (whole, name: string) =>
      values.has(name) ? String(values.get(name)) : whole,
    ),
  );
}

/** Runs one assignment to its end; an abort ends the command, too. */
export async function runAssignment(
  assignment: Assignment,
  options: WorkerOptions,
  signal: AbortSignal,
): Promise<WorkerResult> {
  const folder = mkdtempSync(join(tmpdir(), "godwit-tune-"));
  const file = join(folder, "card.json");
  try {
    const { trial, resource, config } = assignment;
    const tags = {
      ...options.tags,
      trial: String(trial),
      resource: String(resource),
      config: JSON.stringify(config),
    };
    const args = [
      ...["run", "--quiet", "--json", file, "--name", `${options.name} #${trial}`],
      ...Object.entries(tags).flatMap(([key, value]) => ["--tag", `${key}=${value}`]),
      ...options.runArgs,
      "--",
      ...fillIn(options.command, assignment),
    ];
    const ended = await launch(args, { options, assignment, signal });
    return { ...ended, card: readCard(file) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Most that is kept of an output: a metric is near its end. */
const MAX_OUTPUT = 256 * 1024;

function launch(
  args: readonly string[],
  of: {
    readonly options: WorkerOptions;
    readonly assignment: Assignment;
    readonly signal: AbortSignal;
  },
): Promise<Omit<WorkerResult, "card">> {
  const { options, assignment, signal } = of;
  const { config, resource, trial } = assignment;
  const settings = JSON.stringify({ ...config, resource: wholeResource(resource), trial });
  // This very program, by the same interpreter and flags.
  const self = [...process.execArgv, process.argv[1] ?? ""];
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [...self, ...args], {
      cwd: options.cwd,
      env: { ...options.env, GODWIT_CONFIG: settings },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const output = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"] as const) {
      child[name].setEncoding("utf8").on("data", (text: string) => {
        output[name] = (output[name] + text).slice(-MAX_OUTPUT);
      });
    }
    const stop = (): void => void child.kill("SIGTERM");
    signal.addEventListener("abort", stop, { once: true });
    if (signal.aborted) stop();
    child.once("error", reject);
    child.once("close", (code) => {
      signal.removeEventListener("abort", stop);
      resolve({ ...output, code });
    });
  });
}

/** The card that `godwit run` wrote; null when it wrote none. */
function readCard(file: string): Card | null {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch {
    return null;
  }
  const parsed: unknown = JSON.parse(text);
  const schema = typeof parsed === "object" && parsed !== null ? Reflect.get(parsed, "schema") : "";
  return typeof schema === "string" && schema.startsWith("godwit.card/") ? parseCard(parsed) : null;
}
