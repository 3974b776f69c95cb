// Plants one violation of each import rule in a scratch folder and expects the checker to name it:
// a rule that cannot fail proves nothing.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { cruise } from "dependency-cruiser";
import { afterAll, describe, expect, test } from "vitest";

const root = new URL("..", import.meta.url).pathname;
const config = JSON.parse(readFileSync(join(root, ".dependency-cruiser.json"), "utf8"));

/** Files of a violation, by the rule that must catch it. */
const PLANTED: Record<string, Record<string, string>> = {
  "no-cycles": {
    "src/core/a.ts": 'import { b } from "./b.ts";\nexport const a = () => b;\n',
    "src/core/b.ts": 'import { a } from "./a.ts";\nexport const b = () => a;\n',
  },
  "core-stands-alone": importing("src/core/a.ts", "src/measure/b.ts"),
  "onnx-on-core": importing("src/onnx/a.ts", "src/engine/b.ts"),
  "engine-on-onnx": importing("src/engine/a.ts", "src/measure/b.ts"),
  "ledger-on-core": importing("src/ledger/a.ts", "src/onnx/b.ts"),
  "measure-on-foundations": importing("src/measure/a.ts", "src/systems/b.ts"),
  "models-on-foundations-and-measure": importing("src/models/a.ts", "src/systems/b.ts"),
  "systems-on-foundations-and-measure": importing("src/systems/a.ts", "src/models/b.ts"),
  "sustain-on-models": importing("src/sustain/a.ts", "src/systems/b.ts"),
  "no-importing-a-face": importing("src/measure/a.ts", "src/cli/b.ts"),
  "report-below-server-and-cli": importing("src/report/a.ts", "src/cli/b.ts"),
  "server-below-cli": importing("src/server/a.ts", "src/cli/b.ts"),
  "node-only-at-the-edges": {
    "src/measure/a.ts": 'import { readFileSync } from "node:fs";\nexport const a = readFileSync;\n',
  },
  "no-tests-in-code": importing("src/core/a.ts", "test/b.ts"),
  "no-undeclared-dependency": {
    "src/core/a.ts": 'import { test } from "vitest";\nexport const a = test;\n',
  },
};

function importing(from: string, to: string): Record<string, string> {
  const up = "../".repeat(from.split("/").length - 1);
  return {
    [from]: `import { b } from "${up}${to}";\nexport const a = () => b;\n`,
    [to]: "export const b = 1;\n",
  };
}

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true });
});

async function violationsOf(files: Record<string, string>): Promise<readonly string[]> {
  const folder = mkdtempSync(join(tmpdir(), "godwit-boundaries-"));
  folders.push(folder);
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
  writeFileSync(join(folder, "package.json"), readFileSync(join(root, "package.json")));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(folder, dirname(path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  const { output } = await cruise(["src"], {
    ...config.options,
    baseDir: folder,
    validate: true,
    ruleSet: { forbidden: config.forbidden },
  });
  if (typeof output === "string") throw new Error(output);
  expect(output.summary.totalCruised).toBeGreaterThan(0);
  return output.summary.violations.map(({ rule }) => rule.name);
}

describe("the import rules", () => {
  test("each have a planted violation here", () => {
    const names = config.forbidden.map((rule: { name: string }) => rule.name);
    expect(Object.keys(PLANTED).sort()).toEqual(names.sort());
  });
  test.each(Object.entries(PLANTED))("%s is caught", async (rule, files) => {
    expect(await violationsOf(files)).toContain(rule);
  });
  test("a house in order has none", async () => {
    expect(await violationsOf(importing("src/measure/a.ts", "src/core/b.ts"))).toEqual([]);
  });
});
