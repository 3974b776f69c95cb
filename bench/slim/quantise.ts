// The tables of docs/methods/quantisation.md: `node bench/slim/quantise.ts [stack|feed-forward|ocr ...]`.

import { createNodeHost } from "../../src/core/host/node-host.ts";
import { nativeRuntime } from "../../src/engine/index.ts";
import type { PassContext } from "../../src/models/compress/index.ts";
import { loadOperators } from "../../src/onnx/index.ts";
import { printMachine } from "../engine/figures.ts";
import { benchConvolutionStack, benchFeedForward } from "./kernels.ts";
import { benchRecogniser } from "./recogniser.ts";

const BENCHES: Readonly<Record<string, (context: PassContext) => Promise<void>>> = {
  stack: benchConvolutionStack,
  "feed-forward": benchFeedForward,
  ocr: benchRecogniser,
};

const runtime = nativeRuntime();
const operators = await loadOperators(createNodeHost());
printMachine(`${runtime.name} ${(await runtime.load()).version}`);
const wanted = process.argv.slice(2);
for (const [bench, run] of Object.entries(BENCHES)) {
  if (wanted.length === 0 || wanted.includes(bench)) await run({ operators, runtime, seed: 1 });
}
