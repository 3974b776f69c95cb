// The real machine, through Node.

import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { open, readdir, readFile, realpath, stat } from "node:fs/promises";
import os from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { reasonOf, UserError } from "../errors.ts";
import {
  type CommandResult,
  type CpuTimes,
  type Ffi,
  type Host,
  type HostFacts,
  hostErrorCode,
  type NativeFunction,
  type NativeLibrary,
  type RandomAccessFile,
} from "./host.ts";
import { systemTimeZone } from "./system-time-zone.ts";

/** Longest answer taken from a program or a server; more is a fault, not data. */
const MAX_ANSWER_BYTES = 16 * 1024 * 1024;

/** Of the package; as deep from the sources as from the build. */
const DATA_FOLDER = new URL("../../../data/", import.meta.url);

/** The machine this process runs on. */
export function createNodeHost(): Host {
  let ffi: Promise<Ffi | null> | undefined;
  return {
    platform: process.platform,
    arch: process.arch,
    release: os.release(),
    env: process.env,
    pid: process.pid,
    readText,
    readBytes,
    list: async (path) => (await namesIn(path)).sort(),
    realPath: (path) => realpath(path),
    openFile,
    readData,
    run,
    fetch: fetchText,
    sha256: (bytes) => createHash("sha256").update(bytes).digest(),
    monotonic: () => process.hrtime.bigint(),
    wall: () => Date.now(),
    sleep: (milliseconds, signal) =>
      delay(milliseconds, undefined, signal === undefined ? {} : { signal }),
    alarm(milliseconds, callback) {
      const timer = setTimeout(callback, milliseconds).unref();
      return () => clearTimeout(timer);
    },
    cpuTimes,
    ownUsage: () => {
      const { user, system } = process.cpuUsage();
      return { cpuS: (user + system) / 1e6, rssBytes: residentBytes() };
    },
    ffi: () => {
      ffi ??= loadKoffi();
      return ffi;
    },
    facts,
  };
}

/**
 * The kernel answers these from memory, at once: a thread that reads them for us would only have to be
 * woken up, four times a file. A sampler reads some each second, and lists processes.
 */
const ANSWERED_AT_ONCE = /^\/(proc|sys\/fs\/cgroup)(\/|$)/;

async function readText(path: string): Promise<string> {
  return ANSWERED_AT_ONCE.test(path) ? readFileSync(path, "utf8") : readFile(path, "utf8");
}

async function namesIn(path: string): Promise<string[]> {
  return ANSWERED_AT_ONCE.test(path) ? readdirSync(path) : readdir(path);
}

/** Throws UserError: without its tables the installation is broken, and no user's input is. */
async function readData(path: string): Promise<string> {
  try {
    return await readFile(new URL(path, DATA_FOLDER), "utf8");
  } catch (cause) {
    const code = hostErrorCode(cause) ?? reasonOf(cause);
    throw new UserError("unsupported", `godwit's own table data/${path} cannot be read (${code})`, {
      hint: "The installation is incomplete: install godwit again.",
      cause,
    });
  }
}

/** Asked for one by one: the time zone alone can take 15 ms, and not every command needs it. */
const facts: HostFacts = {
  get threads() {
    return os.availableParallelism();
  },
  get memoryBytes() {
    return os.totalmem();
  },
  get cpuName() {
    return os.cpus()[0]?.model.trim() ?? "";
  },
  get timeZone() {
    return systemTimeZone();
  },
  get hostname() {
    return os.hostname();
  },
  get homeDirectory() {
    return homeDirectory();
  },
};

function homeDirectory(): string | null {
  try {
    return os.homedir() || null;
  } catch {
    return null;
  }
}

/** Without /proc Linux tells only the highest ever, in KiB (getrusage). */
function residentBytes(): number {
  try {
    return process.memoryUsage.rss();
  } catch {
    return process.resourceUsage().maxRSS * 1024;
  }
}

/** Node gives milliseconds by processor (os.cpus). */
function cpuTimes(): CpuTimes {
  let [busy, idle] = [0, 0];
  for (const { times } of os.cpus()) {
    busy += times.user + times.nice + times.sys + times.irq;
    idle += times.idle;
  }
  return { busyS: busy / 1000, idleS: idle / 1000 };
}

async function readBytes(path: string, limit: number): Promise<Uint8Array> {
  const { size } = await stat(path);
  if (size > limit) {
    throw Object.assign(new Error(`${path}: ${size} bytes, over ${limit}`), {
      code: "EFBIG",
      path,
    });
  }
  return readFile(path);
}

async function openFile(path: string): Promise<RandomAccessFile> {
  const handle = await open(path, "r");
  return {
    async read(offset, length) {
      const buffer = new Uint8Array(length);
      const { bytesRead } = await handle.read(buffer, 0, length, offset);
      if (bytesRead < length)
        throw new Error(`${path}: ${bytesRead} of ${length} bytes at ${offset}`);
      return buffer;
    },
    close: () => handle.close(),
  };
}

function run(
  command: string,
  args: readonly string[],
  { timeout, ...where }: Parameters<Host["run"]>[2],
): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    const limits = { timeout, maxBuffer: MAX_ANSWER_BYTES, killSignal: "SIGKILL" } as const;
    const options = { ...limits, ...where };
    execFile(command, [...args], options, (error, stdout, stderr) => {
      if (error === null) resolve({ stdout, stderr, code: 0 });
      else if (typeof error.code === "number") resolve({ stdout, stderr, code: error.code });
      else if (error.killed) reject(new Error(`${command} did not answer within ${timeout} ms`));
      else if (error.code === undefined) resolve({ stdout, stderr, code: null });
      else reject(error);
    });
  });
}

const fetchText: Host["fetch"] = async (url, { timeout, headers, method, redirect, body }) => {
  const response = await fetch(url, {
    signal: AbortSignal.timeout(timeout),
    ...(headers === undefined ? {} : { headers }),
    ...(method === undefined ? {} : { method }),
    ...(redirect === undefined ? {} : { redirect }),
    ...(body === undefined ? {} : { body }),
  });
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.length;
    if (length > MAX_ANSWER_BYTES) throw new Error(`${url}: answer over ${MAX_ANSWER_BYTES} bytes`);
    chunks.push(chunk);
  }
  return {
    status: response.status,
    headers: Object.fromEntries(response.headers),
    body: Buffer.concat(chunks).toString("utf8"),
  };
};

type SlowFunction = ReturnType<NativeLibrary["bindSlow"]>;

async function loadKoffi(): Promise<Ffi | null> {
  try {
    const { default: koffi } = await import("koffi");
    return {
      open(names) {
        const failures: string[] = [];
        for (const name of names) {
          try {
            const library = koffi.load(name);
            return {
              bind: (prototype) => library.func(prototype) as NativeFunction,
              bindSlow: (prototype) =>
                promisify(library.func(prototype).async as NativeFunction) as SlowFunction,
            };
          } catch (error) {
            failures.push(error instanceof Error ? error.message : String(error));
          }
        }
        throw new Error(`no library of ${names.join(", ")}: ${failures.join("; ")}`);
      },
    };
  } catch {
    return null;
  }
}
