// How long counting takes and how much memory, on generated models of 100 MB, of 1.5 GB with external data and
// of 5,000 nodes, and on real models. Each case runs in a process of its own.
//
//   node bench/profile/main.ts [folder with .onnx files]

import { spawnSync } from "node:child_process";
import {
  closeSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { encodeModelChunks, type Model } from "../../src/onnx/index.ts";
import { chain, denseLayers } from "./models.ts";

interface Figures {
  readonly readMs: number;
  readonly countMs: number;
  readonly nodes: number;
  /** Growth of the resident set, bytes. */
  readonly grown: number;
}

async function main(models: string | undefined): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "godwit-bench-profile-"));
  try {
    write(join(folder, "100-mb.onnx"), denseLayers(25, 1024, "raw"));
    const external = join(folder, "1.5-gb-external.onnx");
    write(external, denseLayers(90, 2048, "external"));
    // A sparse file: nothing of it should be read.
    closeSync(openSync(join(folder, "weights.bin"), "w"));
    truncateSync(join(folder, "weights.bin"), 90 * 2048 * 2048 * 4);
    write(join(folder, "5000-nodes.onnx"), chain(5000));
    report(["model", "file", "read", "count", "nodes", "memory grown"]);
    const real = models === undefined ? [] : readdirSync(models).map((name) => join(models, name));
    const made = readdirSync(folder).map((name) => join(folder, name));
    for (const file of [...made, ...real].filter((name) => name.endsWith(".onnx"))) {
      const { readMs, countMs, nodes, grown } = measured(file);
      report([
        basename(file),
        size(statSync(file).size),
        ms(readMs),
        ms(countMs),
        String(nodes),
        size(grown),
      ]);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const ms = (value: number): string => `${value.toFixed(1)} ms`;
const size = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
const report = (cells: readonly string[]): void =>
  console.log(cells.map((cell, at) => (at === 0 ? cell.padEnd(36) : cell.padStart(13))).join(""));

/** The median of five processes by time. */
function measured(file: string): Figures {
  const runs = Array.from({ length: 5 }, (): Figures => {
    const args = ["--expose-gc", fileURLToPath(import.meta.url), "--measure", file];
    const { stdout, stderr, status } = spawnSync(process.execPath, args, { encoding: "utf8" });
    if (status !== 0) throw new Error(stderr);
    return JSON.parse(stdout);
  });
  const [, , middle] = runs.toSorted((a, b) => a.countMs - b.countMs);
  if (middle === undefined) throw new Error("five runs have a median");
  return middle;
}

async function measureOne(file: string): Promise<void> {
  const { openModelFile } = await import("../../src/engine/open-model.ts");
  const { countModel } = await import("../../src/measure/profile/index.ts");
  globalThis.gc?.();
  const before = process.memoryUsage.rss();
  const start = performance.now();
  using opened = openModelFile(file);
  const { totals } = countModel(opened.model, { external: opened.external });
  const countMs = performance.now() - start;
  const grown = Math.max(0, process.memoryUsage.rss() - before);
  const reading = performance.now();
  readFileSync(file);
  const readMs = performance.now() - reading;
  console.log(JSON.stringify({ readMs, countMs, nodes: totals.nodes, grown }));
}

function write(file: string, model: Model): void {
  const fd = openSync(file, "w");
  for (const chunk of encodeModelChunks(model)) {
    writeSync(fd, chunk instanceof Uint8Array ? chunk : chunk.bytes());
  }
  closeSync(fd);
}

const [mode, path = ""] = process.argv.slice(2);
if (mode === "--measure") await measureOne(path);
else await main(mode);
