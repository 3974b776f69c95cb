// Slurm's commands, each run without a shell and with an end to the waiting, and what their answers mean.
// The words of errors are those of slurm_errno.c; they have been the same from 22.05 to 24.11.

import { type Host, hostErrorCode } from "../../../core/host/host.ts";
import { reasonOf, UserError } from "../../../core/index.ts";
import { type NodeUse, readHistory } from "./read-history.ts";
import { type AccountedJob, readSacct } from "./read-sacct.ts";
import { readSinfo, type SlurmNode } from "./read-sinfo.ts";
import { type QueuedJob, readSqueue } from "./read-squeue.ts";
import { submittedId } from "./sbatch-arguments.ts";

/** What became of a submission. `unknown`: it may have arrived; the queue tells later. */
type Submitted =
  | { readonly kind: "accepted"; readonly id: number; readonly said: string }
  | { readonly kind: "refused"; readonly reason: string }
  | { readonly kind: "unknown"; readonly reason: string };

/** What became of a change to a job. */
export type Answer =
  | { readonly kind: "done" }
  /** It has begun, or has ended, or is not known: the change has nothing to act on. */
  | { readonly kind: "too-late"; readonly reason: string }
  | { readonly kind: "denied"; readonly reason: string }
  | { readonly kind: "unreachable"; readonly reason: string };

export interface SlurmClient {
  sbatch(
    args: readonly string[],
    environment: Readonly<Record<string, string>> | null,
  ): Promise<Submitted>;
  /** Every job that the controller knows. Throws UserError when it does not answer. */
  queue(): Promise<readonly QueuedJob[]>;
  /** What accounting keeps of these jobs, requeued ones several times. Throws as `queue` does. */
  accounting(ids: readonly number[], since: number): Promise<readonly AccountedJob[]>;
  nodes(): Promise<readonly SlurmNode[]>;
  /** When nodes had jobs between two moments, of all users. Throws as `queue` does. */
  history(from: number, to: number): Promise<readonly NodeUse[]>;
  /** The name of the cluster that is asked. Throws as `queue` does. */
  clusterName(): Promise<string>;
  /** `scontrol` with a job's id, such as release, suspend, requeue; or update with settings. */
  control(verb: ControlVerb, id: string, settings?: readonly string[]): Promise<Answer>;
  cancel(id: string): Promise<Answer>;
}

type ControlVerb = "update" | "hold" | "release" | "suspend" | "resume" | "requeue";

/** Longest wait for one command, milliseconds: a dead controller is told after 9 s. */
const PATIENCE_MS = 30_000;

/** Slurm's commands on this machine. */
export function createSlurmClient(host: Pick<Host, "run" | "env">): SlurmClient {
  const run = async (
    command: string,
    args: readonly string[],
    more: { readonly env?: Readonly<Record<string, string>> } = {},
  ) => {
    const options = { timeout: PATIENCE_MS, ...more };
    const answer = await host.run(command, args, options).catch((cause) => {
      throw commandFault(command, cause);
    });
    if (answer.code === 0) return answer.stdout;
    throw new UserError("network", `${command}: ${told(answer)}`, { hint: HINT });
  };
  const change = async (command: string, args: readonly string[]): Promise<Answer> => {
    try {
      const answer = await host.run(command, args, { timeout: PATIENCE_MS });
      return answer.code === 0 ? { kind: "done" } : answerOf(told(answer));
    } catch (cause) {
      if (hostErrorCode(cause) === "ENOENT") throw commandFault(command, cause);
      return { kind: "unreachable", reason: reasonOf(cause) };
    }
  };
  return {
    async sbatch(args, environment) {
      const options = environment === null ? {} : { env: environment };
      try {
        const answer = await host.run("sbatch", args, { timeout: PATIENCE_MS, ...options });
        const id = submittedId(answer.stdout);
        if (answer.code === 0 && id !== null)
          return { kind: "accepted", id, said: answer.stderr.trim() };
        const reason = told(answer);
        const mayHaveArrived = answer.code === 0 || UNREACHABLE.test(reason);
        return { kind: mayHaveArrived ? "unknown" : "refused", reason };
      } catch (cause) {
        if (hostErrorCode(cause) === "ENOENT") throw commandFault("sbatch", cause);
        return { kind: "unknown", reason: reasonOf(cause) };
      }
    },
    queue: async () => readSqueue(await run("squeue", ["--json"])),
    accounting: async (ids, since) =>
      readSacct(
        await run("sacct", ["--json", "--duplicates", `--jobs=${ids.join(",")}`, startTime(since)]),
      ),
    nodes: async () => readSinfo(await run("sinfo", ["--json"])),
    async history(from, to) {
      const uses = new Map<string, NodeUse>();
      const env = { ...definedOf(host.env), SLURM_TIME_FORMAT: "%s" };
      // A day at a time: what a command may say is limited. A job of two days stands in both.
      for (let start = from; start < to; start += DAY_S) {
        const args = [...HISTORY, startTime(start), endTime(Math.min(start + DAY_S, to))];
        for (const use of readHistory(await run("sacct", args, { env }), to))
          uses.set(`${use.job} ${use.start}`, use);
      }
      return [...uses.values()].sort((a, b) => a.start - b.start);
    },
    clusterName: async () =>
      /^ClusterName\s*=\s*(\S+)/m.exec(await run("scontrol", ["show", "config"]))?.[1] ?? "",
    control: (verb, id, settings = []) =>
      change("scontrol", verb === "update" ? [verb, `JobId=${id}`, ...settings] : [verb, id]),
    cancel: (id) => change("scancel", [id]),
  };
}

const DAY_S = 86_400;

/** Text, because history is long and JSON takes fifty times as much; times as Unix seconds. */
const HISTORY = [
  ...["--allusers", "--allocations", "--duplicates", "--parsable2", "--noheader"],
  "--format=JobIDRaw,Start,End,NodeList",
];

const definedOf = (env: Host["env"]): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );

const endTime = (at: number): string => `--endtime=uts${Math.floor(at)}`;
const startTime = (at: number): string => `--starttime=uts${Math.floor(at)}`;

const HINT = "Slurm's daemons may be down: try scontrol ping and sacctmgr ping.";

const UNREACHABLE =
  /contact|timed out|time ?out|connect|communication|socket|persistent|database|transport|zero bytes|standby|unexpected message/i;
const TOO_LATE =
  /invalid job id|already finished|no longer pending|already complet|not pending|is pending execution|completing|not suspended|disabled|invalid state/i;
const DENIED = /permission|denied|not authorized|not permitted/i;

/** What words of an error mean for a change. A fault that is not known may pass: it is tried again. */
export function answerOf(reason: string): Answer {
  if (DENIED.test(reason)) return { kind: "denied", reason };
  if (TOO_LATE.test(reason)) return { kind: "too-late", reason };
  return { kind: "unreachable", reason };
}

/** What a command said, on one line. */
const told = ({ stderr, stdout }: { readonly stderr: string; readonly stdout: string }): string =>
  (stderr.trim() || stdout.trim() || "it said nothing").replaceAll(/\s+/g, " ").slice(0, 500);

function commandFault(command: string, cause: unknown): UserError {
  if (hostErrorCode(cause) === "ENOENT")
    return new UserError("unsupported", `${command} is not installed here`, {
      hint: "Run godwit on a host with Slurm's commands, such as a login node.",
      cause,
    });
  return new UserError("network", `${command}: ${reasonOf(cause)}`, { hint: HINT, cause });
}
