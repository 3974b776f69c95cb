// A model file as reports name it.

import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import type { SlimFile } from "../report/slim/report.ts";

/** Hash and size of a file, read piece by piece: it may be larger than an array. */
export async function fileOf(path: string, bytes: number): Promise<SlimFile> {
  const hash = createHash("sha256");
  for await (const piece of createReadStream(path)) hash.update(piece as Buffer);
  return { path, sha256: hash.digest("hex"), bytes };
}
