// What is particular to a ledger on a server: who may do what there, what stands in the way, and
// what becomes of a run when the server is away.

import { execFileSync } from "node:child_process";
import { chownSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { exampleCard } from "../../test/example-card.ts";
import {
  missingPostgres,
  type PostgresTestServer,
  startPostgres,
} from "../../test/postgres-server.ts";
import { UserError } from "../core/index.ts";
import { type LedgerLocation, locateLedger } from "./folder.ts";
import { keepCard } from "./keep.ts";
import type { Ledger } from "./ledger.ts";
import { checkServer, type OpenOptions, openLedger } from "./open.ts";
import { openPostgres } from "./open-postgres.ts";
import { keepPending, listPending } from "./pending.ts";
import { POSTGRES_MIGRATIONS } from "./schema.ts";

let project = "";
const opened: Ledger[] = [];
beforeEach(() => {
  project = mkdtempSync(join(tmpdir(), "godwit-ledger-"));
});
afterEach(() => {
  for (const ledger of opened.splice(0)) ledger.close();
  rmSync(project, { recursive: true, force: true });
});

const placeOf = (url: string): LedgerLocation => locateLedger({ cwd: project, env: {}, flag: url });

async function open(url: string, options: OpenOptions = {}): Promise<Ledger> {
  const ledger = await openLedger(placeOf(url), options);
  opened.push(ledger);
  return ledger;
}

const faultOf = (promise: Promise<unknown>): Promise<UserError> =>
  promise.then(
    () => expect.fail("expected an error"),
    (error) => error,
  );

const idsOf = async (ledger: Ledger): Promise<readonly string[]> =>
  (await ledger.list()).map(({ id }) => id).sort();

test("without the package pg: what to install", async () => {
  const place = placeOf("postgresql://u:hunter2@127.0.0.1:1/d");
  const absent = Object.assign(new Error("no pg"), { code: "ERR_MODULE_NOT_FOUND" });
  const { folder, server } = place;
  if (server === undefined) expect.fail("a URL names a server");
  const fault = await faultOf(
    openPostgres({
      server,
      folder,
      ifAbsent: "create",
      statementTimeout: 1000,
      onNotice: () => {},
      load: () => Promise.reject(absent),
    }),
  );
  expect(fault).toMatchObject({ code: "ledger", hint: expect.stringContaining("npm install pg") });
});

test("with nobody at the address: said by name, without user and password", async () => {
  const place = placeOf("postgresql://somebody:hunter2@127.0.0.1:1/d");
  const fault = await faultOf(openLedger(place));
  expect(fault.code).toBe("network");
  expect(fault.message).toContain("the ledger postgresql://127.0.0.1:1/d cannot be reached");
  expect(inspect(fault, { depth: 10, showHidden: true })).not.toMatch(/hunter2|somebody/);
});

test("an address of another kind is refused, not taken for a folder", () => {
  expect(() => placeOf("mysql://u:hunter2@h/d")).toThrow("a ledger cannot be at a URL of mysql://");
});

describe.skipIf(missingPostgres !== null)("a ledger on a server", () => {
  let postgres: PostgresTestServer;
  beforeAll(async () => {
    postgres = await startPostgres();
  });
  afterAll(() => postgres.stop());

  const secretsIn = (value: unknown): readonly string[] => {
    const text = inspect(value, { depth: 10, showHidden: true });
    return postgres.secrets.filter((secret) => text.includes(secret));
  };

  test("shows its password nowhere: not in itself, nor in what goes wrong", async () => {
    const url = postgres.database();
    const place = placeOf(url);
    const ledger = await open(url);
    expect(secretsIn([ledger, place, JSON.stringify(place)])).toEqual([]);
    expect(ledger.place).not.toContain("@");
    const faults = [
      await faultOf(open(url.replace(/ledger\d+$/, "nowhere"))),
      await faultOf(open(url.replace("godwit:", "nobody:"))),
      await faultOf(open(`${url}?sslmode=require`)),
      await faultOf(open(`${url}?sslmode=verify-ca`)),
      await faultOf(ledger.get("nothing")),
    ];
    expect(secretsIn(faults)).toEqual([]);
    expect(faults.map(({ message }) => message)).toEqual([
      expect.stringContaining("no such database"),
      expect.stringContaining("refused the user or the password"),
      expect.stringContaining("does not encrypt"),
      expect.stringContaining("needs sslrootcert"),
      expect.stringContaining("no run nothing"),
    ]);
  });

  test("refuses a wrong password and a missing one", async () => {
    const url = postgres.database();
    const wrong = await faultOf(open(url.replace(/:[^:@]+@/, ":hunter2@")));
    const none = await faultOf(open(url.replace(/:[^:@]+@/, "@")));
    for (const fault of [wrong, none]) {
      expect(fault).toMatchObject({ code: "ledger", hint: expect.stringContaining("PGPASSWORD") });
      expect(inspect(fault, { depth: 10 })).not.toContain("hunter2");
    }
  });

  test("is made in a schema of its own by the first write, and not by looking", async () => {
    const url = postgres.database();
    const schemas = "SELECT count(*) FROM pg_namespace WHERE nspname = 'godwit'";
    await checkServer(placeOf(url).server ?? expect.fail("a URL names a server"));
    expect((await faultOf(open(url, { ifAbsent: "fail" }))).message).toContain("no ledger at");
    expect(postgres.sql(url, schemas)).toBe("0\n");
    await open(url);
    expect(postgres.sql(url, schemas)).toBe("1\n");
    expect(postgres.sql(url, "SELECT version FROM godwit.migrations")).toBe("1\n");
  });

  test("of a newer version is refused by number", async () => {
    const url = postgres.database();
    (await open(url)).close();
    const newer = POSTGRES_MIGRATIONS.length + 1;
    postgres.sql(url, `INSERT INTO godwit.migrations VALUES (${newer})`);
    const fault = await faultOf(open(url));
    expect(fault.code).toBe("unsupported");
    expect(fault.message).toContain(`is of version ${newer}`);
  });

  test("with a schema that is another program's is left as it was", async () => {
    const url = postgres.database();
    postgres.sql(url, "CREATE SCHEMA godwit; CREATE TABLE godwit.cards (theirs TEXT)");
    expect((await faultOf(open(url))).message).toContain('"cards" already exists');
    const tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'godwit'";
    expect(postgres.sql(url, tables)).toBe("1\n");
  });

  test("can be read by one who may not write, who is told so", async () => {
    const url = postgres.database({ socket: true });
    await (await open(url)).put(exampleCard());
    const reader = `reader_${/ledger\d+/.exec(url)?.[0]}`;
    postgres.sql(
      url,
      `CREATE ROLE ${reader} LOGIN; GRANT USAGE ON SCHEMA godwit TO ${reader};
       GRANT SELECT ON ALL TABLES IN SCHEMA godwit TO ${reader}`,
    );
    const ledger = await open(url.replace("godwit@", `${reader}@`));
    expect(ledger.writable).toBe(false);
    expect((await ledger.get("last")).id).toBe("example");
    expect((await faultOf(ledger.put(exampleCard()))).message).toContain("cannot be written");
    postgres.sql(url, `REVOKE ALL ON SCHEMA godwit FROM ${reader}`);
    expect((await faultOf(open(url.replace("godwit@", `${reader}@`)))).hint).toContain("GRANT");
  });

  test("gives up on a lock that is held, keeps nothing of it, and works again", async () => {
    const url = postgres.database();
    const holder = await open(url);
    await holder.put(exampleCard());
    const { Client } = await import("pg");
    const other = new Client({ connectionString: url });
    await other.connect();
    await other.query("BEGIN; LOCK TABLE godwit.tags IN ACCESS EXCLUSIVE MODE");
    const waiting = await open(url, { patience: { total: 200 } });
    const fault = await faultOf(waiting.put(exampleCard({ id: "second" })));
    expect(fault.message).toMatch(/stayed locked|took too long/);
    await other.query("ROLLBACK");
    await other.end();
    expect(await idsOf(waiting)).toEqual(["example"]);
    await waiting.put(exampleCard({ id: "second" }));
    expect(await idsOf(waiting)).toEqual(["example", "second"]);
  });

  test("finds names by their letters alone, whatever signs LIKE knows", async () => {
    const ledger = await open(postgres.database());
    const subject = { kind: "command", name: "50%_of\\it", tags: {} } as const;
    await ledger.put(exampleCard({ subject }));
    for (const part of ["%_", "\\", "OF\\I"]) {
      expect(await ledger.list({ nameContains: part })).toHaveLength(1);
    }
    for (const part of ["5_%", "%of", "\\\\"]) {
      expect(await ledger.list({ nameContains: part })).toEqual([]);
    }
  });
});

describe.skipIf(missingPostgres !== null)("a server that goes away", () => {
  let postgres: PostgresTestServer;
  let url = "";
  beforeEach(async () => {
    // Unlike other tests: what was committed must outlive the kill.
    postgres = await startPostgres({ fsync: "on" });
    url = postgres.database();
  });
  afterEach(() => postgres.stop());

  test("is met again: the cards that waited are all there, once", async () => {
    const place = placeOf(url);
    const keep = (id: string) => keepCard(place, exampleCard({ id }));
    expect(await keep("before")).toMatchObject({ status: "kept" });
    await postgres.kill();
    for (const id of ["during-1", "during-2", "during-3"]) {
      const kept = await keep(id);
      expect(kept).toMatchObject({ status: "pending", place: place.folder });
      expect(inspect(kept)).toContain("cannot be reached");
    }
    expect(await listPending(place.folder)).toEqual(["during-1", "during-2", "during-3"]);
    await postgres.start();
    const notices: string[] = [];
    // Two at once: both bring them in.
    const [ledger] = await Promise.all([
      open(url, { onNotice: (text) => notices.push(text) }),
      open(url, { onNotice: (text) => notices.push(text) }),
    ]);
    expect(await idsOf(ledger)).toEqual(["before", "during-1", "during-2", "during-3"]);
    expect(await listPending(place.folder)).toEqual([]);
    expect(notices.join()).toContain("that waited here went to");
    expect(postgres.sql(url, "SELECT count(*) FROM godwit.cards")).toBe("4\n");
  });

  test("in the middle of many writes loses no card that waits or that it said was kept", async () => {
    const place = placeOf(url);
    await (await open(url)).put(exampleCard({ id: "first" }));
    const ids = Array.from({ length: 60 }, (_, at) => `run-${at}`);
    let killed: Promise<void> | null = null;
    const writeFrom = async (start: number): Promise<void> => {
      for (const [at, id] of ids.entries()) {
        if (at % 4 !== start) continue;
        const { status } = await keepCard(place, exampleCard({ id }));
        if (status === "kept" && at > 20) killed ??= postgres.kill();
      }
    };
    await Promise.all([0, 1, 2, 3].map(writeFrom));
    await killed;
    expect((await listPending(place.folder)).length).toBeGreaterThan(0);
    await postgres.start();
    expect(await idsOf(await open(url))).toEqual(["first", ...ids].sort());
    expect(await listPending(place.folder)).toEqual([]);
  });

  test("under an open ledger: an error by name, and the next call connects again", async () => {
    const ledger = await open(url);
    await ledger.put(exampleCard());
    await postgres.kill();
    expect(await faultOf(ledger.list())).toMatchObject({ code: "network" });
    expect(await faultOf(ledger.list())).toMatchObject({ code: "network" });
    await postgres.start();
    expect(await idsOf(ledger)).toEqual(["example"]);
  });

  test("a card that waits and is refused stays, is told of, and holds up no other", async () => {
    const place = placeOf(url);
    keepPending(place.folder, exampleCard({ id: "a-damaged" }));
    keepPending(place.folder, exampleCard({ id: "b-whole" }));
    const path = join(place.folder, "pending", "a-damaged.json");
    writeFileSync(path, readFileSync(path, "utf8").slice(0, 100));
    const notices: string[] = [];
    const ledger = await open(url, { onNotice: (text) => notices.push(text) });
    expect(await idsOf(ledger)).toEqual(["b-whole"]);
    expect(await listPending(place.folder)).toEqual(["a-damaged"]);
    expect(notices[0]).toContain(path);
    expect(readdirSync(join(place.folder, "pending"))).toEqual(["a-damaged.json"]);
  });

  test("cards wait for the server that they were meant for, not for another", async () => {
    const other = postgres.database();
    keepPending(placeOf(url).folder, exampleCard({ id: "mine" }));
    expect(await idsOf(await open(other))).toEqual([]);
    expect(await idsOf(await open(url))).toEqual(["mine"]);
  });
});

describe.skipIf(missingPostgres !== null || missingOpenssl())("a server that encrypts", () => {
  let postgres: PostgresTestServer;
  let folder = "";
  let certificate = "";
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "godwit-tls-"));
    certificate = join(folder, "server.crt");
    const key = join(folder, "server.key");
    execFileSync("chmod", ["755", folder]);
    execFileSync(
      "openssl",
      [
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=localhost",
      ].concat(["-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", certificate]),
      { stdio: "pipe" },
    );
    if (process.getuid?.() === 0) {
      const uid = Number(execFileSync("id", ["-u", "postgres"]));
      chownSync(key, uid, -1);
    }
    postgres = await startPostgres({ ssl: "on", ssl_cert_file: certificate, ssl_key_file: key });
  });
  afterAll(async () => {
    await postgres.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const isEncrypted = async (url: string, query: string): Promise<string | UserError> => {
    try {
      const ledger = await open(`${url}?${query}`);
      await ledger.list();
      const sql =
        "SELECT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = 'godwit'";
      const answer = postgres.sql(url, sql).trim();
      ledger.close();
      return answer === "t" ? "encrypted" : "plain";
    } catch (error) {
      if (error instanceof UserError) return error;
      throw error;
    }
  };

  test.each([
    ["127.0.0.1", "sslmode=disable", "plain"],
    ["127.0.0.1", "", "encrypted"],
    ["127.0.0.1", "sslmode=require", "encrypted"],
    ["localhost", "sslmode=verify-full&sslrootcert=CERTIFICATE", "encrypted"],
    ["127.0.0.1", "sslmode=verify-ca&sslrootcert=CERTIFICATE", "encrypted"],
    ["127.0.0.1", "sslmode=verify-full&sslrootcert=CERTIFICATE", "refused"],
    ["localhost", "sslmode=verify-full", "refused"],
    ["localhost", "sslmode=require&sslrootcert=CERTIFICATE", "encrypted"],
  ])("%s with %s: %s", async (host, query, expected) => {
    const url = postgres.database().replace("127.0.0.1", host);
    const found = await isEncrypted(
      url,
      query.replace("CERTIFICATE", encodeURIComponent(certificate)),
    );
    if (expected === "refused") {
      expect(found).toMatchObject({ code: "network", message: expect.stringContaining("trusted") });
    } else {
      expect(found).toBe(expected);
    }
  });
});

function missingOpenssl(): boolean {
  try {
    execFileSync("openssl", ["version"], { stdio: "ignore" });
    return false;
  } catch {
    console.log("skipping tests on encrypted connections: openssl is not installed");
    return true;
  }
}
