// Datasets known by name (data/datasets): where they come from, what their files are, how they are read.

import { type Host, listIfPresent, suggest, UserError } from "../../../core/index.ts";

/** A file of a dataset. */
export interface CatalogueFile {
  /** Name inside the dataset's folder. */
  readonly path: string;
  readonly bytes?: number;
  readonly sha256?: string;
  /** As the makers publish it; tells damage, not forgery. */
  readonly md5?: string;
  /** Where it can be had; absent for local subsets. */
  readonly url?: string;
  /** A download stops beyond this. */
  readonly maxBytes?: number;
}

/** What a simple method reaches: what any figure should be read beside. */
export interface Baseline {
  readonly what: string;
  readonly metric: string;
  readonly value: number;
  readonly source: string;
}

/** How the files of an entry are read. Parts are named train, validation, test or all. */
export type LoadRecipe =
  | {
      readonly kind: "idx";
      readonly parts: Readonly<Record<string, readonly string[]>>;
      readonly classes: readonly string[];
    }
  | {
      readonly kind: "images";
      readonly parts: Readonly<Record<string, string>>;
      readonly classes: readonly string[];
    }
  | { readonly kind: "series"; readonly parts: Readonly<Record<string, string>> }
  | {
      readonly kind: "table";
      readonly parts: Readonly<Record<string, string>>;
      readonly classes?: readonly string[];
      /** Names of the columns of a file without header. */
      readonly names?: readonly string[];
      /** Column that holds the part of each row. */
      readonly split?: string;
      /** The numbers of a row as an image of this shape, times a factor. */
      readonly image?: { readonly shape: readonly number[]; readonly scale: number };
    };

export interface CatalogueEntry {
  readonly name: string;
  readonly title: string;
  readonly task: "classification";
  readonly origin: string;
  readonly licence: string;
  /** Folder inside `GODWIT_DATA` or the cache. */
  readonly folder: string;
  readonly files: readonly CatalogueFile[];
  readonly load: LoadRecipe;
  readonly baselines: readonly Baseline[];
  readonly caution?: string;
}

/** All entries. */
export async function readCatalogue(host: Host): Promise<readonly CatalogueEntry[]> {
  const parsed: { readonly datasets: readonly CatalogueEntry[] } = JSON.parse(
    await host.readData("datasets/datasets.json"),
  );
  return parsed.datasets;
}

/** The entry of a name. Throws UserError with the nearest name. */
export async function findEntry(host: Host, name: string): Promise<CatalogueEntry> {
  const entries = await readCatalogue(host);
  const found = entries.find((entry) => entry.name === name);
  if (found !== undefined) return found;
  const names = entries.map((entry) => entry.name);
  const near = suggest(name, names);
  throw new UserError("invalid-input", `there is no dataset ${name}`, {
    hint: near === null ? `There are ${names.join(", ")}.` : `Did you mean ${near}?`,
  });
}

/** Folders in which datasets may lie: the user's own, then what `godwit data get` downloaded. */
export function datasetFolders(host: Host): readonly string[] {
  const own = host.env["GODWIT_DATA"];
  const cache = downloadFolder(host);
  return [...(own === undefined || own === "" ? [] : [own]), ...(cache === null ? [] : [cache])];
}

/** Where downloads go (XDG Base Directory Specification); null without a home directory. */
export function downloadFolder(host: Host): string | null {
  const home = host.facts.homeDirectory;
  const cache = host.env["XDG_CACHE_HOME"] || (home === null ? null : `${home}/.cache`);
  return cache === null ? null : `${cache}/godwit/datasets`;
}

/** The folder that holds all files of an entry; null when none does. */
export async function locateEntry(host: Host, entry: CatalogueEntry): Promise<string | null> {
  for (const root of datasetFolders(host)) {
    const folder = `${root}/${entry.folder}`;
    const names = await listIfPresent(host, folder);
    if (entry.files.every(({ path }) => names.includes(path))) return folder;
  }
  return null;
}
