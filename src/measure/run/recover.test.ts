import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createFakeHost } from "../../../test/fake-host.ts";
import { startRecord, steadyRun } from "../../../test/run-records.ts";
import { createSegment, openLedger, segmentPath } from "../../ledger/index.ts";
import { identifyMachine } from "./identity.ts";
import { isGone, processStart } from "./liveness.ts";
import type { SegmentRecord, StartRecord } from "./record.ts";
import { recoverRuns } from "./recover.ts";

/** A process table in which the process 4242 started at tick 777. */
const stat = (pid: number, start: number) =>
  `${pid} (node) S 1 1 1 0 -1 0 0 0 0 0 10 5 0 0 20 0 11 0 ${start} 1000000 500 0 0 0\n`;
const host = (start = 777) =>
  createFakeHost({
    files: {
      "/proc/4242/stat": stat(4242, start),
      "/proc/self/stat": stat(4242, start),
      "/proc/self/status": "VmRSS:\t2000 kB\n",
      "/proc/sys/kernel/random/boot_id": "boot-1\n",
    },
  });

describe("a process", () => {
  test("is known by its id, its start and the boot", async () => {
    const pidStart = await processStart(host(), 4242);
    expect(pidStart).toBe("boot-1:777");
    expect(await isGone(host(), { pid: 4242, pidStart })).toBe(false);
    // The id was given to another process since.
    expect(await isGone(host(888), { pid: 4242, pidStart })).toBe(true);
    expect(await isGone(host(), { pid: 4243, pidStart })).toBe(true);
  });

  test("of which nobody could tell the start is not taken for gone", async () => {
    expect(await isGone(host(), { pid: 4243, pidStart: null })).toBe(false);
  });
});

describe("recovery", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "recover-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const write = (id: string, records: readonly SegmentRecord[]): void => {
    const segment = createSegment(folder, id);
    for (const record of records) segment.append(record);
    segment.close();
  };
  const recover = async (here = host()) => {
    const ledger = await openLedger(folder);
    try {
      return { ...(await recoverRuns(here, ledger)), kept: await ledger.list() };
    } finally {
      ledger.close();
    }
  };
  let machine: StartRecord["machine"];
  beforeAll(async () => {
    machine = await identifyMachine(host());
  });
  const cutOff = (id: string, pidStart: string, of = machine) =>
    steadyRun({ id, pidStart, machine: of }).filter(({ type }) => type !== "end");

  test("makes a card of a run whose process is gone, up to its last whole line", async () => {
    write("run-a", cutOff("run-a", "boot-0:1"));
    appendFileSync(segmentPath(folder, "run-a"), '{"type":"tick","t":11,"val');
    const { recovered, kept, lost } = await recover();
    expect(recovered).toMatchObject([{ id: "run-a", status: "interrupted" }]);
    expect(recovered[0]?.measures.energy?.gross.value).toBe(500);
    expect(kept).toMatchObject([{ id: "run-a", status: "interrupted" }]);
    expect(lost).toEqual([]);
  });

  test("leaves a run that still goes on alone", async () => {
    write("run-b", cutOff("run-b", "boot-1:777"));
    expect(await recover()).toMatchObject({ recovered: [], lost: [], kept: [] });
  });

  test("leaves a run of another machine alone that has been silent for less than an hour", async () => {
    write("run-h", cutOff("run-h", "boot-9:1", { ...machine, id: "another" }));
    const here = host();
    here.advance(3600e3);
    expect(await recover(here)).toMatchObject({ recovered: [], lost: [] });
    here.advance(60e3);
    expect((await recover(here)).recovered).toMatchObject([{ id: "run-h", status: "interrupted" }]);
  });

  test("finishes a run that ended and whose card was never kept, and does it once", async () => {
    write("run-c", steadyRun({ id: "run-c" }));
    expect((await recover()).recovered).toMatchObject([{ id: "run-c", status: "complete" }]);
    expect((await recover()).recovered).toEqual([]);
  });

  test("passes over lines that are no records, and says how many", async () => {
    write("run-d", cutOff("run-d", "boot-0:1"));
    appendFileSync(segmentPath(folder, "run-d"), 'noise\n{"type":"tick","t":"late"}\n');
    const { recovered } = await recover();
    expect(recovered[0]?.notices.join()).toContain("2 lines of the run's records");
  });

  test("names what cannot be read back and goes on with the others", async () => {
    write("run-e", [startRecord({ id: "run-e", schema: "godwit.segment/9" as never })]);
    write("run-f", cutOff("run-f", "boot-0:1"));
    const path = segmentPath(folder, "run-g");
    writeFileSync(path, "");
    const { recovered, lost } = await recover();
    expect(recovered.map(({ id }) => id)).toEqual(["run-f"]);
    expect(lost.map(({ id }) => id).sort()).toEqual(["run-e", "run-g"]);
    expect(lost.find(({ id }) => id === "run-e")?.reason).toContain("godwit.segment/9");
  });
});
