import { inspect } from "node:util";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { UserError } from "../core/index.ts";
import { parsePostgresUrl, schemeOf } from "./postgres-url.ts";

function faultOf(url: string): UserError {
  try {
    parsePostgresUrl(url);
  } catch (error) {
    return error as UserError;
  }
  return expect.fail("expected an error");
}

describe("the URL of a server", () => {
  // The forms of https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-URIS.
  test.each([
    ["postgresql://localhost:5433", "localhost", 5433, "me", "me"],
    ["postgresql://localhost/mydb", "localhost", 5432, "mydb", "me"],
    ["postgres://user:secret@localhost", "localhost", 5432, "user", "user"],
    [
      "postgresql://other@localhost/otherdb?connect_timeout=10",
      "localhost",
      5432,
      "otherdb",
      "other",
    ],
    ["postgresql:///mydb?host=localhost&port=5433", "localhost", 5433, "mydb", "me"],
    ["postgresql://[2001:db8::1234]/database", "2001:db8::1234", 5432, "database", "me"],
    ["postgresql:///dbname?host=/var/lib/postgresql", "/var/lib/postgresql", 5432, "dbname", "me"],
    ["postgresql://%2Fvar%2Flib%2Fpostgresql/dbname", "/var/lib/postgresql", 5432, "dbname", "me"],
    ["postgres://u@/d?host=/run&port=6000", "/run", 6000, "d", "u"],
    ["postgres://u%40x:p%2F%23@h/my%20db", "h", 5432, "my db", "u@x"],
    ["POSTGRESQL://h/d", "h", 5432, "d", "me"],
  ])("%s", (url, host, port, database, user) => {
    const server = parsePostgresUrl(url, { PGUSER: "me" });
    expect(server).toMatchObject({ host, port, database, user });
  });

  test("leaves to the environment what it does not say, as libpq does", () => {
    const env = { PGHOST: "h", PGPORT: "6", PGUSER: "u", PGDATABASE: "d", PGPASSWORD: "p" };
    const server = parsePostgresUrl("postgres://", { ...env, PGSSLMODE: "verify-full" });
    expect(server).toMatchObject({ host: "h", port: 6, user: "u", database: "d" });
    expect(server.password?.()).toBe("p");
    expect(server.ssl.mode).toBe("verify-full");
    expect(parsePostgresUrl("postgres://u:q@x/y?sslmode=disable", env)).toMatchObject({
      host: "x",
      ssl: { mode: "disable" },
    });
  });

  test.each([
    ["postgresql://me:hunter2@host:port/db", "is not like"],
    ["postgresql://me:hun/ter2@host/db", "is not like"],
    ["postgresql://me:hunter2@a,b/db", "is not like"],
    ["postgresql://me:hunter2%@host/db", "followed by two hexadecimal digits"],
    ["postgresql://me:hunter2@host:70000/db", "port"],
    ["postgresql://me:hunter2@host/db?sslmode=yes", "sslmode"],
    ["postgresql://me:hunter2@host/db?sslmode=verify-ca", "needs sslrootcert"],
    ["postgresql://me:hunter2@host/db?channel_binding=require", "channel_binding"],
    ["postgresql://me:hunter2@host/db?connect_timeout=0", "connect_timeout"],
  ])("%s is refused without being quoted", (url, why) => {
    const fault = faultOf(url);
    expect(fault).toMatchObject({ code: "usage", message: expect.stringContaining(why) });
    expect(inspect(fault, { depth: 10, showHidden: true })).not.toMatch(/hun\/?ter2/);
  });

  test("is never a path, and a path never one", () => {
    expect(schemeOf("postgres://h")).toBe("postgres");
    expect(schemeOf("MySQL://h")).toBe("mysql");
    for (const path of ["/a/b", "C:\\a", "a:b", "./postgres:/x", ""]) {
      expect(schemeOf(path)).toBeNull();
    }
  });

  test("whatever the user, password and database: read back, and only the database is shown", () => {
    const text = fc.string({ minLength: 1, unit: "grapheme" });
    fc.assert(
      fc.property(text, text, text, (user, password, database) => {
        const [u, p, d] = [user, password, database].map(encodeURIComponent);
        const server = parsePostgresUrl(`postgresql://${u}:${p}@host:1234/${d}`);
        expect([server.user, server.password?.(), server.database]).toEqual([
          user,
          password,
          database,
        ]);
        expect(server.name).toBe(`postgresql://host:1234/${d}`);
      }),
    );
    const server = parsePostgresUrl("postgresql://u:hunter2@host/d");
    expect(inspect(server, { depth: 10, showHidden: true })).not.toContain("hunter2");
    expect(JSON.stringify(server)).not.toContain("hunter2");
  });
});
