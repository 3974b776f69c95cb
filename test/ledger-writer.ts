// A process that writes cards into a ledger: `node ledger-writer.ts PLACE COUNT [WRITERS]`, where so
// many writers of one process write at once, each on a connection of its own. The place is a folder
// or a URL. Each id is printed once its card was kept.

import { newCardId } from "../src/core/id.ts";
import { locateLedger, openLedger } from "../src/ledger/index.ts";
import { exampleCard } from "./example-card.ts";

const [flag = "", count = "", writers = "1"] = process.argv.slice(2);
const place = locateLedger({ cwd: process.cwd(), env: {}, flag });

async function write(): Promise<void> {
  const ledger = await openLedger(place);
  for (let i = 0; i < Number(count); i++) {
    const id = newCardId({ wall: Date.now });
    await ledger.put(exampleCard({ id }));
    console.log(id);
  }
  ledger.close();
}

await Promise.all(Array.from({ length: Number(writers) }, write));
