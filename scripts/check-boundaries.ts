// Checks the import rules of .dependency-cruiser.json, and that the check itself sees something:
// with TypeScript 7 the tool is silently green over zero modules unless it parses with swc.
//
//   node scripts/check-boundaries.ts [folder]

import { readFileSync } from "node:fs";
import { cruise } from "dependency-cruiser";

const config = JSON.parse(
  readFileSync(new URL("../.dependency-cruiser.json", import.meta.url), "utf8"),
);
const folder = process.argv[2] ?? "src";
const { output } = await cruise([folder], {
  ...config.options,
  validate: true,
  ruleSet: { forbidden: config.forbidden },
});
if (typeof output === "string") throw new Error(output);

const { violations, totalCruised } = output.summary;
for (const { rule, from, to } of violations) console.log(`${rule.name}: ${from} -> ${to}`);
console.log(`${totalCruised} modules, ${violations.length} boundary violations`);
if (totalCruised === 0) console.error("error: no module was seen; the check proves nothing");
process.exitCode = totalCruised === 0 || violations.length > 0 ? 1 : 0;
