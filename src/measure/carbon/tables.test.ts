// The shipped tables: untouched since they were built, and in agreement with each other and with an
// independent copy.

import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { createFakeHost } from "../../../test/fake-host.ts";
import { dataFile, missingData } from "../../../test/shared-data.ts";
import { parseCsvTable } from "../../core/index.ts";
import { loadFactors } from "./mix.ts";
import { loadPlaces } from "./place-tables.ts";
import { findPlace } from "./places.ts";

const FOLDERS = [
  "carbon-intensity",
  "cloud-regions",
  "data-centres",
  "entsoe-areas",
  "generation-factors",
  "water",
];

test.each(FOLDERS)("data/%s is as its checksums say, and names its source", (name) => {
  const folder = new URL(`../../../data/${name}/`, import.meta.url);
  const files = readdirSync(folder).filter((file) => file.endsWith(".csv"));
  const lines = files.sort().map((file) => {
    const hash = createHash("sha256")
      .update(readFileSync(new URL(file, folder)))
      .digest("hex");
    return `${hash}  ${file}\n`;
  });
  expect(readFileSync(new URL("SHA256SUMS", folder), "utf8")).toBe(lines.join(""));
  const source = readFileSync(new URL("SOURCE.md", folder), "utf8");
  for (const file of files) expect(source).toContain(file);
  expect(source).toMatch(/CC BY|CC0|Apache-2\.0/);
});

test("the two sets of factors agree on the sources that are the IPCC's", async () => {
  const host = createFakeHost();
  for (const scope of ["life-cycle", "direct"] as const) {
    const ipcc = await loadFactors(host, "ipcc-2014", scope);
    const carboncast = await loadFactors(host, "carboncast", scope);
    for (const source of ["coal", "gas", "nuclear", "wind", "hydro"]) {
      expect(carboncast.factors.get(source)?.value).toBe(ipcc.factors.get(source)?.value);
    }
    for (const [source, { value, range }] of ipcc.factors) {
      expect(range === null || (range.low <= value && value <= range.high), source).toBe(true);
    }
  }
});

const COPY = "reference-factors/codecarbon/impact.csv";
const absent = missingData(COPY);
if (absent !== null) console.log(`skipping the comparison of cloud regions: ${absent}`);

test.skipIf(absent !== null)(
  "Google's figures of 2023 are those of an independent copy",
  async () => {
    const places = await loadPlaces(createFakeHost());
    const rows = parseCsvTable(readFileSync(dataFile(COPY), "utf8"));
    const ours = rows.filter(({ region }) => places.some(({ id }) => id === `gcp:${region}`));
    // The copy misspells one region (me-cenrtal1).
    expect(rows.length - ours.length).toBeLessThanOrEqual(1);
    for (const { region, impact } of ours) {
      expect(findPlace(places, `gcp:${region}@2023`).intensity, region).toBe(Number(impact));
    }
  },
);
