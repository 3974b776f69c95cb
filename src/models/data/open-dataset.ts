// What `--data` takes: a name of the catalogue, a file or a folder, and a part of it after a colon.

import { type Host, UserError } from "../../core/index.ts";
import { findEntry } from "./catalogue/entry.ts";
import { loadEntry } from "./catalogue/load-entry.ts";
import { formatOf, type OpenOptions, openDataFile } from "./open-file.ts";
import { namesIn, openFolder } from "./open-folder.ts";
import { type DatasetSplits, splitNamed } from "./splits.ts";

/** Names of the catalogue, with a part after a colon. Anything else is a path. */
const NAME = /^([a-z0-9][a-z0-9-]*)(?::([a-z]+))?$/;

/**
 * Opens a dataset: `eurosat`, `eurosat:test`, `samples.csv`, `folder/`. A file or folder of that name goes
 * before a name of the catalogue. Throws UserError when there is neither, or when it cannot be read.
 */
export async function openDataset(
  spec: string,
  host: Host,
  options: OpenOptions = {},
): Promise<DatasetSplits> {
  const names = await namesIn(host, spec);
  if (names !== null) return openFolder(host, spec.replace(/\/+$/, ""), names, options);
  const [, name, part] = NAME.exec(spec) ?? [];
  if (name === undefined || formatOf(spec) !== null) {
    const dataset = await openDataFile(host, spec, options);
    return { name: dataset.name, splits: new Map([["all", dataset]]) };
  }
  const opened = await loadEntry(host, await findEntry(host, name), options);
  if (part === undefined) return opened;
  return { name: spec, splits: new Map([["all", splitNamed(opened, part)]]) };
}

/** The one part of a dataset that is meant: the named one, else the only one. */
export function onlySplit(opened: DatasetSplits, wanted?: string) {
  if (wanted !== undefined) return splitNamed(opened, wanted);
  const [only, ...others] = opened.splits.values();
  if (only !== undefined && others.length === 0) return only;
  throw new UserError("usage", `dataset ${opened.name} has several parts`, {
    hint: `Name one of ${[...opened.splits.keys()].join(", ")}, as in ${opened.name}:test.`,
  });
}
