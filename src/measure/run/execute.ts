// Starting the measured command so that it cannot tell: standard streams, terminal, process group,
// environment and further open files are those that godwit was given, and the way it ends is told
// exactly. The only place of this folder that starts processes.

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { readdirSync, readFileSync, readlinkSync, statSync } from "node:fs";
import { constants } from "node:os";
import { basename } from "node:path";
import type { Writable } from "node:stream";
import { EXIT, reasonOf, UserError } from "../../core/index.ts";
import type { CpuGroup } from "./execute-cgroup.ts";
import type { Sentinel } from "./signals.ts";

/** How a command ended. Exactly one of the two is not null. */
export interface CommandEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface LaunchOptions {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** File descriptors for the command's standard output and error; godwit's own by default. */
  readonly output?: readonly [stdout: number, stderr: number];
  /** Further open files that godwit was given, from `inheritedFiles`. */
  readonly inherited: readonly number[];
  /** Control group in which the command is born. */
  readonly group: CpuGroup | null;
  /** Keep SIGHUP ignored in the command, as godwit itself was started. */
  readonly ignoreHangup: boolean;
  /** Starts it apart from godwit, as a batch job. */
  readonly session?: OwnSession;
}

/** A session of its own, without terminal and input, in which the command waits until it may run. */
export interface OwnSession {
  readonly cwd: string;
  /** Asked once the process exists. The command runs when this resolves to true, and never otherwise. */
  readonly approve: (pid: number) => Promise<boolean>;
  /** Made by the process itself when it is let go: absent, the command never ran. */
  readonly begunFile: string;
}

/**
 * Waits for a line on descriptor 3, leaves its mark, becomes the command. Closed without a line, because
 * the command was not approved or godwit was killed, it ends and nothing has run.
 */
const GATE = 'read -r _ <&3 || exit 125; exec 3<&-; : >"$0" || exit 125; exec "$@"';

/** A command that was started. */
export interface RunningCommand {
  readonly pid: number;
  readonly ended: Promise<CommandEnd>;
}

/**
 * Starts the command. Rejects with the shell's words and code when it cannot be: 127 when it does
 * not exist, 126 when it cannot be executed, 125 when no process can be made at all.
 */
export function launch(options: LaunchOptions): Promise<RunningCommand> {
  const { session } = options;
  const start = (): ChildProcess => {
    const [stdout, stderr] = options.output ?? [1, 2];
    if (session !== undefined) {
      const words = ["-c", GATE, session.begunFile, options.command, ...options.args];
      return spawn("/bin/sh", words, {
        stdio: ["ignore", stdout, stderr, "pipe"],
        env: { ...options.env },
        cwd: session.cwd,
        detached: true,
      });
    }
    const stdio: (number | "ignore")[] = [0, stdout, stderr];
    for (const fd of options.inherited) {
      while (stdio.length < fd) stdio.push("ignore");
      stdio[fd] = fd;
    }
    const [file, args] = options.ignoreHangup
      ? // Node sets every signal of a new process to its default; a shell can ignore it again.
        ["/bin/sh", ["-c", 'trap "" HUP; exec "$0" "$@"', options.command, ...options.args]]
      : [options.command, [...options.args]];
    return spawn(file, args, { stdio, env: { ...options.env }, windowsHide: false });
  };
  return new Promise((resolve, reject) => {
    let child: ChildProcess;
    try {
      if (options.command === "") throw Object.assign(new Error("empty"), { code: "ENOENT" });
      child = options.group === null ? start() : options.group.enclose(start);
    } catch (error) {
      reject(launchFault(options.command, error));
      return;
    }
    const ended = new Promise<CommandEnd>((end) => {
      child.once("exit", (code, signal) => end({ code, signal }));
    });
    child.once("error", (error) => reject(launchFault(options.command, error)));
    child.once("spawn", () => {
      const { pid } = child;
      if (pid === undefined) return;
      const running = { pid, ended };
      if (session === undefined) resolve(running);
      else passGate(child, session, pid).then(() => resolve(running), reject);
    });
  });
}

