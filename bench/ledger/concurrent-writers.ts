// Eight writers that write 10,000 cards each into one new ledger: how many are lost, and how long it
// takes. On SQLite each is a process; on a PostgreSQL server, started here, two processes have four
// connections each. `node bench/ledger/concurrent-writers.ts [sqlite|postgres] [CARDS]`

import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { locateLedger, openLedger } from "../../src/ledger/index.ts";
import { startPostgres } from "../../test/postgres-server.ts";

const WRITER = fileURLToPath(new URL("../../test/ledger-writer.ts", import.meta.url));
const WRITERS = 8;
const [backend = "sqlite", count = "10000"] = process.argv.slice(2);
const cards = Number(count);
const processes = backend === "postgres" ? 2 : WRITERS;

/** Ids that a writer said were kept, and the longest time between two of them, in seconds. */
async function write(place: string): Promise<{ ids: string[]; longestWait: number }> {
  const writer = spawn(
    process.execPath,
    [WRITER, place, String(cards), String(WRITERS / processes)],
    {
      cwd: root,
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  const ids: string[] = [];
  let longestWait = 0;
  let before = performance.now();
  for await (const id of createInterface({ input: writer.stdout })) {
    const now = performance.now();
    if (ids.length > 0) longestWait = Math.max(longestWait, (now - before) / 1000);
    before = now;
    ids.push(id);
  }
  return { ids, longestWait };
}

const root = mkdtempSync(join(tmpdir(), "godwit-bench-"));
// Durable as in real use: each card is on the disk before the next is written.
const server = backend === "postgres" ? await startPostgres({ fsync: "on" }) : null;
try {
  const place = server?.database() ?? join(root, ".godwit");
  const start = performance.now();
  const results = await Promise.all(Array.from({ length: processes }, () => write(place)));
  const wall = (performance.now() - start) / 1000;
  const ledger = await openLedger(locateLedger({ cwd: root, env: {}, flag: place }), {
    ifAbsent: "fail",
  });
  const kept = new Set((await ledger.list()).map(({ id }) => id));
  ledger.close();
  const said = results.flatMap(({ ids }) => ids);
  const lost = WRITERS * cards - kept.size;
  const untrue = said.filter((id) => !kept.has(id)).length;
  console.log(
    `${backend}: ${WRITERS} writers in ${processes} processes x ${cards} cards: ${kept.size} kept, ` +
      `${lost} lost, ${untrue} said kept but absent; ${wall.toFixed(1)} s, ` +
      `${(kept.size / wall).toFixed(0)} cards/s, longest wait ` +
      `${Math.max(...results.map(({ longestWait }) => longestWait)).toFixed(2)} s`,
  );
  process.exitCode = lost === 0 && untrue === 0 ? 0 : 1;
} finally {
  await server?.stop();
  rmSync(root, { recursive: true });
}
