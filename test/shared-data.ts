// Where the real data and models lie that tests read in place. They are not part of the repository:
// a test that needs them skips with the reason when they are absent.

import { existsSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";

const DATA =
  process.env["GODWIT_DATA"] ?? fileURLToPath(new URL("../../shared/data", import.meta.url));
const MODELS = `${DATA}/../models`;

/** Path of a dataset's file. */
export const dataFile = (name: string): string => `${DATA}/${name}`;

/** Path of a model's file. */
export const modelFile = (name: string): string => `${MODELS}/${name}`;

/** Why tests on a dataset's file or folder must skip; null when it is there. */
export function missingData(name: string): string | null {
  return existsSync(dataFile(name)) ? null : `${name} is not in GODWIT_DATA`;
}

/** File names of the real models; none when they are absent. */
export const modelNames: readonly string[] = existsSync(MODELS)
  ? readdirSync(MODELS).filter((name) => name.endsWith(".onnx"))
  : [];

if (modelNames.length === 0) console.log("skipping tests on real models: none beside GODWIT_DATA");
