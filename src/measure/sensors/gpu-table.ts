// Board power of GPUs by the name that their driver reports, from the shipped table (data/gpus).

import { type Host, parseCsvTable, quantile } from "../../core/index.ts";

export interface GpuRating {
  readonly name: string;
  /** Maker's board power (TDP, TGP or TBP) of one device as the driver lists devices, watts. */
  readonly tdp: number;
  readonly source: string;
  /** Of release; null when the source does not say. */
  readonly year: number | null;
}

export async function loadGpuTable(host: Host): Promise<readonly GpuRating[]> {
  const rows = parseCsvTable(await host.readData("gpus/gpus.csv"));
  return rows.map((row) => ({
    name: row["name"] ?? "",
    tdp: Number(row["tdp_w"]),
    source: row["source"] ?? "",
    year: row["year"] ? Number(row["year"]) : null,
  }));
}

/**
 * Words of a driver's name that do not change which rating applies. `PCIe` and `SXM` are not among
 * them: they do. `Laptop` and `Max-Q` are not either: such boards have other ratings than their
 * namesakes, and no match is better than a wrong one.
 */
const INDIFFERENT = /^(\d+GB|GPU|GRAPHICS|HBM\d?E?|GENERATION)$/;
const MAKERS = /^(NVIDIA|AMD|INTEL|R|TM|GEFORCE|RADEON|TESLA|QUADRO|INSTINCT)$/;

/** The rating of a GPU by its driver's name; null when the table has none that surely applies. */
export function findGpuRating(table: readonly GpuRating[], name: string): GpuRating | null {
  const exact = table.find((rating) => key(rating.name, MAKERS) === key(name, MAKERS));
  if (exact !== undefined) return exact;
  const loose = key(name, MAKERS, INDIFFERENT);
  const close = table.filter((rating) => key(rating.name, MAKERS, INDIFFERENT) === loose);
  const [first] = close;
  // Two sizes of one board with unlike ratings (A100 PCIe 40 and 80 GB) leave the answer open.
  return first !== undefined && close.every(({ tdp }) => tdp === first.tdp) ? first : null;
}

function key(name: string, ...dropped: readonly RegExp[]): string {
  const words = name.toUpperCase().split(/[^A-Z0-9]+/);
  return words.filter((word) => word !== "" && !dropped.some((drop) => drop.test(word))).join(" ");
}

/** What to assume of a GPU that the table does not know: the table's own median and 90 % range. */
export function unknownGpuRating(table: readonly GpuRating[]): {
  readonly tdp: number;
  readonly low: number;
  readonly high: number;
} {
  const ratings = table.map(({ tdp }) => tdp).sort((a, b) => a - b);
  return {
    tdp: quantile(ratings, 0.5),
    low: quantile(ratings, 0.05),
    high: quantile(ratings, 0.95),
  };
}
