// Eight processes that write 10,000 cards each into one new ledger: how many are lost, and how long
// it takes. `node bench/ledger/concurrent-writers.ts [PROCESSES] [CARDS]`

import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { openLedger } from "../../src/ledger/index.ts";

const WRITER = fileURLToPath(new URL("../../test/ledger-writer.ts", import.meta.url));
const [processes = 8, cards = 10_000] = process.argv.slice(2).map(Number);

/** Ids that a writer said were kept, and the longest time between two of them, in seconds. */
async function write(folder: string): Promise<{ ids: string[]; longestWait: number }> {
  const writer = spawn(process.execPath, [WRITER, folder, String(cards)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
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
const folder = join(root, ".godwit");
const start = performance.now();
const results = await Promise.all(Array.from({ length: processes }, () => write(folder)));
const wall = (performance.now() - start) / 1000;
const ledger = await openLedger(folder, { ifAbsent: "fail" });
const kept = new Set((await ledger.list()).map(({ id }) => id));
const said = results.flatMap(({ ids }) => ids);
const lost = processes * cards - kept.size;
const untrue = said.filter((id) => !kept.has(id)).length;
ledger.close();
console.log(
  `${processes} processes x ${cards} cards: ${kept.size} kept, ${lost} lost, ${untrue} said kept but absent; ` +
    `${wall.toFixed(1)} s, ${(kept.size / wall).toFixed(0)} cards/s, longest wait ` +
    `${Math.max(...results.map(({ longestWait }) => longestWait)).toFixed(2)} s, ` +
    `${(statSync(join(folder, "ledger.db")).size / 1e6).toFixed(0)} MB`,
);
rmSync(root, { recursive: true });
process.exitCode = lost === 0 && untrue === 0 ? 0 : 1;
