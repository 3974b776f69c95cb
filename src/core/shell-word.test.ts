import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { shellWord } from "./shell-word.ts";

test("plain words stay plain", () => {
  for (const word of ["train.py", "--lr=1e-3", "a/b,c:d@e%f+g", "-"])
    expect(shellWord(word)).toBe(word);
});

test.skipIf(process.platform === "win32")(
  "a shell reads back what was written, and runs nothing",
  () => {
    const words = ["", "two words", "it's", "$(id)", "`id`", "a\nb", "*", "';id;'", "\\", "~", '"'];
    const out = execFileSync("sh", ["-c", `printf '%s\\0' ${words.map(shellWord).join(" ")}`]);
    expect(out.toString().split("\0").slice(0, -1)).toEqual(words);
  },
);