async function passGate(child: ChildProcess, session: OwnSession, pid: number): Promise<void> {
  const gate = child.stdio[3] as Writable;
  // A command that ends before it reads is seen by its end.
  gate.on("error", () => {});
  try {
    if (await session.approve(pid)) gate.end("\n");
    else gate.destroy();
  } catch (error) {
    gate.destroy();
    throw error;
  }
}

/** What a shell says and answers when it cannot start a command (POSIX 2.8.2). */
function launchFault(command: string, error: unknown): UserError {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const cause = error;
  switch (code) {
    case "ENOENT":
      if (!command.includes("/")) {
        return new UserError("not-found", `${command || "''"}: command not found`, {
          hint: "Check the spelling, or give the path of the program.",
          cause,
        });
      }
      return new UserError("not-found", missingWords(command), {
        hint: "Check the path, and the first line (#!) if it is a script.",
        cause,
      });
    case "EACCES":
      if (isFolder(command)) {
        return new UserError("not-executable", `${command}: Is a directory`, {
          hint: "Name a program in it.",
          cause,
        });
      }
      return new UserError("not-executable", `${command}: Permission denied`, {
        hint: "Make it executable with chmod +x, or name the program that reads it.",
        cause,
      });
    case "ENOTDIR":
    case "ENOEXEC":
    case "ELOOP":
    case "ENAMETOOLONG":
    case "ETXTBSY":
    case "E2BIG":
      return new UserError("not-executable", `${command}: ${EXEC_WORDS[code]}`, {
        hint: "The system refused to execute it; the shell would say the same.",
        cause,
      });
    default:
      return new UserError("wrapper-failed", `cannot start ${command}: ${reasonOf(error)}`, {
        hint: "No process could be made; check the limits on processes and memory (ulimit -a).",
        cause,
      });
  }
}

const EXEC_WORDS = {
  ENOTDIR: "Not a directory",
  ENOEXEC: "Exec format error",
  ELOOP: "Too many levels of symbolic links",
  ENAMETOOLONG: "File name too long",
  ETXTBSY: "Text file busy",
  E2BIG: "Argument list too long",
} as const;

/** ENOENT of a file that exists is about the interpreter in its first line. */
function missingWords(command: string): string {
  return statSync(command, { throwIfNoEntry: false }) === undefined
    ? `${command}: No such file or directory`
    : `${command}: cannot execute: required file not found`;
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false; // It lies in a folder that cannot be searched.
  }
}

/** Milliseconds for the sentinel's end to arrive; it comes within one or two on a quiet machine. */
const SENTINEL_DEADLINE_MS = 150;

/** A process of the command's group that ends on every signal sent to the group. */
export interface SentinelProcess extends Sentinel {
  close(): void;
}

/** Starts a sentinel; where it cannot, every signal is taken as sent to godwit alone. */
export function startSentinel(): SentinelProcess {
  // Traps instead of default actions: SIGQUIT would leave a core file.
  const script = "trap 'exit 0' HUP INT QUIT TERM USR1 USR2; read _";
  const begin = (): ChildProcess => {
    const child = spawn("/bin/sh", ["-c", script], {
      stdio: ["pipe", "ignore", "ignore"],
      cwd: "/",
      env: {},
    });
    child.on("error", () => {});
    child.stdin?.on("error", () => {});
    return child;
  };
  let child = begin();
  let closed = false;
  let asked: Promise<boolean> | null = null;
  return {
    sawSignal() {
      // Signals that come close together share one answer; the sentinel tells only of the first.
      asked ??= endsWithin(child, SENTINEL_DEADLINE_MS).then((ended) => {
        if (ended && !closed) child = begin();
        asked = null;
        return ended;
      });
      return asked;
    },
    close() {
      closed = true;
      child.stdin?.destroy();
      child.unref();
    },
  };
}

