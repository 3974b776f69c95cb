// Builds the package: JavaScript and types by tsc, the JSON Schema of the card from its source.

import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { cardJsonSchema } from "../src/core/card.ts";

const root = new URL("../", import.meta.url);
const path = (name: string) => fileURLToPath(new URL(name, root));

rmSync(path("dist"), { recursive: true, force: true });
execFileSync("tsc", ["--project", path("tsconfig.build.json")], { stdio: "inherit" });
chmodSync(path("dist/cli/main.js"), 0o755);
mkdirSync(path("schema"), { recursive: true });
writeFileSync(path("schema/card.json"), `${JSON.stringify(cardJsonSchema(), null, 2)}\n`);
