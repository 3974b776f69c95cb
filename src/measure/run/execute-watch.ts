// Watching what a command prints, for `--epoch-pattern`, so that the command is not harmed by it:
// a regular file is read beside the command that writes it; a pipe or a terminal goes through a
// relay (execute-relay.ts), which is a process of its own and outlives a killed godwit.

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import {
  closeSync,
  constants,
  fstatSync,
  mkdtempSync,
  openSync,
  readSync,
  rmSync,
  type Stats,
} from "node:fs";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { isatty } from "node:tty";
import { reasonOf } from "../../core/index.ts";
import {
  createEpochReader,
  type EpochMark,
  type EpochReader,
  parseEpochPattern,
} from "./epochs.ts";
import type { RelayMessage, RelayRequest, RelayStream } from "./execute-relay.ts";

export interface WatchOptions {
  /** Regular expression, as `parseEpochPattern` reads it. */
  readonly pattern: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly onEpoch: (mark: EpochMark) => void;
}

/** Outputs of the command that is about to start. */
export interface OutputWatch {
  /** File descriptors for the command's standard output and error. */
  readonly output: readonly [stdout: number, stderr: number];
  /** Must be called once the command has these descriptors. */
  started(): void;
  /** Waits, for a moment, until all that the ended command printed has come through. */
  drained(): Promise<void>;
  /** Why an output is not watched. */
  readonly notices: readonly string[];
}

const OUTPUTS = [1, 2] as const;
const POLL_MS = 200;
const READY_DEADLINE_MS = 10_000;
/** A daemon that the command left behind may hold the output open for ever. */
const DRAIN_DEADLINE_MS = 1000;

/** Prepares the outputs. Never rejects: what cannot be watched is passed on unwatched. */
export async function watchOutput(options: WatchOptions): Promise<OutputWatch> {
  const reader = createEpochReader(parseEpochPattern(options.pattern));
  const onEpoch = eachOnce(options.onEpoch);
  const tails = OUTPUTS.flatMap((fd) => startTail(fd, reader, onEpoch) ?? []);
  const tailed = new Set(tails.map(({ fd }) => fd));
  const rest = OUTPUTS.filter((fd) => !tailed.has(fd) && isOpen(fd));
  const relay = await startRelay(rest, { ...options, onEpoch }).catch((error) => reasonOf(error));
  const failed = typeof relay === "string";
  return {
    output: failed ? OUTPUTS : relay.output,
    started: () => {
      if (!failed) relay.started();
    },
    async drained() {
      if (!failed) await relay.drained();
      for (const tail of tails) tail.stop();
    },
    notices: failed ? [`epochs are not watched: ${relay}`] : [],
  };
}

/**
 * Passes on the epochs that are new. Two outputs may show the same one, as when what comes through
 * a pipe ends in the file that standard error goes to (`2>log | tee -a log`).
 */
function eachOnce(onEpoch: WatchOptions["onEpoch"]): WatchOptions["onEpoch"] {
  let last = Number.NEGATIVE_INFINITY;
  return (mark) => {
    if (mark.epoch <= last) return;
    last = mark.epoch;
    onEpoch(mark);
  };
}

interface Tail {
  readonly fd: number;
  stop(): void;
}

/** Reads a regular file as it grows; null when the output is none or cannot be read. */
function startTail(
  fd: number,
  reader: EpochReader,
  onEpoch: (mark: EpochMark) => void,
): Tail | null {
  const folder = process.platform === "linux" ? "/proc/self/fd" : "/dev/fd";
  try {
    if (!fstatSync(fd).isFile()) return null;
    const file = openSync(`${folder}/${fd}`, constants.O_RDONLY);
    const buffer = new Uint8Array(64 * 1024);
    const decoder = new TextDecoder();
    let position = fstatSync(file).size;
    readSync(file, buffer, 0, 1, 0);
    const poll = (): void => {
      for (;;) {
        const length = readSync(file, buffer, 0, buffer.length, position);
        if (length === 0) return;
        position += length;
        const text = decoder.decode(buffer.subarray(0, length), { stream: true });
        reader.feed(text, process.hrtime.bigint()).forEach(onEpoch);
      }
    };
    const timer = setInterval(poll, POLL_MS);
    timer.unref();
    return {
      fd,
      stop() {
        clearInterval(timer);
        poll();
        closeSync(file);
      },
    };
  } catch {
    return null;
  }
}

interface Relay {
  readonly output: readonly [number, number];
  started(): void;
  drained(): Promise<void>;
}

