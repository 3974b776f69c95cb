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
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { exampleCard } from "../../test/example-card.ts";
import type { Card } from "../core/card.ts";
import type { UserError } from "../core/index.ts";
import type { Ledger } from "./ledger.ts";
import { openLedger } from "./open.ts";
import { MIGRATIONS } from "./schema.ts";

const start = promisify(execFile);
const WRITER = fileURLToPath(new URL("../../test/ledger-writer.ts", import.meta.url));

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

describe("a ledger", () => {
  test("gives back the card that was put, fields of newer versions included", async () => {
    const ledger = await open();
    const card = { ...exampleCard(), futureField: { kept: [1, 2] } };
    await ledger.put(card);
    expect(await ledger.get("example")).toEqual(card);
    ledger.close();
    const reopened = await open();
    expect(await reopened.get("example")).toEqual(card);
    expect(Object.isFrozen(await reopened.get("example"))).toBe(true);
  });

  test("replaces a card of the same id, tags included", async () => {
    const ledger = await open();
    await ledger.put(named("a", "old", 0, { a: "1" }));
    await ledger.put(named("a", "new", 0, { b: "2" }));
    expect((await ledger.list()).map(({ name }) => name)).toEqual(["new"]);
    expect(await ledger.list({ tags: { a: "1" } })).toEqual([]);
    expect(await ledger.list({ tags: { b: "2" } })).toHaveLength(1);
  });

  test("lists newest first, with the headline energy and how it was obtained", async () => {
    const ledger = await open();
    await ledger.put(named("a", "first", 0));
    await ledger.put(named("b", "second", 1));
    const [newest] = await ledger.list();
    expect(newest).toEqual({
      id: "b",
      name: "second",
      kind: "command",
      status: "complete",
      startedAt: "2026-01-01T00:01:00.000Z",
      durationS: 60,
      energy: { joules: 4500, method: "estimated" },
      emissions: { gramsCO2e: 0.475, method: "estimated" },
      machine: "abc123",
    });
  });

  test("a headline energy that the card lacks is absent, not another one", async () => {
    const ledger = await open();
    const { energy: _, ...measures } = exampleCard().measures;
    await ledger.put(exampleCard({ measures }));
    expect((await ledger.list())[0]?.energy).toBeNull();
  });

  test("filters hold together", async () => {
    const ledger = await open();
    await ledger.put(named("a", "Train small", 0, { lr: "0.1", seed: "1" }));
    await ledger.put(named("b", "train large", 10, { lr: "0.1", seed: "2" }));
    await ledger.put(exampleCard({ ...named("c", "test", 20), status: "failed" }));
    const ids = async (filter: Parameters<Ledger["list"]>[0]) =>
      (await ledger.list(filter)).map(({ id }) => id);
    expect(await ids({ nameContains: "TRAIN" })).toEqual(["b", "a"]);
    expect(await ids({ name: "train" })).toEqual([]);
    expect(await ids({ tags: { lr: "0.1" } })).toEqual(["b", "a"]);
    expect(await ids({ tags: { lr: "0.1", seed: "1" } })).toEqual(["a"]);
    expect(await ids({ since: Date.UTC(2026, 0, 1, 0, 10) })).toEqual(["c", "b"]);
    expect(await ids({ status: "failed" })).toEqual(["c"]);
    expect(await ids({ limit: 2 })).toEqual(["c", "b"]);
    expect(await ids({ nameContains: "%" })).toEqual([]);
    const whole: string[] = [];
    for await (const card of ledger.cards({ limit: 2 })) whole.push(card.id);
    expect(whole).toEqual(["c", "b"]);
  });

  test("removes once", async () => {
    const ledger = await open();
    await ledger.put(exampleCard());
    expect(await ledger.has("example")).toBe(true);
    expect(await ledger.remove("example")).toBe(true);
    expect(await ledger.remove("example")).toBe(false);
    expect(await ledger.has("example")).toBe(false);
  });

  test("refuses what is not a card, so that no NaN is kept as null", async () => {
    const ledger = await open();
    const card = structuredClone(exampleCard()) as { measures: { duration: { value: number } } };
    card.measures.duration.value = Number.NaN;
    expect(await faultOf(ledger.put(card as unknown as Card))).toMatchObject({
      code: "invalid-input",
    });
    const escaping = exampleCard({ id: "../../outside" });
    expect(await faultOf(ledger.put(escaping))).toMatchObject({ code: "invalid-input" });
  });
});

