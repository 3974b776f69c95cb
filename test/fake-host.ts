// A made-up machine for tests: files, links, commands, native libraries and HTTP answers from plain
// objects, and a clock that moves only when told. Recorded machines live in
// test/fixtures/machines/<name>/: `machine.json` (platform, facts, environment) and `tree.txt`, whose
// sections are `== /path` (text follows), `== /path -> /target` (link) or `== /path !EACCES` (fault).

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { posix } from "node:path";
import type {
  CommandResult,
  CpuTimes,
  Host,
  HostFacts,
  HttpResponse,
  NativeFunction,
  ProcessUsage,
} from "../src/core/index.ts";

/** Text, a fault (`{ fault: "EACCES" }`), a link, or a function evaluated at every read. */
export type FakeFile =
  | string
  | { readonly fault: string }
  | { readonly link: string }
  | { readonly bytes: Uint8Array }
  | (() => string);

export interface FakeMachine {
  readonly platform?: string;
  readonly arch?: string;
  readonly release?: string;
  readonly env?: Record<string, string>;
  readonly files?: Record<string, FakeFile>;
  /** Keyed by program name; what it answers to its arguments. */
  readonly commands?: Record<string, (args: readonly string[]) => Partial<CommandResult>>;
  /** Keyed by library name, then by C function name. Absent: no FFI package on this host. */
  readonly libraries?: Record<string, Record<string, NativeFunction>>;
  readonly http?: (url: string, headers: Readonly<Record<string, string>>) => HttpResponse;
  readonly facts?: Partial<HostFacts>;
  readonly cpuTimes?: () => CpuTimes;
  readonly ownUsage?: () => ProcessUsage;
}

export interface FakeHost extends Host {
  /** Files may be changed while a test runs. */
  readonly files: Map<string, FakeFile>;
  /** Moves both clocks. Alarms that fall due ring late, as after a stalled event loop. */
  advance(milliseconds: number): void;
  /** Lets time pass: every alarm rings at its moment, and what it started gets to run. */
  elapse(milliseconds: number): Promise<void>;
  /** Moves the wall clock alone, as an administrator or a suspend does. */
  jumpWall(milliseconds: number): void;
}

const fault = (code: string, path: string): Error =>
  Object.assign(new Error(`${code}: ${path}`), { code, path });

