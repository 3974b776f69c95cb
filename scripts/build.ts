// Builds the package: JavaScript and types by tsc, the command line once more as a few large files
// (scripts/bundle.ts), the JSON Schemas of cards and budgets from their sources.

import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { cardJsonSchema } from "../src/core/card.ts";
import { budgetJsonSchema } from "../src/measure/budget/index.ts";
import { bundleCommandLine } from "./bundle.ts";

const root = new URL("../", import.meta.url);
const path = (name: string) => fileURLToPath(new URL(name, root));

rmSync(path("dist"), { recursive: true, force: true });
execFileSync("tsc", ["--project", path("tsconfig.build.json")], { stdio: "inherit" });
await bundleCommandLine(fileURLToPath(root));
chmodSync(path("dist/cli/main.js"), 0o755);
mkdirSync(path("schema"), { recursive: true });
writeSchema("card", cardJsonSchema());
writeSchema("budget", budgetJsonSchema());

function writeSchema(name: string, schema: object): void {
  writeFileSync(path(`schema/${name}.json`), `${JSON.stringify(schema, null, 2)}\n`);
}
