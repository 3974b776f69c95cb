// The machine as godwit sees it: files, processes, clocks, environment, native libraries, network.
// Sensors and models take a `Host` instead of importing node:*, so that a test can hand them a
// made-up or a recorded machine.

/** Options of everything that could hang. */
export interface Deadline {
  /** Milliseconds after which the call rejects. */
  readonly timeout: number;
}

export interface CommandResult {
  readonly stdout: string;
  readonly stderr: string;
  /** Exit code, or null when a signal ended the command. */
  readonly code: number | null;
}

export interface HttpResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** A native function: JavaScript values in, JavaScript value out, out-parameters as arrays. */
export type NativeFunction = (...args: readonly unknown[]) => unknown;

/** A loaded native library. */
export interface NativeLibrary {
  /** Binds a function by its C prototype, in the spelling of koffi. Throws when it is missing. */
  bind(prototype: string): NativeFunction;
  /** As `bind`, but calls run off the main thread: for functions that may take seconds. */
  bindSlow(prototype: string): (...args: readonly unknown[]) => Promise<unknown>;
}

/** Foreign function interface; null on a host where none is installed. */
export interface Ffi {
  /** Loads the first library that exists. Throws when none does. */
  open(names: readonly string[]): NativeLibrary;
}

/** A file read at an offset, as MSR devices need. */
export interface RandomAccessFile {
  /** Reads exactly `length` bytes; rejects when there are fewer. */
  read(offset: number, length: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

export interface Host {
  /** As `process.platform` spells it. */
  readonly platform: string;
  /** As `process.arch` spells it. */
  readonly arch: string;
  /** Kernel release, as `os.release()` gives it. */
  readonly release: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly pid: number;

  /** Whole text of a file. Rejects with a node-like error that has a `code` (ENOENT, EACCES ...). */
  readText(path: string): Promise<string>;
  /** Whole content of a file. Rejects like `readText`, and with code EFBIG over `limit` bytes. */
  readBytes(path: string, limit: number): Promise<Uint8Array>;
  /** Names in a folder, sorted. Rejects like `readText`. */
  list(path: string): Promise<readonly string[]>;
  /** Path with symbolic links resolved. */
  realPath(path: string): Promise<string>;
  openFile(path: string): Promise<RandomAccessFile>;
  /** Text of a table shipped in the package's `data/` folder, such as `gpus/gpus.csv`. */
  readData(path: string): Promise<string>;

  /**
   * Runs a program without a shell; in `env` instead of this process's environment where one is given.
   * Rejects with `code` ENOENT when it does not exist.
   */
  run(
    command: string,
    args: readonly string[],
    options: Deadline & {
      readonly env?: Readonly<Record<string, string>>;
      /** This process's folder unless given. */
      readonly cwd?: string;
    },
  ): Promise<CommandResult>;
  fetch(
    url: string,
    options: Deadline & {
      readonly headers?: Readonly<Record<string, string>>;
      /** GET unless given; PUT is what the metadata service of one cloud asks for. */
      readonly method?: "GET" | "PUT" | "POST";
      readonly body?: string;
      /** `manual` hands a redirection back as the answer, so that credentials go nowhere else. */
      readonly redirect?: "follow" | "manual";
    },
  ): Promise<HttpResponse>;

  /** SHA-256 of some bytes, at once. */
  sha256(bytes: Uint8Array): Uint8Array;

  /** Monotonic nanoseconds; does not count suspend where the platform can tell. */
  monotonic(): bigint;
  /** Wall clock, milliseconds since 1970 UTC. */
  wall(): number;
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>;
  /** Calls back once, without keeping the process alive meanwhile. Returns what cancels it. */
  alarm(milliseconds: number, callback: () => void): () => void;

  /** CPU seconds of all logical processors since boot, as every platform tells them. */
  cpuTimes(): CpuTimes;
  /** What this process has used so far. */
  ownUsage(): ProcessUsage;

  /** Null when the optional FFI package is not installed or does not load. */
  ffi(): Promise<Ffi | null>;

  /** Logical processors, bytes of memory, time zone: what Node knows on every platform. */
  readonly facts: HostFacts;
}

export interface CpuTimes {
  /** User, nice, system and interrupt time. */
  readonly busyS: number;
  readonly idleS: number;
}

export interface ProcessUsage {
  /** User and system CPU seconds of this process, its threads included, its children not. */
  readonly cpuS: number;
  /** Resident memory; its highest so far where the system does not tell what it is now. */
  readonly rssBytes: number;
}

export interface HostFacts {
  readonly threads: number;
  readonly memoryBytes: number;
  readonly cpuName: string;
  /** IANA name, such as Europe/Berlin. */
  readonly timeZone: string;
  readonly hostname: string;
  readonly homeDirectory: string | null;
}

/** The `code` of an error of the host, such as ENOENT or EACCES. */
export function hostErrorCode(error: unknown): string | null {
  if (typeof error !== "object" || error === null || !("code" in error)) return null;
  return typeof error.code === "string" ? error.code : null;
}

/** A file's text, or null when the file does not exist; other faults reject. */
export async function readTextIfPresent(host: Host, path: string): Promise<string | null> {
  try {
    return await host.readText(path);
  } catch (error) {
    const code = hostErrorCode(error);
    if (code === "ENOENT" || code === "ENOTDIR" || code === "ENODEV" || code === "ENXIO")
      return null;
    throw error;
  }
}

/** A folder's names, or none when the folder does not exist; other faults reject. */
export async function listIfPresent(host: Host, path: string): Promise<readonly string[]> {
  try {
    return await host.list(path);
  } catch (error) {
    const code = hostErrorCode(error);
    if (code === "ENOENT" || code === "ENOTDIR") return [];
    throw error;
  }
}
