import { describe, expect, onTestFinished, test } from "vitest";
import { type MetricsOptions, serveMetrics } from "./metrics-server.ts";

async function start(options: Partial<MetricsOptions>) {
  const faults: string[] = [];
  const server = await serveMetrics({
    host: "127.0.0.1",
    port: 0,
    render: async () => "godwit_runs_total 1\n",
    onFault: (text) => faults.push(text),
    ...options,
  });
  onTestFinished(() => server.close());
  return { ...server, faults };
}

test("a scrape gets what the ledger says now", async () => {
  let runs = 0;
  const { url } = await start({ render: async () => `godwit_runs_total ${++runs}\n` });
  const first = await fetch(url);
  expect(first.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
  expect([await first.text(), await (await fetch(url)).text()]).toEqual([
    "godwit_runs_total 1\n",
    "godwit_runs_total 2\n",
  ]);
});

test("scrapes at once share one reading", async () => {
  let readings = 0;
  let resolve = (): void => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  const { url } = await start({
    render: async () => {
      readings++;
      await promise;
      return "x 1\n";
    },
  });
  const scrapes = Promise.all(Array.from({ length: 5 }, async () => (await fetch(url)).text()));
  while (readings === 0) await new Promise((next) => setImmediate(next));
  // All five are in before the first is answered: the test's own server sees them on one loop.
  await new Promise((next) => setTimeout(next, 50));
  resolve();
  expect(await scrapes).toEqual(Array(5).fill("x 1\n"));
  expect(readings).toBe(1);
});

describe("what is asked wrongly", () => {
  test("other paths and other methods are refused", async () => {
    const { url } = await start({});
    expect((await fetch(new URL("/", url))).status).toBe(404);
    expect((await fetch(url, { method: "POST" })).status).toBe(405);
    expect((await fetch(url, { method: "HEAD" })).status).toBe(200);
  });

  test("a ledger that fails is a 500 without its path, and the reason is told at home", async () => {
    const { url, faults } = await start({
      render: () => Promise.reject(new Error("/secret/ledger.db is damaged")),
    });
    const answer = await fetch(url);
    expect(answer.status).toBe(500);
    expect(await answer.text()).not.toContain("secret");
    expect(faults).toEqual(["/secret/ledger.db is damaged"]);
    expect((await fetch(url)).status).toBe(500);
  });

  test("a port in use is an error with a remedy", async () => {
    const { url } = await start({});
    const port = Number(new URL(url).port);
    await expect(start({ port })).rejects.toMatchObject({
      name: "UserError",
      hint: expect.stringContaining("another port"),
    });
  });
});
