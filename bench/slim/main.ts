// What slim achieves, part by part: `node bench/slim/main.ts [idle] [models [NAME]] [nets [DATA]] [lines]`. Ratios are within one
// run; docs/methods/slim.md has the figures with machine and date.

import { availableParallelism, cpus, loadavg } from "node:os";
import { modelFile } from "../../test/shared-data.ts";
import { idleService } from "./idle.ts";
import { slimLines } from "./lines-command.ts";
import { type NetPlan, slimNet } from "./nets.ts";
import { realModels } from "./real-models.ts";
import { slimmed } from "./slim-subject.ts";

const NETS: readonly NetPlan[] = [
  {
    ...{ data: "fashion-10k", net: "vgg-small", alpha: 2, size: 28, channels: 1, classes: 10 },
    ...{ trainRows: 6000, testRows: 3000, epochs: 2, ratio: 0.5 },
    student: { alpha: 1, epochs: 15, mirrored: false },
  },
  {
    ...{ data: "eurosat", net: "vgg-small", alpha: 1, size: 64, channels: 3, classes: 10 },
    ...{ trainRows: 3500, testRows: 1000, epochs: 4, ratio: 0.5 },
    student: { alpha: 1, epochs: 32, mirrored: true },
  },
];

const isData = (part: string): boolean => NETS.some(({ data }) => data === part);

const parts = process.argv.slice(2);
const wanted = (part: string): boolean => parts.length === 0 || parts.includes(part);
console.log(
  `${cpus()[0]?.model}, ${availableParallelism()} threads, Node ${process.version}, load ${loadavg()[0]?.toFixed(1)}`,
);
if (wanted("idle")) {
  console.log("idle service, 20 calls a second");
  for (const line of await idleService()) console.log(line);
}
if (wanted("models")) {
  for await (const subject of realModels(modelFile("").replace(/\/$/, ""), parts)) {
    const options = { effort: "quick", allow: ["quantise"], timeLimit: 240 } as const;
    for await (const line of slimmed(subject, options)) console.log(line);
  }
}
if (wanted("nets")) {
  const plans = NETS.filter(
    ({ data }) => !parts.some((part) => isData(part)) || parts.includes(data),
  );
  for (const plan of plans) for await (const line of slimNet(plan)) console.log(line);
}
if (wanted("lines")) {
  await slimLines(["--only", "quantise", "--max-drop", "1pp"]);
}
