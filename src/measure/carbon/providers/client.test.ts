import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { inTurn, startServer } from "../../../../test/http-server.ts";
import { createFolderStore } from "../../../core/host/cache-folder.ts";
import { createNodeHost } from "../../../core/host/node-host.ts";
import type { CacheStore } from "./cache.ts";
import { createClient, type Request } from "./client.ts";
import { redact, secret } from "./secret.ts";

const NOON = Date.UTC(2026, 0, 1, 12);
const HOUR = 3_600_000;

/** A host on the real network whose clock moves only by sleeping, and how long it slept. */
function testHost(start = NOON) {
  const { fetch } = createNodeHost();
  const slept: number[] = [];
  let now = start;
  return {
    fetch,
    slept,
    wall: () => now,
    async sleep(milliseconds: number) {
      slept.push(milliseconds);
      now += milliseconds;
    },
    advance(milliseconds: number) {
      now += milliseconds;
    },
  };
}

function memoryStore(): CacheStore & { readonly texts: Map<string, string> } {
  const texts = new Map<string, string>();
  return {
    texts,
    read: async (key) => texts.get(key) ?? null,
    write: async (key, text) => void texts.set(key, text),
  };
}

const token = secret("s3cr3t/token+1");
const request = (url: string, more: Partial<Request> = {}): Request => ({
  service: "Test Grid",
  url: `${url}/v3/latest?zone=DE`,
  headers: { "auth-token": token.reveal() },
  secretQuery: { securityToken: token.reveal() },
  secrets: [token],
  credential: "TEST_TOKEN",
  freshFor: HOUR,
  usableFor: 24 * HOUR,
  ...more,
});
const OK = { body: '{"zone":"DE"}' };

describe("retries", () => {
  test.each([408, 429, 500, 502, 503])(
    "after %s it asks again, waiting ever longer",
    async (status) => {
      const server = await startServer(inTurn({ status }, { status }, OK));
      const host = testHost();
      const { body, from } = await createClient({ host, random: () => 1 }).get(request(server.url));
      expect({ body, from }).toEqual({ body: OK.body, from: "network" });
      expect(host.slept).toEqual([1000, 2000]);
    },
  );
  test("the jitter spreads the waits", async () => {
    const server = await startServer(inTurn({ status: 500 }, OK));
    const host = testHost();
    await createClient({ host, random: () => 0.25 }).get(request(server.url));
    expect(host.slept).toEqual([250]);
  });
  test("Retry-After in seconds or as a date is kept to", async () => {
    const date = new Date(NOON + 10_000).toUTCString();
    for (const [header, wait] of [
      ["7", 7000],
      [date, 10_000],
      // A clock of theirs that is behind ours must not make us wait a negative time.
      [new Date(NOON - HOUR).toUTCString(), 0],
    ] as const) {
      const server = await startServer(
        inTurn({ status: 429, headers: { "retry-after": header } }, OK),
      );
      const host = testHost();
      await createClient({ host }).get(request(server.url));
      expect(host.slept).toEqual([wait]);
    }
  });
  test("a server that asks for an hour is not waited for", async () => {
    const server = await startServer(inTurn({ status: 503, headers: { "retry-after": "3600" } }));
    const host = testHost();
    await expect(createClient({ host }).get(request(server.url))).rejects.toMatchObject({
      code: "network",
    });
    expect(host.slept).toEqual([]);
    expect(server.requests).toHaveLength(1);
  });
  test("it gives up after four attempts", async () => {
    const server = await startServer(inTurn({ status: 500 }));
    await expect(createClient({ host: testHost() }).get(request(server.url))).rejects.toMatchObject(
      {
        message: "Test Grid has a fault (status 500)",
      },
    );
    expect(server.requests).toHaveLength(4);
  });
  test.each([
    [401, "denied", "TEST_TOKEN"],
    [403, "denied", "TEST_TOKEN"],
    [404, "invalid-input", "zone"],
  ])("%s is not asked twice", async (status, code, hint) => {
    const server = await startServer(inTurn({ status, body: "no such zone" }));
    await expect(createClient({ host: testHost() }).get(request(server.url))).rejects.toMatchObject(
      {
        code,
        hint: expect.stringContaining(hint),
      },
    );
    expect(server.requests).toHaveLength(1);
  });
  test("requests keep their distance", async () => {
    const server = await startServer(inTurn(OK));
    const host = testHost();
    const client = createClient({ host, spacing: 300 });
    await client.get(request(server.url));
    await client.get(request(server.url, { url: `${server.url}/other` }));
    expect(host.slept).toEqual([300]);
  });
});

