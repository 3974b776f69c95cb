// What a project knows of the place where its work runs: godwit.json, in the nearest folder upward. Each
// value is written as the option of the same name takes it. Read by hand, because a run that waits should
// not hold a schema library.

import { readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { UserError } from "../core/errors.ts";
import { hostErrorCode, reasonOf, suggest } from "../core/index.ts";
import type { CliContext } from "./context.ts";

const FILE = "godwit.json";

/** Names in the file, with the option and the variable that overrule each. */
const NAMES = {
  location: { option: "--location", variable: "GODWIT_LOCATION" },
  pue: { option: "--pue", variable: "GODWIT_PUE" },
  price: { option: "--price", variable: "GODWIT_PRICE" },
  carbonPrice: { option: "--carbon-price", variable: "GODWIT_CARBON_PRICE" },
  embodied: { option: "--embodied", variable: "GODWIT_EMBODIED" },
  life: { option: "--life", variable: "GODWIT_LIFE" },
} as const;

type SettingName = keyof typeof NAMES;

interface Settings {
  /** The file; null when there is none. */
  readonly path: string | null;
  readonly values: Readonly<Partial<Record<SettingName, string>>>;
}

/** The project's settings. Throws UserError for a file that cannot be read or says what nobody knows. */
export function readSettings(cwd: string): Settings {
  for (let folder = resolve(cwd); ; folder = dirname(folder)) {
    const path = join(folder, FILE);
    const text = readIfPresent(path);
    if (text !== null) return { path, values: valuesOf(path, text) };
    if (dirname(folder) === folder) return { path: null, values: {} };
  }
}

/** A value by its option, else the environment (where empty is none), else the project's settings. */
export function declared<T>(
  { env, cwd }: Pick<CliContext, "env" | "cwd">,
  name: SettingName,
  given: T | undefined,
  parse: (option: string, text: string) => T,
): T | undefined {
  if (given !== undefined) return given;
  const { variable } = NAMES[name];
  const told = env[variable];
  if (told) return parse(variable, told);
  const { path, values } = readSettings(cwd);
  const value = values[name];
  return value === undefined ? undefined : parse(`${path}: ${name}`, value);
}

function readIfPresent(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const code = hostErrorCode(error);
    if (code === "ENOENT" || code === "ENOTDIR" || code === "EISDIR") return null;
    throw new UserError("invalid-input", `cannot read ${path}: ${reasonOf(error)}`, {
      hint: "Make it readable, or remove it.",
      cause: error,
    });
  }
}

function valuesOf(path: string, text: string): Settings["values"] {
  const entries = Object.entries(objectOf(path, text)).filter(([name]) => name !== "$schema");
  return Object.fromEntries(
    entries.map(([name, value]) => [nameOf(path, name), textOf(path, name, value)]),
  );
}

function objectOf(path: string, text: string): object {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new UserError("invalid-input", `${path} is no JSON: ${reasonOf(cause)}`, {
      hint: EXAMPLE,
      cause,
    });
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
  throw new UserError("invalid-input", `${path} is not an object of settings`, { hint: EXAMPLE });
}

const EXAMPLE = 'Write it as {"location": "DE", "pue": 1.2, "price": "0.30EUR/kWh"}.';

function nameOf(path: string, name: string): SettingName {
  const known = Object.keys(NAMES) as SettingName[];
  const found = known.find((one) => one === name);
  if (found !== undefined) return found;
  const near = suggest(name, known);
  throw new UserError("invalid-input", `${path}: there is no setting "${name}"`, {
    hint: near === null ? `There are ${known.join(", ")}.` : `Did you mean "${near}"?`,
  });
}

function textOf(path: string, name: string, value: unknown): string {
  if (typeof value === "string" || typeof value === "number") return String(value);
  throw new UserError("invalid-input", `${path}: ${name} is neither a text nor a number`, {
    hint: EXAMPLE,
  });
}
