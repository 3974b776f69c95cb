// How far hours lie from the mean of their year: the interval of the shipped yearly means, checked on
// nine hourly grids (EnsembleCI and CarbonCast's data, life-cycle, 2019 to 2022).

import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { createFakeHost } from "../../../test/fake-host.ts";
import { dataFile, missingData } from "../../../test/shared-data.ts";
import { mean, parseCsv } from "../../core/index.ts";
import { locate } from "./locate.ts";

const GRIDS = ["CISO", "PJM", "ERCO", "EPE", "MISO", "DE", "PL", "NL", "SE"];
const absent = missingData("grid-carbon/CISO.csv.gz");
if (absent !== null) console.log(`skipping the spread of hours around their year: ${absent}`);

/** Each hour's intensity over the mean of its year. */
function ratios(grid: string): number[] {
  const text = gunzipSync(readFileSync(dataFile(`grid-carbon/${grid}.csv.gz`))).toString();
  const [header = [], ...rows] = parseCsv(text);
  const column = header.indexOf("ci_lifecycle");
  const years = new Map<string, number[]>();
  for (const row of rows) {
    const year = row[0]?.slice(0, 4) ?? "";
    const values = years.get(year) ?? [];
    values.push(Number(row[column]));
    years.set(year, values);
  }
  // The first days of 2023 are no year.
  const whole = [...years.values()].filter((values) => values.length > 8000);
  return whole.flatMap((values) => values.map((value) => value / mean(values)));
}

describe.skipIf(absent !== null)("the interval of a yearly mean", () => {
  test("covers at least 90 % of all hours of nine grids, and not nearly all of them", async () => {
    const { intensity } = await locate(createFakeHost(), { location: "DE" });
    const [low, high] = [intensity.low / intensity.value, intensity.high / intensity.value];
    const all = GRIDS.flatMap(ratios);
    const inside = all.filter((ratio) => ratio >= low && ratio <= high).length / all.length;
    expect(all.length).toBeGreaterThan(200_000);
    expect(inside).toBeGreaterThan(0.9);
    expect(inside).toBeLessThan(0.98);
  });
});