async function startRelay(fds: readonly number[], options: WatchOptions): Promise<Relay> {
  const nothing = { output: OUTPUTS, started() {}, drained: async () => {} };
  if (fds.length === 0) return nothing;
  // Two descriptors of one pipe or terminal share a stream, or their order would be lost.
  const shared = fds.length === 2 && isSameFile(fstatSync(1), fstatSync(2));
  const targets = shared ? fds.slice(0, 1) : fds;
  const plans = targets.map((target) => (isatty(target) ? { target } : { target, ...makePipe() }));
  const closeAll = (): void => {
    for (const plan of plans) if ("read" in plan) closeSync(plan.read);
    for (const fd of ends) closeSync(fd);
  };
  const ends: number[] = plans.flatMap((plan) => ("read" in plan ? [plan.write] : []));
  const pipes = plans.flatMap((plan) => ("read" in plan ? [plan.read] : []));
  const streams: RelayStream[] = plans.map((plan) => ({
    target: plan.target,
    from: "read" in plan ? FIRST_PIPE + pipes.indexOf(plan.read) : "pty",
  }));
  try {
    const child = spawnRelay({ pattern: options.pattern, streams }, pipes, options.env);
    const terminals = await readiness(child, options.onEpoch);
    const opened = plans.map((plan, index) => {
      if ("read" in plan) return plan.write;
      const fd = openSync(terminals[index] ?? "", constants.O_RDWR | constants.O_NOCTTY);
      ends.push(fd);
      return fd;
    });
    const outputOf = (fd: number): number => opened[shared ? 0 : targets.indexOf(fd)] ?? fd;
    return {
      output: [outputOf(1), outputOf(2)],
      started: closeAll,
      drained: () => endOf(child),
    };
  } catch (error) {
    closeAll();
    throw error;
  }
}

/** Descriptor of the first pipe in the relay: after the three standard ones. */
const FIRST_PIPE = 3;

function spawnRelay(
  request: RelayRequest,
  pipes: readonly number[],
  env: WatchOptions["env"],
): ChildProcess {
  const module = new URL(`./execute-relay${extname(import.meta.filename)}`, import.meta.url);
  const script = `import(${JSON.stringify(module.href)}).then((m) => m.relay(${JSON.stringify(request)}))`;
  // What the user asks of the command's Node is not meant for this one.
  const { NODE_OPTIONS: _, ...rest } = env;
  return spawn(process.execPath, ["--no-warnings", "--eval", script], {
    stdio: ["ignore", 1, 2, ...pipes, "ipc"],
    env: rest,
  });
}

/** Resolves with the paths of the terminals once the relay reads. */
function readiness(
  child: ChildProcess,
  onEpoch: (mark: EpochMark) => void,
): Promise<readonly (string | null)[]> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => fail("the relay did not start"), READY_DEADLINE_MS);
    const fail = (reason: string): void => {
      clearTimeout(timer);
      child.kill("SIGKILL");
      reject(new Error(reason));
    };
    child.on("error", (error) => fail(error.message));
    child.once("exit", () => fail("the relay ended"));
    child.on("message", (message: RelayMessage) => {
      if (message.kind === "epoch") onEpoch({ epoch: message.epoch, at: BigInt(message.at) });
      else if (message.kind === "failed") fail(message.reason);
      else {
        clearTimeout(timer);
        resolve(message.terminals);
      }
    });
  });
}

function endOf(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      if (child.connected) child.disconnect();
      child.unref();
      resolve();
    };
    const timer = setTimeout(done, DRAIN_DEADLINE_MS);
    child.once("exit", done);
  });
}

/**
 * A pipe. Node's own are sockets, which /dev/stdout cannot open again, so it is a named one whose
 * name is gone as soon as both ends are open.
 */
function makePipe(): { readonly read: number; readonly write: number } {
  const folder = mkdtempSync(join(tmpdir(), "godwit-"));
  try {
    const path = join(folder, "output");
    execFileSync("mkfifo", ["-m", "600", path], { stdio: "ignore" });
    // Opening one end waits for the other; one that is open both ways keeps nobody waiting.
    const both = openSync(path, constants.O_RDWR);
    const read = openSync(path, constants.O_RDONLY);
    const write = openSync(path, constants.O_WRONLY);
    closeSync(both);
    return { read, write };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function isOpen(fd: number): boolean {
  try {
    fstatSync(fd);
    return true;
  } catch {
    return false;
  }
}

const isSameFile = (a: Stats, b: Stats): boolean => a.dev === b.dev && a.ino === b.ino;