export function createFakeHost(machine: FakeMachine = {}): FakeHost {
  const files = new Map(Object.entries(machine.files ?? {}));
  let monotonic = 1_000_000_000n;
  let wall = Date.UTC(2026, 0, 1);
  const alarms = new Set<{ readonly due: bigint; readonly callback: () => void }>();

  const move = (nanoseconds: bigint): void => {
    monotonic += nanoseconds;
    wall += Number(nanoseconds) / 1e6;
  };
  /** Lets promises settle, those that wait for the event loop too. */
  const settle = async (): Promise<void> => {
    for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
  };
  const elapse = async (milliseconds: number): Promise<void> => {
    const until = monotonic + BigInt(Math.round(milliseconds * 1e6));
    await settle();
    for (;;) {
      const next = [...alarms].sort((a, b) => (a.due < b.due ? -1 : 1))[0];
      if (next === undefined || next.due > until) break;
      alarms.delete(next);
      if (next.due > monotonic) move(next.due - monotonic);
      next.callback();
      await settle();
    }
    if (until > monotonic) move(until - monotonic);
  };

  /** Follows links in every part of a path, as the kernel does. */
  const resolve = (path: string, depth = 0): string => {
    if (depth > 20) throw fault("ELOOP", path);
    let at = "";
    for (const part of posix.normalize(path).split("/").filter(Boolean)) {
      at = `${at}/${part}`;
      const file = files.get(at);
      if (typeof file === "object" && "link" in file) {
        at = resolve(posix.resolve(posix.dirname(at), file.link), depth + 1);
      }
    }
    return at;
  };
  const contentOf = (path: string): string | Uint8Array => {
    const file = files.get(resolve(path));
    if (file === undefined) throw fault("ENOENT", path);
    if (typeof file === "string") return file;
    if (typeof file === "function") return file();
    if ("fault" in file) throw fault(file.fault, path);
    if ("bytes" in file) return file.bytes;
    throw fault("ENOENT", path);
  };

  return {
    platform: machine.platform ?? "linux",
    arch: machine.arch ?? "x64",
    release: machine.release ?? "6.8.0",
    env: machine.env ?? {},
    pid: 4242,
    files,
    advance(milliseconds) {
      move(BigInt(Math.round(milliseconds * 1e6)));
    },
    elapse,
    jumpWall(milliseconds) {
      wall += milliseconds;
    },
    async readText(path) {
      const content = contentOf(path);
      return typeof content === "string" ? content : new TextDecoder().decode(content);
    },
    async readBytes(path, limit) {
      const content = contentOf(path);
      const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
      if (bytes.length > limit) throw fault("EFBIG", path);
      return bytes;
    },
    async list(path) {
      const folder = resolve(path);
      const own = files.get(folder);
      if (typeof own === "object" && "fault" in own) throw fault(own.fault, path);
      const prefix = folder === "/" ? "/" : `${folder}/`;
      const names = new Set<string>();
      for (const file of files.keys()) {
        if (file.startsWith(prefix)) names.add(file.slice(prefix.length).split("/")[0] ?? "");
      }
      if (names.size === 0) throw fault("ENOENT", path);
      return [...names].sort();
    },
    async realPath(path) {
      return resolve(path);
    },
    async openFile(path) {
      const content = contentOf(path);
      const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
      return {
        async read(offset, length) {
          if (offset + length > bytes.length) throw fault("EIO", path);
          return bytes.slice(offset, offset + length);
        },
        async close() {},
      };
    },
    readData: async (path) => readFileSync(new URL(`../data/${path}`, import.meta.url), "utf8"),
    async run(command, args) {
      const program = machine.commands?.[command];
      if (program === undefined) throw fault("ENOENT", command);
      return { stdout: "", stderr: "", code: 0, ...program(args) };
    },
    async fetch(url, { headers }) {
      if (machine.http === undefined) throw fault("ECONNREFUSED", url);
      return machine.http(url, headers ?? {});
    },
    sha256: (bytes) => createHash("sha256").update(bytes).digest(),
    monotonic: () => monotonic,
    wall: () => wall,
    async sleep(milliseconds) {
      monotonic += BigInt(Math.round(milliseconds * 1e6));
      wall += milliseconds;
    },
    alarm(milliseconds, callback) {
      const alarm = { due: monotonic + BigInt(Math.round(milliseconds * 1e6)), callback };
      alarms.add(alarm);
      return () => alarms.delete(alarm);
    },
    cpuTimes: machine.cpuTimes ?? (() => ({ busyS: 0, idleS: 0 })),
    ownUsage: machine.ownUsage ?? (() => ({ cpuS: 0, rssBytes: 50e6 })),
    async ffi() {
      const { libraries } = machine;
      if (libraries === undefined) return null;
      return {
        open(names) {
          const found = names.find((name) => name in libraries);
          const functions = found === undefined ? undefined : libraries[found];
          if (functions === undefined) throw new Error(`no library of ${names.join(", ")}`);
          const bind = (prototype: string): NativeFunction => {
            const name = /(\w+)\s*\(/.exec(prototype)?.[1] ?? "";
            const bound = functions[name];
            if (bound === undefined) throw new Error(`${found} has no ${name}`);
            return bound;
          };
          return {
            bind,
            bindSlow: (prototype) => {
              const bound = bind(prototype);
              return async (...args) => bound(...args);
            },
          };
        },
      };
    },
    facts: {
      threads: 8,
      memoryBytes: 16 * 2 ** 30,
      cpuName: "Fake CPU",
      timeZone: "UTC",
      hostname: "fake",
      homeDirectory: "/home/someone",
      ...machine.facts,
    },
  };
}

/** A recorded machine of test/fixtures/machines. */
export function loadMachine(name: string, changes: FakeMachine = {}): FakeHost {
  const folder = new URL(`./fixtures/machines/${name}/`, import.meta.url);
  const recorded = JSON.parse(readFileSync(new URL("machine.json", folder), "utf8")) as FakeMachine;
  const tree = parseTree(readFileSync(new URL("tree.txt", folder), "utf8"));
  return createFakeHost({
    ...recorded,
    ...changes,
    files: { ...tree, ...changes.files },
    facts: { ...recorded.facts, ...changes.facts },
    env: { ...recorded.env, ...changes.env },
  });
}

function parseTree(text: string): Record<string, FakeFile> {
  const files: Record<string, FakeFile> = {};
  for (const section of text.split(/^== /m).slice(1)) {
    const newline = section.indexOf("\n");
    const head = (newline === -1 ? section : section.slice(0, newline)).trim();
    const body = newline === -1 ? "" : section.slice(newline + 1);
    const link = /^(\S+) -> (\S+)$/.exec(head);
    const refused = /^(\S+) !([A-Z]+)$/.exec(head);
    if (link?.[1] !== undefined && link[2] !== undefined) files[link[1]] = { link: link[2] };
    else if (refused?.[1] !== undefined && refused[2] !== undefined) {
      files[refused[1]] = { fault: refused[2] };
    } else files[head] = body;
  }
  return files;
}
