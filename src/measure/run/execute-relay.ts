// The transparent tee between a command's output and where it goes: a process of its own, so that
// the command keeps its reader when godwit is killed. It passes bytes on in order and unchanged and
// tells godwit about epochs over its message channel; it ends when the command closes its output.
//
// Where the output is a terminal the command gets a pseudo-terminal of the same size; its standard
// input and controlling terminal stay the real ones, so signals and job control are not touched.
// Where it is a pipe, the command gets a named pipe that no longer has a name.

import { closeSync, constants, read, write } from "node:fs";
import { createNodeHost } from "../../core/host/node-host.ts";
import { type NativeLibrary, reasonOf } from "../../core/index.ts";
import {
  createEpochReader,
  type EpochMark,
  type EpochReader,
  parseEpochPattern,
} from "./epochs.ts";
import { FORWARDED } from "./signals.ts";

/** What godwit asks of the relay: the output at `target` gets what comes from `from`. */
export interface RelayStream {
  /** `pty`: make a pseudo-terminal; a number: read this descriptor. */
  readonly from: "pty" | number;
  readonly target: number;
}

export interface RelayRequest {
  readonly pattern: string;
  readonly streams: readonly RelayStream[];
}

/** What the relay tells, as messages. Times are nanoseconds as text: JSON has no bigint. */
export type RelayMessage =
  | { readonly kind: "ready"; readonly terminals: readonly (string | null)[] }
  | { readonly kind: "failed"; readonly reason: string }
  | { readonly kind: "epoch"; readonly epoch: number; readonly at: string };

const CHUNK_BYTES = 64 * 1024;

/**
 * Runs the relay in this process until the command closes its output.
 * @public Called by name from the script that execute-watch.ts starts.
 */
export async function relay(request: RelayRequest): Promise<void> {
  // Whatever reaches the command reaches this process; it ends when the command has.
  for (const signal of FORWARDED) process.on(signal, () => {});
  process.channel?.unref();
  try {
    const pattern = parseEpochPattern(request.pattern);
    const sources = await openSources(request.streams);
    const reader = createEpochReader(pattern);
    tell({ kind: "ready", terminals: sources.map(({ terminal }) => terminal) });
    await Promise.all(sources.map((source) => relayOne(source, reader)));
  } catch (error) {
    tell({ kind: "failed", reason: reasonOf(error) });
  }
}

/** Copies one stream; never rejects. */
async function relayOne({ fd, target }: Source, reader: EpochReader): Promise<void> {
  const decoder = new TextDecoder();
  try {
    await pump(fd, target, (bytes) => {
      const text = decoder.decode(bytes, { stream: true });
      reader.feed(text, process.hrtime.bigint()).forEach(tellEpoch);
    });
  } catch {
    // The target is gone. Closing our end tells the command so, as it would have been told.
  } finally {
    closeSync(fd);
  }
}

function tell(message: RelayMessage): void {
  // Without godwit there is nobody to tell; the bytes go on all the same.
  if (process.connected) process.send?.(message, () => {});
}

function tellEpoch({ epoch, at }: EpochMark): void {
  tell({ kind: "epoch", epoch, at: String(at) });
}

/** Copies until the end. Rejects when the target is gone. */
async function pump(
  from: number,
  target: number,
  onBytes: (bytes: Uint8Array) => void,
): Promise<void> {
  const buffer = new Uint8Array(CHUNK_BYTES);
  for (;;) {
    const length = await readSome(from, buffer);
    if (length === 0) return;
    const bytes = buffer.subarray(0, length);
    await writeAll(target, bytes);
    onBytes(bytes);
  }
}

/** Bytes read; 0 at the end, which a pseudo-terminal tells as an input error. */
function readSome(fd: number, buffer: Uint8Array): Promise<number> {
  return new Promise((resolve, reject) => {
    read(fd, buffer, 0, buffer.length, null, (error, length) => {
      if (error === null) resolve(length);
      else if (error.code === "EIO") resolve(0);
      else if (error.code === "EAGAIN") {
        setTimeout(() => readSome(fd, buffer).then(resolve, reject), 5);
      } else reject(error);
    });
  });
}

