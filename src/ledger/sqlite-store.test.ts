// What is particular to a ledger in a folder: every way its file can be wrong.

import { execFile } from "node:child_process";
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { exampleCard } from "../../test/example-card.ts";
import type { Card } from "../core/card.ts";
import type { UserError } from "../core/index.ts";
import type { Ledger } from "./ledger.ts";
import { openLedger } from "./open.ts";
import { SQLITE_MIGRATIONS } from "./schema.ts";

const start = promisify(execFile);

let folder = "";
const opened: Ledger[] = [];
beforeEach(() => {
  folder = join(mkdtempSync(join(tmpdir(), "godwit-ledger-")), ".godwit");
});
afterEach(() => {
  for (const ledger of opened.splice(0)) ledger.close();
  rmSync(join(folder, ".."), { recursive: true, force: true });
});

async function open(options: Parameters<typeof openLedger>[1] = {}): Promise<Ledger> {
  const ledger = await openLedger(folder, options);
  opened.push(ledger);
  return ledger;
}

const named = (id: string, name: string, minute: number, tags = {}): Card =>
  exampleCard({
    id,
    subject: { kind: "command", name, tags },
    startedAt: new Date(Date.UTC(2026, 0, 1, 0, minute)).toISOString(),
  });

const faultOf = (promise: Promise<unknown>): Promise<UserError> =>
  promise.then(
    () => expect.fail("expected an error"),
    (error) => error,
  );

describe("a path that is no ledger", () => {
  const write = (text: string | Uint8Array): void => {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "ledger.db"), text);
  };

  test("does not exist: an error when it must, and nothing is made", async () => {
    const fault = await faultOf(openLedger(folder, { ifAbsent: "fail" }));
    expect(fault).toMatchObject({ code: "ledger", hint: expect.stringContaining("godwit run") });
    expect(() => statSync(folder)).toThrow("ENOENT");
  });

  test("is a file, or lies under one", async () => {
    writeFileSync(folder, "");
    expect((await faultOf(openLedger(folder))).message).toContain("is a file, not a folder");
    expect((await faultOf(openLedger(join(folder, "deeper")))).code).toBe("ledger");
  });

  test("has a folder in the file's place", async () => {
    mkdirSync(join(folder, "ledger.db"), { recursive: true });
    expect((await faultOf(openLedger(folder))).message).toContain("is a folder");
  });

  test("holds text: damaged, and left as it was", async () => {
    const text = "this was never a database, but is long enough to look at ".repeat(20);
    write(text);
    expect((await faultOf(openLedger(folder))).message).toContain("is damaged");
    expect(readFileSync(join(folder, "ledger.db"), "utf8")).toBe(text);
  });

  test("holds another program's database: refused, and left as it was", async () => {
    mkdirSync(folder, { recursive: true });
    const other = new DatabaseSync(join(folder, "ledger.db"));
    other.exec("CREATE TABLE theirs (a)");
    other.close();
    const before = readFileSync(join(folder, "ledger.db"));
    expect((await faultOf(openLedger(folder))).message).toContain("another program");
    expect(readFileSync(join(folder, "ledger.db"))).toEqual(before);
  });

  test("is of a newer version: refused by number, and left as it was", async () => {
    (await open()).close();
    const newer = new DatabaseSync(join(folder, "ledger.db"));
    newer.exec(`PRAGMA user_version = ${SQLITE_MIGRATIONS.length + 1}`);
    newer.close();
    const before = readFileSync(join(folder, "ledger.db"));
    const fault = await faultOf(openLedger(folder));
    expect(fault.code).toBe("unsupported");
    expect(fault.message).toContain(`is of version ${SQLITE_MIGRATIONS.length + 1}`);
    expect(readFileSync(join(folder, "ledger.db"))).toEqual(before);
  });

  test("was cut short: damaged at the first read that meets the damage", async () => {
    const ledger = await open();
    for (let i = 0; i < 50; i++) await ledger.put(named(`run-${i}`, "train", i));
    ledger.close();
    const path = join(folder, "ledger.db");
    const whole = readFileSync(path);
    writeFileSync(path, whole.subarray(0, whole.length / 2));
    const fault = await faultOf(
      openLedger(folder).then(async (cut) => {
        opened.push(cut);
        for await (const card of cut.cards()) expect(card.id).toMatch(/^run-/);
      }),
    );
    expect(fault).toMatchObject({ code: "ledger", message: expect.stringContaining("damaged") });
  });

  test("holds one damaged card: named, and the others can be read", async () => {
    const ledger = await open();
    await ledger.put(named("good", "train", 0));
    await ledger.put(named("bad", "train", 1));
    const database = new DatabaseSync(join(folder, "ledger.db"));
    database.exec("UPDATE cards SET card = '{' WHERE id = 'bad'");
    database.close();
    expect(await faultOf(ledger.get("bad"))).toMatchObject({
      message: expect.stringContaining("card bad"),
      hint: expect.stringContaining("godwit rm bad"),
    });
    expect((await ledger.get("good")).id).toBe("good");
  });
});

describe("a ledger that cannot be written", () => {
  test.skipIf(process.platform === "win32")("can be read, and a put says what to do", async () => {
    const ledger = await open();
    await ledger.put(exampleCard());
    ledger.close();
    chmodSync(join(folder, "ledger.db"), 0o444);
    chmodSync(folder, 0o555);
    chmodSync(join(folder, ".."), 0o755);
    const script = `
        import { openLedger } from ${JSON.stringify(new URL("./open.ts", import.meta.url).href)};
        import { exampleCard } from ${JSON.stringify(new URL("../../test/example-card.ts", import.meta.url).href)};
        // Permissions do not hold back the superuser, so the reader becomes nobody.
        if (process.getuid() === 0) process.setuid(65534);
        const ledger = await openLedger(${JSON.stringify(folder)});
        const { id } = await ledger.get("last");
        const fault = await ledger.put(exampleCard()).catch((error) => error);
        console.log(JSON.stringify({ id, writable: ledger.writable, code: fault.code }));
      `;
    const { stdout } = await start(process.execPath, ["--input-type=module", "--eval", script]);
    chmodSync(folder, 0o755);
    expect(JSON.parse(stdout)).toEqual({ id: "example", writable: false, code: "ledger" });
  });
});

describe("several processes", () => {
  test("a writer that finds the ledger locked gives up with a reason, in its own time", async () => {
    const ledger = await open({ patience: { total: 0 } });
    const other = new DatabaseSync(join(folder, "ledger.db"));
    other.exec("BEGIN IMMEDIATE");
    expect((await faultOf(ledger.put(exampleCard()))).message).toContain("locked by another");
    expect(await ledger.list()).toEqual([]);
    other.exec("ROLLBACK");
    other.close();
    await ledger.put(exampleCard());
    expect(await ledger.has("example")).toBe(true);
  });

  test("a copy of the folder is a ledger too", async () => {
    const ledger = await open();
    await ledger.put(exampleCard());
    ledger.close();
    const copy = join(folder, "..", "copy");
    cpSync(folder, copy, { recursive: true });
    const copied = await openLedger(copy, { ifAbsent: "fail" });
    opened.push(copied);
    expect((await copied.get("last")).id).toBe("example");
  });
});
