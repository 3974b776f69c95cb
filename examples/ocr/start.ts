// The main job, as `npm start` runs it: measures a real AI workload with `godwit run`, prints its card
// and writes its page.

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { MODEL_FILE } from "./recogniser.ts";

const godwit = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));
const workload = fileURLToPath(new URL("./recognise.ts", import.meta.url));
const page = "godwit-report.html";

/** Runs godwit with this terminal; leaves with its code when it fails. */
function run(...args: readonly string[]): void {
  const { status } = spawnSync(process.execPath, [godwit, ...args], { stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
}

const model = basename(MODEL_FILE);
console.log(`$ godwit run --name ocr --model ${model} -- node examples/ocr/recognise.ts\n`);
run("run", "--summary", "--name", "ocr", "--model", MODEL_FILE, "--", process.execPath, workload);

console.log("\n$ godwit report last\n");
run("report", "last", "--html", page);
if (existsSync(page)) console.log(`The page of this run is ${page}: open it in a browser.`);
