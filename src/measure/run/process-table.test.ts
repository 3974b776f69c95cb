import { expect, test } from "vitest";
import { createFakeHost } from "../../../test/fake-host.ts";
import { openProcessTable, parsePs, parseStat } from "./process-table.ts";

// Fields as proc_pid_stat(5) numbers them; the name is made to mislead a splitter.
const STAT =
  "42 (a) b (c) S 7 42 42 0 -1 4194304 102 0 0 0 150 50 300 100 20 0 1 0 77948 3133440 412 1844 0 0";

test("a line of /proc is read by the field numbers of its manual page", () => {
  expect(parseStat(STAT, 4096)).toEqual({
    pid: 42,
    parent: 7,
    start: "77948",
    cpu: 2,
    reaped: 4,
    rssBytes: 412 * 4096,
  });
});

test("a truncated line is no process", () => {
  expect(parseStat("42 (sh) S 7", 4096)).toBeNull();
  expect(parseStat("", 4096)).toBeNull();
});

test.each([
  ["  501   1 0:01.50  1024 Mon Nov 23 06:00:00 2026", 1.5],
  ["  501   1 01:02:03  1024 Mon Nov 23 06:00:00 2026", 3723],
  ["  501   1 2-01:00:00  1024 Mon Nov 23 06:00:00 2026", 176_400],
])("the time in %j of ps is %d s", (line, cpu) => {
  expect(parsePs(line)).toMatchObject({ pid: 501, parent: 1, cpu, reaped: 0, rssBytes: 1024 ** 2 });
});

test("the page size follows from what the kernel says twice of one process", async () => {
  for (const [kilobytes, bytes] of [
    [1648, 4096],
    [6592, 16_384],
    [26_400, 65_536],
  ] as const) {
    const host = createFakeHost({
      files: {
        "/proc/self/stat": STAT,
        "/proc/self/status": `Name:\tnode\nVmRSS:\t${kilobytes} kB\n`,
        "/proc/42/stat": STAT,
        "/proc/43/stat": { fault: "ESRCH" },
      },
    });
    const table = await openProcessTable(host);
    expect(await table?.rowsOf([42, 43, 44])).toMatchObject([{ pid: 42, rssBytes: 412 * bytes }]);
    expect(await table?.pids()).toEqual([42, 43]);
    expect(await table?.reapedByUs()).toBe(4);
  }
});

test("without /proc there is no table, rather than an empty one", async () => {
  expect(await openProcessTable(createFakeHost())).toBeNull();
  expect(await openProcessTable(createFakeHost({ platform: "win32" }))).toBeNull();
});
