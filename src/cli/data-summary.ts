// What `godwit data show` tells: of a name of the catalogue also what is known of it.

import {
  type CatalogueEntry,
  type Dataset,
  openDataset,
  readCatalogue,
  readLabels,
} from "../models/data/index.ts";
import type { CliContext } from "./context.ts";
import { importModule } from "./import-module.ts";

interface PartSummary {
  readonly part: string;
  readonly rows: number;
  readonly columns: readonly {
    readonly name: string;
    readonly type: string;
    readonly classes?: string;
  }[];
}

export interface DataSummary {
  readonly schema: "godwit.data/1";
  readonly name: string;
  /** Null for files and folders of the user's own. */
  readonly entry: CatalogueEntry | null;
  readonly parts: readonly PartSummary[];
}

/** Opens a dataset and describes it; labels are counted, nothing else is read. */
export async function dataSummary(context: CliContext, spec: string): Promise<DataSummary> {
  const entries = await readCatalogue(context.host);
  const opened = await openDataset(spec, context.host, { importModule: importModule(context) });
  const parts: PartSummary[] = [];
  for (const [part, dataset] of opened.splits) parts.push(await partSummary(part, dataset));
  const entry = entries.find(({ name }) => name === spec.split(":")[0]) ?? null;
  return { schema: "godwit.data/1", name: opened.name, entry, parts };
}

async function partSummary(part: string, dataset: Dataset): Promise<PartSummary> {
  const columns = await Promise.all(
    dataset.columns.map(async ({ name, dataType, shape, classes }) => {
      const type = `${dataType}[${shape === null ? "varying" : shape.join(", ")}]`;
      if (name !== "label") return { name, type };
      return { name, type, classes: classCounts(await readLabels(dataset), classes) };
    }),
  );
  return { part, rows: dataset.length, columns };
}

/** How many samples each class has: alike in one figure, else the smallest and the largest. */
function classCounts(labels: Int32Array, names: readonly string[] | undefined): string {
  const counts = new Map<number, number>();
  for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1);
  const sizes = [...counts.values()];
  const [least, most] = [Math.min(...sizes), Math.max(...sizes)];
  const range = least === most ? `${least} each` : `${least} to ${most} each`;
  const shown = [...counts.keys()].sort((a, b) => a - b).map((label) => names?.[label] ?? label);
  const list = shown.length > 12 ? `${shown.slice(0, 12).join(", ")}, ...` : shown.join(", ");
  return `${counts.size} classes, ${range}: ${list}`;
}
