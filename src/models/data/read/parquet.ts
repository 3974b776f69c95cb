// Parquet files as tables, through the library hyparquet, loaded when first needed.

import { reasonOf, UserError } from "../../../core/index.ts";
import { dataFault } from "./fault.ts";
import type { Table } from "./table.ts";

/** All rows of a file. Throws UserError for damaged files and codecs that the library lacks. */
export async function readParquet(file: string, bytes: Uint8Array): Promise<Table> {
  const { parquetReadObjects } = await loadLibrary();
  const buffer = bytes.slice().buffer;
  const objects = await parquetReadObjects({ file: buffer }).catch((cause: unknown) => {
    const hint = "The file is damaged, or compressed with something other than Snappy: rewrite it.";
    throw dataFault(file, null, `cannot be read as Parquet (${reasonOf(cause)})`, hint, cause);
  });
  const names = Object.keys(objects[0] ?? {});
  const rows = objects.map((object) => names.map((name) => object[name]));
  return { file, names, rows, place: (row) => `row ${row}` };
}

async function loadLibrary(): Promise<typeof import("hyparquet")> {
  try {
    return await import("hyparquet");
  } catch (cause) {
    throw new UserError("unsupported", "Parquet files need a library that is not installed", {
      hint: "npm install hyparquet",
      cause,
    });
  }
}
