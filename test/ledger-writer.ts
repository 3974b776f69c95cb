// A process that writes cards into a ledger: `node ledger-writer.ts FOLDER COUNT`. Each id is
// printed once its card was kept.

import { newCardId } from "../src/core/id.ts";
import { openLedger } from "../src/ledger/index.ts";
import { exampleCard } from "./example-card.ts";

const [folder = "", count = ""] = process.argv.slice(2);
const ledger = await openLedger(folder);
for (let i = 0; i < Number(count); i++) {
  const id = newCardId({ wall: Date.now });
  await ledger.put(exampleCard({ id }));
  console.log(id);
}
ledger.close();