describe("a reference", () => {
  let ledger: Ledger;
  beforeEach(async () => {
    ledger = await open();
    await ledger.put(named("1k9x3f2ab-m4x7cd", "train", 0));
    await ledger.put(named("1k9x3f2ac-zzzzzz", "train", 1));
    await ledger.put(named("1k9y00000-q0q0q0", "test~1", 2));
  });

  test.each([
    ["1k9x3f2ab-m4x7cd", "1k9x3f2ab-m4x7cd"],
    ["1k9x3f2ab", "1k9x3f2ab-m4x7cd"],
    ["1k9y", "1k9y00000-q0q0q0"],
    ["m4x7cd", "1k9x3f2ab-m4x7cd"],
    ["x7cd", "1k9x3f2ab-m4x7cd"],
    ["train", "1k9x3f2ac-zzzzzz"],
    ["train~1", "1k9x3f2ab-m4x7cd"],
    ["test~1", "1k9y00000-q0q0q0"],
    ["last", "1k9y00000-q0q0q0"],
    ["last~0", "1k9y00000-q0q0q0"],
    ["last~2", "1k9x3f2ab-m4x7cd"],
  ])("%s names %s", async (reference, id) => {
    expect(await ledger.resolve(reference)).toBe(id);
  });

  test("that could be several runs lists them", async () => {
    expect(await faultOf(ledger.get("1k9x"))).toMatchObject({
      code: "invalid-input",
      hint: expect.stringMatching(/1k9x3f2ac-zzzzzz \(train\), 1k9x3f2ab-m4x7cd \(train\)/),
    });
  });

  test.each(["", "~1", "last~9", "train~2", "zz", "%", "1k9_", "last~99999999999999999999"])(
    "%j names nothing",
    async (reference) => {
      expect(await faultOf(ledger.resolve(reference))).toMatchObject({ code: "invalid-input" });
    },
  );

  test("that is unknown names no run without a name either", async () => {
    await ledger.put(named("1k9z00000-e0e0e0", "", 9));
    for (const reference of ["nothing", "nothing~1"]) {
      expect(await faultOf(ledger.resolve(reference))).toMatchObject({ code: "invalid-input" });
    }
    expect(await ledger.resolve("")).toBe("1k9z00000-e0e0e0");
  });

  test("mistyped gets a suggestion", async () => {
    expect((await faultOf(ledger.get("trian"))).hint).toBe("Did you mean train?");
    expect((await faultOf(ledger.get("lats"))).hint).toContain("last");
  });

  test("in an empty ledger says so", async () => {
    for (const { id } of await ledger.list()) await ledger.remove(id);
    expect((await faultOf(ledger.get("last"))).message).toContain("the ledger is empty");
  });
});

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
    newer.exec(`PRAGMA user_version = ${MIGRATIONS.length + 1}`);
    newer.close();
    const before = readFileSync(join(folder, "ledger.db"));
    const fault = await faultOf(openLedger(folder));
    expect(fault.code).toBe("unsupported");
    expect(fault.message).toContain(`is of version ${MIGRATIONS.length + 1}`);
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

  test("eight that start at once and write into a new ledger lose no card", async () => {
    const writers = Array.from({ length: 8 }, () =>
      start(process.execPath, [WRITER, folder, "250"]),
    );
    const results = await Promise.all(writers);
    const ids = results.flatMap(({ stdout }) => stdout.trim().split("\n"));
    expect(results.map(({ stderr }) => stderr).join("")).toBe("");
    const kept = (await (await open()).list()).map(({ id }) => id);
    expect(kept.sort()).toEqual(ids.sort());
    expect(kept).toHaveLength(2000);
  }, 60_000);

  test("one killed while it writes loses nothing that it said was kept", async () => {
    const writer = execFile(process.execPath, [WRITER, folder, "100000"]);
    let said = "";
    await new Promise<void>((resolve) => {
      writer.stdout?.on("data", (text: string) => {
        said += text;
        if (said.length > 2000) writer.kill("SIGKILL");
      });
      writer.on("close", () => resolve());
    });
    const ids = said.slice(0, said.lastIndexOf("\n")).split("\n");
    const ledger = await open();
    for (const id of ids) expect(await ledger.has(id)).toBe(true);
    expect(ids.length).toBeGreaterThan(50);
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
