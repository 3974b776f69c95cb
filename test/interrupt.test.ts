// Ctrl-C in the long commands, from outside: a real process gets SIGINT in the middle of its work, leaves
// what it has, and is gone on with.

import { spawn, spawnSync } from "node:child_process";
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createRandom } from "../src/core/index.ts";
import { encodeModel } from "../src/onnx/index.ts";
import { nativeMissing } from "./engines.ts";
import { smallNet } from "./small-net.ts";
import { smallVisionNet } from "./small-vision.ts";

const MAIN = join(import.meta.dirname, "../src/cli/main.ts");

/** For what hangs; nothing here waits for a moment. */
const LONG = 240_000;

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "godwit-interrupt-"));
  const random = createRandom(6);
  const flowers = Array.from({ length: 400 }, () => {
    const kind = random.integer(3);
    const numbers = [0, 1, 2, 3].map((at) => (at === kind ? 3 : 0) + random.normal());
    return [...numbers.map((value) => value.toFixed(3)), ["iris", "rose", "lily"][kind]].join(",");
  });
  writeFileSync(at("flowers.csv"), ["a,b,c,d,label", ...flowers, ""].join("\n"));
  writeFileSync(at("net.onnx"), encodeModel(smallNet()));
  writeFileSync(at("vision.onnx"), encodeModel(smallVisionNet()));
  const line = (): number[] => Array.from({ length: 12 }, () => random.normal());
  const picture = (): string => JSON.stringify({ image: [Array.from({ length: 12 }, line)] });
  writeFileSync(at("pictures.jsonl"), Array.from({ length: 260 }, picture).join("\n"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const at = (name: string): string => join(folder, name);

interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly err: string;
}

/** Runs a command and sends SIGINT once its standard error has these words. */
function interrupted(words: string, args: readonly string[]): Promise<Ended> {
  const child = spawn(process.execPath, [MAIN, ...args], {
    cwd: folder,
    stdio: ["ignore", "ignore", "pipe"],
  });
  let err = "";
  let sent = false;
  child.stderr.on("data", (chunk: Buffer) => {
    err += chunk.toString();
    if (sent || !err.includes(words)) return;
    sent = true;
    child.kill("SIGINT");
  });
  return new Promise((settle, fail) => {
    child.on("error", fail);
    child.on("close", (code, signal) => settle({ code, signal, err }));
  });
}

const whole = (...args: readonly string[]) =>
  spawnSync(process.execPath, [MAIN, ...args], { cwd: folder, encoding: "utf8" });

describe.skipIf(nativeMissing !== null || process.platform === "win32")("Ctrl-C", () => {
  test(
    "leaves a training's checkpoint, from which it ends as if nothing had been",
    async () => {
      const recipe = ["--model", "net.onnx", "--data", "flowers.csv", "--epochs", "40"] as const;
      const train = ["train", ...recipe, "--threads", "1"] as const;
      const cut = await interrupted("epoch 2 ", [...train, "-o", "cut.onnx"]);
      expect(cut).toMatchObject({ code: null, signal: "SIGINT" });
      expect(existsSync(at("cut.checkpoint"))).toBe(true);
      expect(existsSync(at("cut.onnx"))).toBe(true);
      const resumed = whole("train", "--resume", "cut.checkpoint", "--json", "-q");
      expect(resumed.status).toBe(0);
      expect(JSON.parse(resumed.stdout).epochs).toHaveLength(40);
      expect(existsSync(at("cut.checkpoint"))).toBe(false);
      expect(whole(...train, "-o", "whole.onnx", "-q").status).toBe(0);
      expect(readFileSync(at("cut.onnx"))).toEqual(readFileSync(at("whole.onnx")));
    },
    LONG,
  );

  test(
    "leaves what a search has computed, and resume does not compute it again",
    async () => {
      const asked = [
        "--data",
        "pictures.jsonl",
        "--metric",
        "agreement",
        "--effort",
        "quick",
      ] as const;
      const search = ["slim", "vision.onnx", ...asked, "--only", "quantise"] as const;
      const cut = await interrupted("judging on", search);
      expect(cut).toMatchObject({ code: 130, signal: null });
      expect(cut.err).toContain(`go on with: godwit slim resume ${at("vision.green.slim")}`);
      expect(existsSync(at("vision.green.onnx"))).toBe(false);
      const computed = at("vision.green.slim/computed");
      const seen = readdirSync(computed, { recursive: true, encoding: "utf8" })
        .map((name) => join(computed, name))
        .filter((path) => statSync(path).isFile());
      expect(seen.length).toBeGreaterThan(0);
      const written = (): readonly number[] => seen.map((path) => statSync(path).mtimeMs);
      const before = written();
      const resumed = whole("slim", "resume", "vision.green.slim", "--json", "-q");
      expect([0, 2, 3]).toContain(resumed.status);
      expect(JSON.parse(resumed.stdout).schema).toBe("godwit.slim/1");
      expect(written()).toEqual(before);
      const report = JSON.parse(readFileSync(at("vision.green.slim/report.json"), "utf8"));
      const names = report.candidates.map(({ name }: { readonly name: string }) => name).join();
      expect(names).toContain("quantise-static");
      expect(report.result === null).toBe(!existsSync(at("vision.green.onnx")));
    },
    LONG,
  );
});
