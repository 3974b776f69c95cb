// The shipped tables of peers against the files that they were taken from, where those are there, and
// against their checksums.

import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { createFakeHost } from "../../../test/fake-host.ts";
import { dataFile, missingData } from "../../../test/shared-data.ts";
import { parseCsv } from "../../core/index.ts";
import { loadPeerTables } from "./tables.ts";

const FOLDER = new URL("../../../data/methods/", import.meta.url);
const tables = await loadPeerTables(createFakeHost());

describe.each(readdirSync(FOLDER))("data/methods/%s", (tool) => {
  const folder = new URL(`${tool}/`, FOLDER);
  test("has its source, and each table its checksum", () => {
    expect(readFileSync(new URL("SOURCE.md", folder), "utf8")).toMatch(/MIT|Apache|CC BY/);
    const sums = readFileSync(new URL("SHA256SUMS", folder), "utf8").trim().split("\n");
    const listed = sums.map((line) => line.split(/\s+/));
    expect(listed.map(([, name]) => name).sort()).toEqual(
      readdirSync(folder).filter((name) => /\.(csv|json)$/.test(name)),
    );
    for (const [sum = "", name = ""] of listed) {
      const bytes = readFileSync(new URL(name, folder));
      expect(createHash("sha256").update(bytes).digest("hex"), name).toBe(sum);
    }
  });
});

const absent = missingData("reference-factors");
if (absent !== null) console.log(`skipping the origins of the peers' tables: ${absent}`);

describe.skipIf(absent !== null)("the files that they were taken from", () => {
  const rowsOf = (name: string, head: number): readonly (readonly string[])[] =>
    parseCsv(readFileSync(dataFile(`reference-factors/${name}`), "utf8")).slice(head);

  test("Green Algorithms: every place with its intensity", () => {
    const rows = rowsOf("green-algorithms/CI_aggregated.csv", 2).filter(([place]) => place);
    expect(tables.greenAlgorithms.intensities.size).toBe(rows.length);
    for (const [place = "", , , , intensity] of rows) {
      expect(tables.greenAlgorithms.intensities.get(place), place).toBe(Number(intensity));
    }
  });

  test("Green Algorithms: every GPU and its watts, every provider and its PUE", () => {
    const gpus = rowsOf("green-algorithms/TDP_gpu.csv", 2).filter(([name]) => name);
    expect(tables.greenAlgorithms.gpus.map(({ name, tdp }) => [name, tdp])).toEqual(
      gpus.map(([name, , , watts]) => [name, Number(watts)]),
    );
    for (const [provider = "", pue] of rowsOf("green-algorithms/defaults_PUE.csv", 2)) {
      expect(tables.greenAlgorithms.pues.get(provider.toLowerCase())).toBe(Number(pue));
    }
  });

  test("CodeCarbon: every cloud region that has a figure", () => {
    const [header = [], ...rows] = rowsOf("codecarbon/impact.csv", 0);
    const at = (row: readonly string[], name: string): string =>
      row[header.findIndex((field) => field.endsWith(name))] ?? "";
    for (const row of rows.filter((one) => at(one, "impact") !== "")) {
      const region = at(row, "region").replace("cenrtal", "central");
      expect(tables.codeCarbon.clouds.get(`${row[0]}/${region}`), region).toBe(
        Number(at(row, "impact")),
      );
    }
  });
});
