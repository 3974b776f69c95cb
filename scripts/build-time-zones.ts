// Rebuilds data/time-zones/zones.csv from the tz database of this system (public domain):
// zone.tab says the country of each zone, tzdata.zi the older names that link to it.
//
//   node scripts/build-time-zones.ts [/usr/share/zoneinfo]

import { readFileSync, writeFileSync } from "node:fs";

const folder = process.argv[2] ?? "/usr/share/zoneinfo";
const zi = readFileSync(`${folder}/tzdata.zi`, "utf8");

const countryOf = new Map<string, string>();
for (const line of readFileSync(`${folder}/zone.tab`, "utf8").split("\n")) {
  const [country, , zone] = line.split("\t");
  if (country !== undefined && zone !== undefined && !country.startsWith("#")) {
    countryOf.set(zone, country);
  }
}
for (const line of zi.split("\n")) {
  const [kind, target, name] = line.split(" ");
  if (kind !== "L" || target === undefined || name === undefined) continue;
  const country = countryOf.get(target);
  if (country !== undefined && !countryOf.has(name) && name.includes("/")) {
    countryOf.set(name, country);
  }
}
const rows = [...countryOf].sort(([a], [b]) => (a < b ? -1 : 1)).map((row) => row.join(","));
writeFileSync(
  new URL("../data/time-zones/zones.csv", import.meta.url),
  `time_zone,iso2\n${rows.join("\n")}\n`,
);
console.error(`${rows.length} zones, ${zi.split("\n")[0]?.replace("# ", "tz database ")}`);
