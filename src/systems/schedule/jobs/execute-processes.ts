// What the agent does to processes, for real: POSIX signals to a session, and /proc or `ps` to tell whether a
// process is still the one that was on record.

import { spawn } from "node:child_process";
import { closeSync, existsSync, mkdirSync, openSync } from "node:fs";
import { join } from "node:path";
import type { Host } from "../../../core/index.ts";
import { isGone } from "../../../measure/run/liveness.ts";
import type { JobProcesses } from "./agent.ts";
import type { JobRecord, ProcessIdentity } from "./record.ts";
import type { Environment } from "./store.ts";

/** Where supervisors tell their troubles; null on a disk that takes nothing. */
function openLog(folder: string, id: string): number | null {
  try {
    mkdirSync(jobFolder(folder, id), { recursive: true, mode: 0o700 });
    return openSync(supervisorLog(folder, id), "a", 0o600);
  } catch {
    return null;
  }
}

export const supervisorLog = (folder: string, id: string): string =>
  join(jobFolder(folder, id), "supervisor.log");

/** The file that a job's process makes when it is let go. */
export const begunFile = (folder: string, { id, attempts }: Pick<JobRecord, "id" | "attempts">) =>
  join(jobFolder(folder, id), `begun-${attempts}`);

/** Where a job's own files are: its outputs, unless named otherwise. */
export const jobFolder = (folder: string, id: string): string => join(folder, "jobs", id);

export interface ProcessOptions {
  readonly host: Host;
  /** The ledger's folder. */
  readonly folder: string;
  /** Program and arguments that supervise an attempt of a job. */
  readonly supervisor: (record: JobRecord) => readonly [string, ...string[]];
  /** Variables of the supervisor beside those of this process. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly environmentOf: (record: JobRecord) => Promise<Environment>;
}

export function jobProcesses(options: ProcessOptions): JobProcesses {
  const { host, folder } = options;
  /** Starts a process that outlives this one; what it says of its own faults is kept. */
  const start = (
    record: JobRecord,
    [file, ...args]: readonly [string, ...string[]],
    { env, cwd }: { readonly env: NodeJS.ProcessEnv; readonly cwd: string },
  ): Promise<void> =>
    new Promise((resolve, reject) => {
      const log = openLog(folder, record.id);
      const stdio = ["ignore", "ignore", log ?? "ignore"] as const;
      const child = spawn(file, args, { cwd, env, detached: true, stdio: [...stdio] });
      if (log !== null) closeSync(log);
      child.once("error", reject);
      child.once("spawn", () => {
        child.unref();
        resolve();
      });
    });
  return {
    // From the root: a supervisor must not keep a file system busy, nor need the agent's folder.
    supervise: (record) =>
      start(record, options.supervisor(record), {
        env: { ...host.env, ...options.env },
        cwd: "/",
      }),
    isGone: (process) => isGone(host, process),
    async signal(process, signal) {
      if (await isGone(host, process)) return;
      for (const target of [-process.pid, ...(await strayMembers(host, process.pid))]) {
        try {
          globalThis.process.kill(target, signal);
        } catch {
          // It ended meanwhile.
        }
      }
    },
    hasBegun: async (record) => existsSync(begunFile(folder, record)),
    async askToSave(record) {
      if (record.pausing?.kind !== "checkpoint") return;
      const env = {
        ...(await options.environmentOf(record)),
        ...{ GODWIT_JOB_ID: record.id, GODWIT_JOB_PID: String(record.process?.pid ?? "") },
      };
      await start(record, record.pausing.command, { env, cwd: record.cwd });
    },
  };
}

/**
 * Members of a session that have left its first process group, as the jobs of a shell do: a signal to the
 * group does not reach them. proc_pid_stat(5): field 5 is the group, 6 the session. Linux alone tells.
 */
async function strayMembers(host: Host, session: number): Promise<readonly number[]> {
  if (host.platform !== "linux") return [];
  const pids = (await host.list("/proc")).filter((name) => /^\d+$/.test(name));
  const rows = await Promise.all(
    pids.map(async (pid) => {
      const text = await host.readText(`/proc/${pid}/stat`).catch(() => "");
      const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
      return { pid: Number(pid), group: Number(fields[2]), session: Number(fields[3]) };
    }),
  );
  return rows
    .filter((row) => row.session === session && row.group !== session)
    .map(({ pid }) => pid);
}

/** This process, for the record. */
export async function ownIdentity(host: Host): Promise<ProcessIdentity> {
  const { processStart } = await import("../../../measure/run/liveness.ts");
  return { pid: host.pid, pidStart: await processStart(host, host.pid) };
}