function endsWithin(child: ChildProcess, milliseconds: number): Promise<boolean> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve(true);
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), milliseconds);
    child.once("exit", () => {
      clearTimeout(timer);
      resolve(true);
    });
  });
}

/**
 * File descriptors above standard error that godwit was given, such as those of the shell's
 * `3>file` and of make's job server. Node marks them to be closed in its children. Must be called
 * before godwit opens files of its own. Linux alone tells; elsewhere there are none.
 */
export function inheritedFiles(): readonly number[] {
  if (process.platform !== "linux") return [];
  try {
    const targets = readdirSync("/proc/self/fd").flatMap((name) => {
      try {
        return [{ fd: Number(name), target: readlinkSync(`/proc/self/fd/${name}`) }];
      } catch {
        return []; // The listing's own descriptor, closed by now.
      }
    });
    const parents = new Set(
      readdirSync(`/proc/${process.ppid}/fd`).map((name) => parentTarget(name)),
    );
    return targets
      .filter(({ fd, target }) => fd > 2 && isGiven(target, { targets, parents }))
      .map(({ fd }) => fd);
  } catch {
    return [];
  }
}

function parentTarget(name: string): string {
  try {
    return readlinkSync(`/proc/${process.ppid}/fd/${name}`);
  } catch {
    return "";
  }
}

/** Node's own files are `anon_inode:` ones and pipes of which it holds both ends. */
function isGiven(
  target: string,
  known: {
    readonly targets: readonly { readonly target: string }[];
    readonly parents: ReadonlySet<string>;
  },
): boolean {
  if (target.startsWith("anon_inode:")) return false;
  if (!target.startsWith("pipe:")) return true;
  const ends = known.targets.filter((other) => other.target === target).length;
  return ends === 1 || known.parents.has(target);
}

/**
 * Whether SIGHUP was ignored when godwit was started, as `nohup` does. Node resets it and does not
 * tell, so it is read off the parent, or off the program that the shell says it started.
 */
export function hangupIgnored(env: Readonly<Record<string, string | undefined>>): boolean {
  if (basename(env["_"] ?? "") === "nohup") return true;
  try {
    const status = readFileSync(`/proc/${process.ppid}/status`, "utf8");
    const mask = /^SigIgn:\s+([0-9a-f]+)/m.exec(status)?.[1];
    return mask !== undefined && (BigInt(`0x${mask}`) & 1n) === 1n;
  } catch {
    return false;
  }
}

/**
 * Ends this process as the command ended: by the same signal, or with the same code. A core file
 * of godwit would only be in the way of the command's, so none is written where that can be set.
 */
export function endLike(end: CommandEnd): void {
  if (end.signal === null) {
    process.exitCode = end.code ?? EXIT.wrapperFailed;
    return;
  }
  resetSignal(end.signal);
  if (process.platform === "linux") forbidCoreFile();
  process.kill(process.pid, end.signal);
  // Not reached unless the signal is blocked; then the shell's number stands in for it.
  process.exitCode = 128 + constants.signals[end.signal];
}

/** Sets a signal to its default action. Node ignores some, and gives way only to a listener. */
function resetSignal(signal: NodeJS.Signals): void {
  process.removeAllListeners(signal);
  const listener = (): void => {};
  try {
    process.on(signal, listener);
    process.off(signal, listener);
  } catch {
    // SIGKILL and SIGSTOP have no other action than their own.
  }
}

function forbidCoreFile(): void {
  try {
    const limits = readFileSync("/proc/self/limits", "utf8");
    if (/^Max core file size\s+0\s/m.test(limits)) return;
    spawnSync("prlimit", ["--pid", String(process.pid), "--core=0"], { stdio: "ignore" });
  } catch {
    // A core file too many harms nobody.
  }
}