describe("answers that are none", () => {
  test("a redirection is not followed, and the credential stays", async () => {
    const thief = await startServer(inTurn(OK));
    const server = await startServer(
      inTurn({ status: 302, headers: { location: `${thief.url}/steal` } }),
    );
    await expect(createClient({ host: testHost() }).get(request(server.url))).rejects.toMatchObject(
      {
        message: expect.stringContaining("sends elsewhere"),
      },
    );
    expect(thief.requests).toEqual([]);
  });
  test.each(["<!DOCTYPE html><p>Sign in", "  <html><body>502</body></html>"])(
    "a web page: %s",
    async (body) => {
      const server = await startServer(inTurn({ body }));
      await expect(
        createClient({ host: testHost() }).get(request(server.url)),
      ).rejects.toMatchObject({ message: expect.stringContaining("web page") });
    },
  );
  test("an address that cannot be asked: the reason is told", async () => {
    const client = createClient({ host: testHost(), attempts: 1 });
    await expect(client.get(request("http://127.0.0.1:1"))).rejects.toMatchObject({
      message: expect.stringMatching(/^Test Grid did not answer: bad port/),
    });
  });
  test("an answer that never comes meets its deadline", async () => {
    const server = await startServer(() => undefined);
    const client = createClient({ host: testHost(), timeout: 50, attempts: 2 });
    await expect(client.get(request(server.url))).rejects.toMatchObject({ code: "network" });
    expect(server.requests).toHaveLength(2);
  });
  test("an answer that is cut off is a fault of the network", async () => {
    const server = await startServer((_, response) => {
      response.writeHead(200, { "content-length": "1000" });
      response.write('{"zone":');
      setImmediate(() => response.destroy());
    });
    await expect(
      createClient({ host: testHost(), attempts: 2 }).get(request(server.url)),
    ).rejects.toMatchObject({ code: "network" });
  });
  test("an answer without end is refused, without the address that carries the credential", async () => {
    const server = await startServer((_, response) => {
      const chunk = Buffer.alloc(1024 * 1024, 32);
      const more = () => {
        while (!response.destroyed && response.write(chunk));
      };
      response.on("drain", more);
      more();
    });
    const refused = createClient({ host: testHost(), attempts: 1 }).get(request(server.url));
    const error = await refused.catch((one: unknown) => one);
    expect(String(error)).toMatch(/answer over \d+ bytes/);
    expect(String(error)).not.toContain("s3cr3t");
  });
  test("hostile text is printed on one line, without control characters", async () => {
    const body = "no\u001b[2J zone\r\n\u202Egodwit: all fine";
    const server = await startServer(inTurn({ status: 400, body }));
    const error = await createClient({ host: testHost() })
      .get(request(server.url))
      .catch((one: unknown) => one);
    expect(String(error)).toContain("no [2J zone godwit: all fine");
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must be absent
    expect(String(error)).not.toMatch(/[\u0000-\u001f\u202e]/);
  });
});

describe("credentials", () => {
  test("are sent, and stand in no error, no cache and no JSON", async () => {
    const echo = `refused ${encodeURIComponent(token.reveal())} and ${token.reveal()}`;
    const server = await startServer(inTurn(OK, { status: 400, body: echo }));
    const store = memoryStore();
    const client = createClient({ host: testHost(), store });
    await client.get(request(server.url));
    expect(server.requests[0]?.headers["auth-token"]).toBe(token.reveal());
    expect(server.requests[0]?.url).toContain("securityToken=s3cr3t");
    expect(JSON.stringify([...store.texts])).not.toContain("s3cr3t");
    const error = await client
      .get(request(server.url, { url: `${server.url}/other` }))
      .catch((one: unknown) => one);
    expect(`${String(error)} ${JSON.stringify(error)}`).not.toContain("s3cr3t");
    expect(`${token} ${JSON.stringify({ token })}`).toBe('[secret] {"token":"[secret]"}');
  });
  test("are struck out of any text, in both spellings", () => {
    expect(redact("a s3cr3t/token+1 b s3cr3t%2Ftoken%2B1", [token])).toBe("a [secret] b [secret]");
  });
});