async function writeAll(fd: number, bytes: Uint8Array): Promise<void> {
  for (let offset = 0; offset < bytes.length; ) offset += await writeSome(fd, bytes, offset);
}

function writeSome(fd: number, bytes: Uint8Array, offset: number): Promise<number> {
  return new Promise((resolve, reject) => {
    write(fd, bytes, offset, bytes.length - offset, null, (error, written) => {
      if (error === null) resolve(written);
      // Another process may have set the shared file to non-blocking.
      else if (error.code === "EAGAIN") setTimeout(() => resolve(0), 5);
      else reject(error);
    });
  });
}

interface Source {
  readonly fd: number;
  readonly target: number;
  /** Path of the command's side, for a pseudo-terminal. */
  readonly terminal: string | null;
}

async function openSources(streams: readonly RelayStream[]): Promise<readonly Source[]> {
  if (streams.every(({ from }) => from !== "pty")) {
    return streams.map(({ from, target }) => ({ fd: Number(from), target, terminal: null }));
  }
  const ffi = await createNodeHost().ffi();
  if (ffi === null) throw new Error("a terminal needs the optional package koffi");
  const library = ffi.open(C_LIBRARIES);
  return streams.map(({ from, target }) =>
    from === "pty" ? openTerminal(library, target) : { fd: from, target, terminal: null },
  );
}

const C_LIBRARIES = ["libc.so.6", "libc.so", "/usr/lib/libSystem.B.dylib"];

/** A pseudo-terminal of the size of `target` that changes no byte (POSIX posix_openpt). */
function openTerminal(library: NativeLibrary, target: number): Source {
  const fd = Number(library.bind("int posix_openpt(int)")(constants.O_RDWR | constants.O_NOCTTY));
  if (fd < 0) throw new Error("no pseudo-terminal is free");
  const failed = [
    Number(library.bind("int grantpt(int)")(fd)),
    Number(library.bind("int unlockpt(int)")(fd)),
  ].some((result) => result !== 0);
  const terminal = library.bind("const char *ptsname(int)")(fd);
  if (failed || typeof terminal !== "string") throw new Error("a pseudo-terminal cannot be opened");
  keepRawAndSized(library, { fd, target });
  return { fd, target, terminal };
}

/** `ioctl` requests: asm-generic/ioctls.h of Linux, sys/ttycom.h of macOS. */
const WINDOW_SIZE =
  process.platform === "darwin"
    ? { get: 0x40087468, set: 0x80087467 }
    : { get: 0x5413, set: 0x5414 };

/** Bytes of a struct winsize: four unsigned shorts. */
const WINSIZE_BYTES = 8;
/** At least the bytes of a struct termios on any platform. */
const TERMIOS_BYTES = 256;
const TCSANOW = 0;

function keepRawAndSized(
  library: NativeLibrary,
  { fd, target }: { readonly fd: number; readonly target: number },
): void {
  // Variadic in C, and called otherwise on some processors: the argument's type is passed along.
  const ioctl = library.bind("int ioctl(int, unsigned long, ...)");
  const resize = (): void => {
    const size = new Uint8Array(WINSIZE_BYTES);
    const got = ioctl(target, WINDOW_SIZE.get, "void *", size);
    if (Number(got) === 0) ioctl(fd, WINDOW_SIZE.set, "void *", size);
  };
  resize();
  process.on("SIGWINCH", resize);

  // The real terminal turns line feeds into new lines; done here too, it would happen twice.
  const settings = new Uint8Array(TERMIOS_BYTES);
  if (Number(library.bind("int tcgetattr(int, _Out_ uint8_t *)")(fd, settings)) !== 0) return;
  library.bind("void cfmakeraw(_Inout_ uint8_t *)")(settings);
  library.bind("int tcsetattr(int, int, _In_ uint8_t *)")(fd, TCSANOW, settings);
}
