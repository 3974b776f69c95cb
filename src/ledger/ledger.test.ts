// What every ledger promises, on a SQLite file and on a real PostgreSQL server.

import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { exampleCard } from "../../test/example-card.ts";
import {
  missingPostgres,
  type PostgresTestServer,
  startPostgres,
} from "../../test/postgres-server.ts";
import type { Card } from "../core/card.ts";
import type { UserError } from "../core/index.ts";
import { type LedgerPlace, locateLedger } from "./folder.ts";
import type { Ledger } from "./ledger.ts";
import { openLedger } from "./open.ts";

const start = promisify(execFile);
const WRITER = fileURLToPath(new URL("../../test/ledger-writer.ts", import.meta.url));

let postgres: PostgresTestServer | null = null;
beforeAll(async () => {
  if (missingPostgres === null) postgres = await startPostgres();
});
afterAll(() => postgres?.stop());

const BACKENDS = [
  { name: "SQLite", missing: null, address: (project: string) => join(project, ".godwit") },
  { name: "PostgreSQL", missing: missingPostgres, address: () => postgres?.database() ?? "" },
  {
    name: "PostgreSQL by its Unix socket",
    missing: missingPostgres,
    address: () => postgres?.database({ socket: true }) ?? "",
  },
];

let project = "";
let address = "";
const opened: Ledger[] = [];
afterEach(() => {
  for (const ledger of opened.splice(0)) ledger.close();
  rmSync(project, { recursive: true, force: true });
});

const place = (): LedgerPlace => locateLedger({ cwd: project, env: {}, flag: address });

async function open(options: Parameters<typeof openLedger>[1] = {}): Promise<Ledger> {
  const ledger = await openLedger(place(), options);
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

describe.each(BACKENDS)("on $name", ({ missing, address: newAddress }) => {
  beforeEach((context) => {
    context.skip(missing !== null, missing ?? "");
    project = mkdtempSync(join(tmpdir(), "godwit-ledger-"));
    address = newAddress(project);
  });

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

  describe("several clients", () => {
    test("eight that start at once and write into a new ledger lose no card", async () => {
      // Eight processes on a file; on a server two clients with four connections each.
      const [processes, each] = place().server === undefined ? [8, 1] : [2, 4];
      const writers = Array.from({ length: processes }, () =>
        start(process.execPath, [WRITER, address, "100", String(each)], { cwd: project }),
      );
      const results = await Promise.all(writers);
      const ids = results.flatMap(({ stdout }) => stdout.trim().split("\n"));
      expect(results.map(({ stderr }) => stderr).join("")).toBe("");
      const kept = (await (await open()).list()).map(({ id }) => id);
      expect(kept.sort()).toEqual(ids.sort());
      expect(kept).toHaveLength(800);
    });

    test("one that puts many cards at once keeps every one whole", async () => {
      const ledger = await open();
      const cards = Array.from({ length: 40 }, (_, at) =>
        named(`run-${at}`, "train", at, { at: String(at) }),
      );
      await Promise.all([...cards.map((card) => ledger.put(card)), ledger.list()]);
      for (const card of cards) {
        expect(await ledger.list({ tags: card.subject.tags })).toMatchObject([{ id: card.id }]);
      }
    });

    test("one killed while it writes loses nothing that it said was kept", async () => {
      const writer = execFile(process.execPath, [WRITER, address, "100000"], { cwd: project });
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
  });
});
