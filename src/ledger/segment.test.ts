import { execFile } from "node:child_process";
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { readSegment, type SegmentLine } from "./read-segment.ts";
import { createSegment, listSegments, removeSegment, segmentPath } from "./segment.ts";

const start = promisify(execFile);

let folder = "";
beforeEach(() => {
  folder = join(mkdtempSync(join(tmpdir(), "godwit-segment-")), ".godwit");
});
afterEach(() => rmSync(join(folder, ".."), { recursive: true, force: true }));

async function linesOf(path: string): Promise<SegmentLine[]> {
  const lines: SegmentLine[] = [];
  for await (const line of readSegment(path)) lines.push(line);
  return lines;
}

const recordsOf = (lines: readonly SegmentLine[]): object[] =>
  lines.flatMap((line) => (line.kind === "record" ? [line.record] : []));

describe("a segment", () => {
  const records = [
    { type: "start", name: "naïve ☃ 𝄞", at: 0 },
    { type: "tick", t: 1, values: [1.5, null] },
    { type: "tick", t: 2, values: [3, 0.1 + 0.2] },
    { type: "end", t: 3 },
  ];

  test("gives back what was appended, and hides itself from git", async () => {
    const segment = createSegment(folder, "run-1");
    for (const record of records) expect(segment.append(record)).toBeNull();
    expect(segment.close()).toBeNull();
    expect(recordsOf(await linesOf(segment.path))).toEqual(records);
    expect(readFileSync(join(folder, ".gitignore"), "utf8")).toBe("*\n");
  });

  test("cut at any byte loses at most the record that the cut went through", async () => {
    const segment = createSegment(folder, "whole");
    for (const record of records) segment.append(record);
    segment.close();
    const bytes = readFileSync(segment.path);
    const cut = join(folder, "cut.ndjson");
    for (let length = 0; length <= bytes.length; length++) {
      const head = bytes.subarray(0, length);
      writeFileSync(cut, head);
      const lines = await linesOf(cut);
      const complete = head.filter((byte) => byte === 0x0a).length;
      const found = recordsOf(lines);
      // A record that lacks nothing but its newline is whole.
      expect(found.length - complete === 0 || found.length - complete === 1).toBe(true);
      expect(found).toEqual(records.slice(0, found.length));
      expect(lines.some((line) => line.kind === "malformed")).toBe(false);
      if (found.length === complete && head.at(-1) !== 0x0a && length > 0) {
        expect(lines.at(-1)).toMatchObject({ kind: "torn", line: complete + 1 });
      }
    }
  });

  test("names a malformed line in the middle and reads on", async () => {
    const segment = createSegment(folder, "run-1");
    segment.append({ first: 1 });
    appendFileSync(segment.path, "{broken\n17\n\n");
    appendFileSync(segment.path, Buffer.from([0xff, 0xfe, 0x0a]));
    segment.append({ last: 2 });
    segment.close();
    const lines = await linesOf(segment.path);
    expect(lines.map(({ kind, line }) => [kind, line])).toEqual([
      ["record", 1],
      ["malformed", 2],
      ["malformed", 3],
      ["malformed", 5],
      ["record", 6],
    ]);
  });

  test("a line of 40 MB is damage, not memory", async () => {
    const path = join(folder, "big.ndjson");
    mkdirSync(folder);
    for (let i = 0; i < 40; i++) appendFileSync(path, Buffer.alloc(1 << 20, 0x20));
    appendFileSync(path, '\n{"after": true}\n');
    expect(await linesOf(path)).toEqual([
      expect.objectContaining({ kind: "malformed", line: 1 }),
      { kind: "record", line: 2, record: { after: true } },
    ]);
  });

  test("a folder that cannot be made is a fault at every append, never a throw", () => {
    writeFileSync(join(folder, "..", "file"), "");
    const segment = createSegment(join(folder, "..", "file"), "run-1");
    expect(segment.append({})).toMatchObject({ code: "EEXIST" });
    expect(segment.append({})).toMatchObject({ reason: expect.stringContaining("file") });
    expect(segment.close()).toBeNull();
  });

  test("a run's segment is never continued by another run of the same id", () => {
    createSegment(folder, "run-1").append({ mine: 1 });
    expect(createSegment(folder, "run-1").append({ other: 1 })).toMatchObject({ code: "EEXIST" });
  });

  test.skipIf(process.platform === "win32")(
    "a disk that fills up in the middle of a record leaves whole lines behind",
    async () => {
      // The limit on file size refuses the rest of a write, as a full disk does.
      const script = `
        import { createSegment } from ${JSON.stringify(new URL("./segment.ts", import.meta.url).href)};
        const segment = createSegment(${JSON.stringify(folder)}, "run-1");
        const faults = [];
        for (let i = 0; i < 100; i++) faults.push(segment.append({ i, filler: "x".repeat(90) }));
        console.log(JSON.stringify(faults.filter((fault) => fault !== null)));
      `;
      const limited = 'ulimit -f 4; exec "$0" --input-type=module --eval "$1"';
      const { stdout } = await start("sh", ["-c", limited, process.execPath, script]);
      const faults: { code: string }[] = JSON.parse(stdout);
      expect(faults.length).toBeGreaterThan(0);
      expect(new Set(faults.map(({ code }) => code))).toEqual(new Set(["EFBIG"]));
      const lines = await linesOf(segmentPath(folder, "run-1"));
      expect(lines.every((line) => line.kind === "record")).toBe(true);
      expect(lines).toHaveLength(100 - faults.length);
    },
  );

  test("appending after the end is a fault, and closing twice is not", () => {
    const segment = createSegment(folder, "run-1");
    expect(segment.close()).toBeNull();
    expect(segment.close()).toBeNull();
    expect(segment.append({})).toMatchObject({ reason: expect.stringContaining("closed") });
  });

  test("is listed by the age in its id and removed once", async () => {
    for (const id of ["000000002-b", "000000001-a"]) createSegment(folder, id).close();
    writeFileSync(join(folder, "segments", "note.txt"), "");
    expect(await listSegments(folder)).toEqual(["000000001-a", "000000002-b"]);
    removeSegment(folder, "000000001-a");
    removeSegment(folder, "000000001-a");
    expect(await listSegments(folder)).toEqual(["000000002-b"]);
    expect(await listSegments(join(folder, "none"))).toEqual([]);
    // What is wrong is what was named, not what would lie in it.
    const file = join(folder, "segments", "note.txt");
    await expect(listSegments(file)).rejects.toMatchObject({
      message: `the ledger at ${file} is a file, not a folder`,
    });
  });

  test("an id that would leave the folder is refused", () => {
    expect(() => segmentPath(folder, "../../etc/passwd")).toThrow(RangeError);
  });

  test("a segment that does not exist is an error with a remedy", async () => {
    await expect(linesOf(join(folder, "none.ndjson"))).rejects.toMatchObject({
      code: "ledger",
      hint: expect.stringContaining("--ledger"),
    });
  });
});
