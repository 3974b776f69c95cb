// Fetching a large file: in pieces to disk, continued where it broke off, checked before it gets its name,
// so that a file of that name is always whole and right.

import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, open, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { reasonOf, UserError } from "../errors.ts";

export interface DownloadOptions {
  readonly url: string;
  /** Where the file goes; until it is whole, it is beside that with `.part` behind its name. */
  readonly path: string;
  /** Of the whole file, in hexadecimal. */
  readonly checksum: { readonly algorithm: "sha256" | "md5"; readonly value: string };
  /** More than this is not taken, whatever the server says. */
  readonly maxBytes: number;
  readonly signal?: AbortSignal;
  /** Bytes so far, and in all where the server tells. */
  readonly onProgress?: (done: number, total: number | null) => void;
}

/**
 * Downloads a file. Throws UserError when the server refuses, sends too much or something else than was
 * expected; what was received of a broken-off transfer is kept and continued the next time.
 */
export async function downloadFile(options: DownloadOptions): Promise<void> {
  const { url, path, signal } = options;
  const part = `${path}.part`;
  await mkdir(dirname(path), { recursive: true });
  const have = (await stat(part).catch(() => null))?.size ?? 0;
  const response = await request(url, have, signal);
  if (response.status === 416) {
    // Nothing is left to send: the part is whole, or of another file, which the checksum tells.
    await response.body?.cancel();
  } else if (response.ok) {
    await receive(response, part, response.status === 206 ? have : 0, options);
  } else {
    await response.body?.cancel();
    throw new UserError("network", `${url} answered ${response.status}`, {
      hint: "The file may have moved; look at the dataset's own page.",
    });
  }
  await settle(part, options);
}

async function request(url: string, have: number, signal: AbortSignal | undefined) {
  try {
    return await fetch(url, {
      headers: have > 0 ? { range: `bytes=${have}-` } : {},
      ...(signal === undefined ? {} : { signal }),
    });
  } catch (cause) {
    if (signal?.aborted) throw cause;
    throw new UserError("network", `cannot reach ${url} (${networkReason(cause)})`, {
      hint: "Check the network; what was received so far is kept.",
      cause,
    });
  }
}

/** `fetch failed` says nothing; its cause does. */
const networkReason = (error: unknown): string =>
  error instanceof Error && error.cause !== undefined ? reasonOf(error.cause) : reasonOf(error);

async function receive(
  response: Response,
  part: string,
  start: number,
  { url, maxBytes, signal, onProgress }: DownloadOptions,
): Promise<void> {
  const announced = Number(response.headers.get("content-length") ?? Number.NaN);
  const total = Number.isFinite(announced) ? start + announced : null;
  if ((total ?? 0) > maxBytes) {
    await response.body?.cancel();
    throw tooLarge(url, maxBytes);
  }
  const file = await open(part, start > 0 ? "a" : "w");
  let done = start;
  try {
    for await (const chunk of response.body ?? []) {
      done += chunk.length;
      if (done > maxBytes) throw tooLarge(url, maxBytes);
      await file.write(chunk);
      onProgress?.(done, total);
    }
  } catch (cause) {
    if (cause instanceof UserError) {
      await rm(part, { force: true });
      throw cause;
    }
    if (signal?.aborted) throw cause;
    throw new UserError("network", `${url} broke off after ${done} bytes`, {
      hint: "Run the command again: it goes on where it stopped.",
      cause,
    });
  } finally {
    await file.close();
  }
}

const tooLarge = (url: string, maxBytes: number): UserError =>
  new UserError("network", `${url} sends more than the ${maxBytes} bytes expected`, {
    hint: "It is not the file that was meant; nothing of it was kept.",
  });

async function settle(part: string, { url, path, checksum }: DownloadOptions): Promise<void> {
  const found = await hashFile(part, checksum.algorithm);
  if (found !== checksum.value) {
    await rm(part, { force: true });
    throw new UserError("network", `${url} is not the file that was expected`, {
      hint: `Its ${checksum.algorithm} is ${found}, not ${checksum.value}. Nothing of it was kept.`,
    });
  }
  await rename(part, path);
}

/** Checksum of a file, in hexadecimal. */
async function hashFile(path: string, algorithm: "sha256" | "md5"): Promise<string> {
  const hash = createHash(algorithm);
  for await (const chunk of createReadStream(path)) hash.update(chunk as Uint8Array);
  return hash.digest("hex");
}
