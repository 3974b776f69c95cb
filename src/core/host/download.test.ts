import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { downloadFile } from "./download.ts";

const CONTENT = Buffer.from(Array.from({ length: 50_000 }, (_, at) => at % 251));
const SHA256 = createHash("sha256").update(CONTENT).digest("hex");

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closing.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/file`;
}

const target = () => join(mkdtempSync(join(tmpdir(), "godwit-download-")), "deep", "file.bin");

interface Changes {
  readonly sha?: string;
  readonly maxBytes?: number;
  readonly onProgress?: (done: number) => void;
}

const get = (url: string, path: string, { sha, maxBytes, onProgress }: Changes = {}) =>
  downloadFile({
    url,
    path,
    checksum: { algorithm: "sha256", value: sha ?? SHA256 },
    maxBytes: maxBytes ?? 100_000,
    ...(onProgress === undefined ? {} : { onProgress }),
  });

test("a file arrives whole, is told about on the way, and leaves no part behind", async () => {
  const url = await serve((_, response) => response.end(CONTENT));
  const path = target();
  const seen: number[] = [];
  await downloadFile({
    url,
    path,
    checksum: { algorithm: "md5", value: createHash("md5").update(CONTENT).digest("hex") },
    maxBytes: 50_000,
    onProgress: (done) => seen.push(done),
  });
  expect(readFileSync(path)).toEqual(CONTENT);
  expect(seen.at(-1)).toBe(50_000);
  expect(existsSync(`${path}.part`)).toBe(false);
});

test("a transfer that broke off is continued from where it stopped", async () => {
  const ranges: (string | undefined)[] = [];
  let hangUp = (): void => {};
  const url = await serve((request, response) => {
    ranges.push(request.headers.range);
    const start = Number(/bytes=(\d+)-/.exec(request.headers.range ?? "")?.[1] ?? 0);
    if (start === 0) {
      response.writeHead(200, { "content-length": CONTENT.length });
      response.write(CONTENT.subarray(0, 20_000));
      hangUp = () => void response.destroy();
      return;
    }
    response.writeHead(206);
    response.end(CONTENT.subarray(start));
  });
  const path = target();
  // Only once all that was sent has been taken: what a socket still holds when it breaks is lost.
  const onProgress = (done: number): void => {
    if (done === 20_000) hangUp();
  };
  await expect(get(url, path, { onProgress })).rejects.toMatchObject({
    code: "network",
    hint: "Run the command again: it goes on where it stopped.",
  });
  expect(existsSync(path)).toBe(false);
  await get(url, path);
  expect(readFileSync(path)).toEqual(CONTENT);
  expect(ranges).toEqual([undefined, "bytes=20000-"]);
});

test("a server that does not continue sends all, and all is taken", async () => {
  const url = await serve((_, response) => response.end(CONTENT));
  const path = target();
  await get(url, path).catch(() => undefined);
  writeFileSync(`${path}.part`, "old bytes");
  await get(url, path);
  expect(readFileSync(path)).toEqual(CONTENT);
});

test("another file, too large a file, and a refusal leave nothing under the name", async () => {
  const url = await serve((_, response) => response.end(CONTENT));
  const path = target();
  await expect(get(url, path, { sha: "0".repeat(64) })).rejects.toThrow(
    "is not the file that was expected",
  );
  await expect(get(url, path, { maxBytes: 49_999 })).rejects.toThrow("more than the 49999 bytes");
  const endless = await serve((_, response) => {
    response.write(CONTENT);
    response.write(CONTENT);
    response.end(CONTENT);
  });
  await expect(get(endless, path)).rejects.toThrow("sends more than the 100000 bytes expected");
  const absent = await serve((_, response) => response.writeHead(404).end());
  await expect(get(absent, path)).rejects.toThrow("answered 404");
  await expect(get("http://127.0.0.1:1/file", path)).rejects.toThrow("cannot reach");
  expect(existsSync(path)).toBe(false);
  expect(existsSync(`${path}.part`)).toBe(false);
});