describe("the cache", () => {
  test("answers while fresh, then asks again", async () => {
    const server = await startServer(inTurn(OK, { body: '{"zone":"FR"}' }));
    const host = testHost();
    const client = createClient({ host, store: memoryStore() });
    await client.get(request(server.url));
    host.advance(HOUR - 1);
    expect(await client.get(request(server.url))).toMatchObject({ from: "cache", notices: [] });
    host.advance(2);
    expect((await client.get(request(server.url))).body).toContain("FR");
    expect(server.requests).toHaveLength(2);
  });
  test("helps out when the service fails, and says how old it is and why", async () => {
    const server = await startServer(inTurn(OK, { status: 500 }));
    const host = testHost();
    const client = createClient({ host, store: memoryStore(), attempts: 1 });
    await client.get(request(server.url));
    host.advance(3 * HOUR);
    const answer = await client.get(request(server.url));
    expect(answer).toMatchObject({ from: "stale cache", retrievedAt: NOON });
    expect(answer.notices).toEqual([
      "Test Grid: kept answer of 3 h ago: Test Grid has a fault (status 500)",
    ]);
    host.advance(24 * HOUR);
    await expect(client.get(request(server.url))).rejects.toMatchObject({ code: "network" });
  });
  test("does not cover a refused credential", async () => {
    const server = await startServer(inTurn(OK, { status: 401 }));
    const host = testHost();
    const client = createClient({ host, store: memoryStore() });
    await client.get(request(server.url));
    host.advance(2 * HOUR);
    await expect(client.get(request(server.url))).rejects.toMatchObject({ code: "denied" });
  });
  test("is all that is asked offline, however old, and says so", async () => {
    const server = await startServer(inTurn(OK));
    const host = testHost();
    const store = memoryStore();
    await createClient({ host, store }).get(request(server.url));
    host.advance(1000 * HOUR);
    const offline = createClient({ host, store, offline: true });
    expect((await offline.get(request(server.url))).notices[0]).toMatch(
      /^offline: .*41 d 16 h ago/,
    );
    await expect(
      offline.get(request(server.url, { url: `${server.url}/other` })),
    ).rejects.toMatchObject({ message: expect.stringContaining("offline") });
    expect(server.requests).toHaveLength(1);
  });
  test("does not trust an answer from the future", async () => {
    const server = await startServer(inTurn(OK, { status: 500 }));
    const host = testHost();
    const client = createClient({ host, store: memoryStore(), attempts: 1 });
    await client.get(request(server.url));
    host.advance(-2 * HOUR);
    const answer = await client.get(request(server.url));
    expect(server.requests).toHaveLength(2);
    expect(answer.notices[0]).toContain("unknown age (the clock has moved)");
  });
  test.each(["", "{", '{"schema":"other"}', '{"schema":"godwit.cache/1","body":1}'])(
    "that is damaged (%s) is as good as none",
    async (text) => {
      const server = await startServer(inTurn(OK));
      const store = { ...memoryStore(), read: async () => text };
      const answer = await createClient({ host: testHost(), store }).get(request(server.url));
      expect(answer.from).toBe("network");
    },
  );
  test("that cannot be written is said, and costs no answer", async () => {
    const server = await startServer(inTurn(OK));
    const store = { ...memoryStore(), write: () => Promise.reject(new Error("disk full")) };
    const { notices } = await createClient({ host: testHost(), store }).get(request(server.url));
    expect(notices).toEqual(["Test Grid: the answer was not kept: disk full"]);
  });
  test("lies in a folder of its own, one file a key, that survives damage", async () => {
    const folder = await mkdtemp(join(tmpdir(), "godwit-cache-"));
    try {
      const store = createFolderStore(join(folder, "made", "when-needed"));
      expect(await store.read("https://a/?b=../../c")).toBeNull();
      await store.write("https://a/?b=../../c", "one");
      await store.write("https://a/?b=../../c", "two");
      expect(await store.read("https://a/?b=../../c")).toBe("two");
      const [name = "", ...more] = await readdir(join(folder, "made", "when-needed"));
      expect([name.length, more]).toEqual([69, []]);
      await writeFile(join(folder, "made", "when-needed", name), "\u0000");
      expect(await readFile(join(folder, "made", "when-needed", name), "utf8")).toBe("\u0000");
      expect(await store.read("https://a/?b=../../c")).toBe("\u0000");
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
