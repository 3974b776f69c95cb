// The tables of docs/methods/engine.md: `node bench/engine/main.ts [spinning|calls|svd|memory ...]`.

import { nativeRuntime } from "../../src/engine/index.ts";
import { benchCreation, benchOverhead } from "./calls.ts";
import { benchDecompositions } from "./decompositions.ts";
import { printMachine } from "./figures.ts";
import { benchMemory } from "./memory.ts";
import { benchSpinning } from "./spinning.ts";

const BENCHES: Readonly<Record<string, () => Promise<void>>> = {
  spinning: benchSpinning,
  calls: async () => {
    await benchCreation();
    await benchOverhead();
  },
  svd: benchDecompositions,
  memory: benchMemory,
};

const { name } = nativeRuntime();
printMachine(`${name} ${(await nativeRuntime().load()).version}`);
const wanted = process.argv.slice(2);
for (const [bench, run] of Object.entries(BENCHES)) {
  if (wanted.length === 0 || wanted.includes(bench)) await run();
}
