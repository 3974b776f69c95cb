// The carbon footprint in a model card's front matter, as the Hugging Face Hub reads it
// (huggingface.co/docs/hub/model-cards-co2): `co2_eq_emissions`, in grams. The file is somebody's own
// text: it is changed at the positions that a YAML parser reports, and nowhere else. What cannot be
// changed so is refused; the result is parsed again before it is handed out.

import { isAlias, isMap, isScalar, type Node, type Pair, parseDocument, type YAMLMap } from "yaml";
import { UserError } from "../../core/index.ts";
import { legible } from "../markup.ts";

/** The key that the Hub reads. */
export const KEY = "co2_eq_emissions";

/** What the Hub's guide lists, in its order. */
export interface Footprint {
  /** Grams of CO2 equivalent. */
  readonly emissions: number;
  readonly source: string;
  readonly training_type?: string;
  readonly geographical_location?: string;
  readonly hardware_used?: string;
}

type Field = keyof Footprint;
const FIELDS: readonly Field[] = [
  "emissions",
  "source",
  "training_type",
  "geographical_location",
  "hardware_used",
];

interface Edit {
  readonly from: number;
  readonly to: number;
  readonly text: string;
}

/** Where the YAML of a front matter lies in a file; null without one. */
export function frontMatterOf(text: string): { readonly from: number; readonly to: number } | null {
  const opening = /^\ufeff?\s*?---[ \t]*\r?\n/.exec(text);
  if (opening === null) return null;
  const closing = /^---[ \t]*\r?$/gm;
  closing.lastIndex = opening[0].length;
  const found = closing.exec(text);
  return found === null ? null : { from: opening[0].length, to: found.index };
}

/** The front matter's value under the key as plain data. Throws UserError when it does not parse. */
export function readFootprint(text: string): unknown {
  const place = frontMatterOf(text);
  if (place === null) return undefined;
  const data: unknown = parsed(text.slice(place.from, place.to)).toJS();
  return typeof data === "object" && data !== null ? Reflect.get(data, KEY) : undefined;
}

/**
 * The file with the footprint in its front matter, which is made when there is none. Fields that are
 * not given stay as they are. Throws UserError when the front matter cannot be edited in place.
 */
export function writeFootprint(text: string, footprint: Footprint): string {
  const newline = /\r?\n/.exec(text)?.[0] ?? "\n";
  const place = frontMatterOf(text);
  if (place === null) {
    const mark = text.startsWith("\ufeff") ? "\ufeff" : "";
    const body = text.slice(mark.length);
    const gap = body === "" ? "" : newline;
    return `${mark}---${newline}${block(footprint, "", newline)}---${newline}${gap}${body}`;
  }
  const yaml = text.slice(place.from, place.to);
  const changed = apply(yaml, editsOf(yaml, footprint, newline));
  verify(yaml, changed, footprint);
  return text.slice(0, place.from) + changed + text.slice(place.to);
}

function editsOf(yaml: string, footprint: Footprint, newline: string): readonly Edit[] {
  const { contents } = parsed(yaml);
  if (contents !== null && !(isScalar(contents) && contents.value === null) && !isMap(contents)) {
    throw uneditable("it is no mapping");
  }
  if (!isMap(contents)) return [appended(yaml, footprint, { indent: "", newline })];
  if (contents.flow) throw uneditable("it is written in braces");
  const pair = contents.items.find(({ key }) => isScalar(key) && key.value === KEY);
  const indent = indentAt(yaml, startOf(contents.items[0]));
  if (pair === undefined) return [appended(yaml, footprint, { indent, newline })];
  const { value } = pair as Pair<Node, Node | null>;
  if (isAlias(value) || value?.anchor !== undefined) throw uneditable(`${KEY} is an alias`);
  if (isMap(value)) return mapEdits(value, footprint, { yaml, newline });
  if (value !== null && !isScalar(value)) throw uneditable(`${KEY} is a list`);
  return scalarEdits(yaml, pair as Pair<Node, Node | null>, block(footprint, indent, newline));
}

/** A new block behind everything else. */
function appended(
  yaml: string,
  footprint: Footprint,
  { indent, newline }: { readonly indent: string; readonly newline: string },
): Edit {
  const gap = yaml === "" || yaml.endsWith("\n") ? "" : newline;
  const text = gap + block(footprint, indent, newline);
  return { from: yaml.length, to: yaml.length, text };
}

/** A number in the place of the object: the number goes, a comment behind it stays. */
function scalarEdits(yaml: string, pair: Pair<Node, Node | null>, lines: string): readonly Edit[] {
  const [from, to] = pair.value?.range ?? [endOf(pair.key), endOf(pair.key)];
  const body = lines.slice(lines.indexOf("\n") + 1);
  // A block scalar's range ends behind its last line.
  if (from < to && yaml[to - 1] === "\n") return [{ from, to, text: `\n${body}` }];
  const lineEnd = yaml.indexOf("\n", to);
  const end = lineEnd === -1 ? yaml.length : lineEnd + 1;
  const gap = lineEnd === -1 ? "\n" : "";
  return [
    { from, to, text: "" },
    { from: end, to: end, text: gap + body },
  ];
}

/** Each field in its place; those that are missing come before the first one. */
function mapEdits(
  map: YAMLMap,
  footprint: Footprint,
  { yaml, newline }: { readonly yaml: string; readonly newline: string },
): readonly Edit[] {
  const pairs = map.items as readonly Pair<Node, Node | null>[];
  const given = FIELDS.flatMap((field) => {
    const value = footprint[field];
    return value === undefined ? [] : [{ field, text: scalarText(value) }];
  });
  const known = (field: Field) => pairs.find(({ key }) => isScalar(key) && key.value === field);
  const replaced = given.flatMap(({ field, text }) => {
    const pair = known(field);
    return pair === undefined ? [] : [replacement(pair, text)];
  });
  const missing = given
    .filter(({ field }) => known(field) === undefined)
    .map(({ field, text }) => `${field}: ${text}`);
  if (missing.length === 0) return replaced;
  const first = pairs[0];
  const from = first === undefined ? (map.range?.[0] ?? 0) + 1 : startOf(first);
  const gap = map.flow ? ", " : newline + indentAt(yaml, from);
  const text = missing.join(gap) + (first === undefined ? "" : gap);
  return [...replaced, { from, to: from, text }];
}

function replacement({ key, value }: Pair<Node, Node | null>, text: string): Edit {
  if (value !== null && !isScalar(value)) throw uneditable(`a field of ${KEY} is no plain value`);
  if (value?.anchor !== undefined) throw uneditable(`a field of ${KEY} has an anchor`);
  const [from, to] = value?.range ?? [endOf(key), endOf(key)];
  // Nothing stands behind the colon: the space is ours.
  return from === to ? { from, to, text: ` ${text}` } : { from, to, text };
}

const startOf = (pair: Pair | undefined): number =>
  (pair?.key as Node | undefined)?.range?.[0] ?? 0;
/** Behind the colon of a key. */
const endOf = (key: Node): number => (key.range?.[1] ?? 0) + 1;

/** What stands before a position on its line, when that is only blank. */
function indentAt(yaml: string, position: number): string {
  const before = yaml.slice(yaml.lastIndexOf("\n", position - 1) + 1, position);
  return /^ *$/.test(before) ? before : "";
}

/** The whole entry with a line break at its end. */
function block(footprint: Footprint, indent: string, newline: string): string {
  const lines = FIELDS.flatMap((field) => {
    const value = footprint[field];
    return value === undefined ? [] : [`${indent}  ${field}: ${scalarText(value)}${newline}`];
  });
  return `${indent}${KEY}:${newline}${lines.join("")}`;
}

function scalarText(value: string | number): string {
  return typeof value === "number" ? numberText(value) : JSON.stringify(legible(value));
}

/** Six digits. YAML 1.1, which the Hub's Python reads, takes `1e-7` for text; it wants `1.0e-7`. */
function numberText(value: number): string {
  const text = String(Number(value.toPrecision(6)));
  return /^-?\d+e/.test(text) ? text.replace("e", ".0e") : text;
}

function apply(text: string, edits: readonly Edit[]): string {
  return [...edits]
    .sort((a, b) => b.from - a.from || b.to - a.to)
    .reduce(
      (result, { from, to, text: by }) => result.slice(0, from) + by + result.slice(to),
      text,
    );
}

function parsed(yaml: string) {
  const document = parseDocument(yaml, { logLevel: "silent" });
  const [fault] = document.errors;
  if (fault !== undefined) throw uneditable(fault.message.split("\n")[0] ?? "it does not parse");
  return document;
}

/** Everything else must mean what it meant, and the entry what was to be written. */
function verify(before: string, after: string, footprint: Footprint): void {
  const { [KEY]: old, ...rest } = (parsed(before).toJS() ?? {}) as Record<string, unknown>;
  const { [KEY]: now, ...others } = (parsed(after).toJS() ?? {}) as Record<string, unknown>;
  const kept = typeof old === "object" ? old : {};
  const wanted = Object.fromEntries(
    Object.entries(footprint).map(([field, value]) => [
      field,
      typeof value === "number" ? Number(numberText(value)) : legible(String(value)),
    ]),
  );
  const sorted = (value: object | null) => JSON.stringify(Object.entries(value ?? {}).sort());
  if (
    JSON.stringify(rest) !== JSON.stringify(others) ||
    sorted({ ...kept, ...wanted }) !== sorted(Object(now))
  ) {
    throw uneditable("its spelling is unusual");
  }
}

function uneditable(why: string): UserError {
  return new UserError("invalid-input", `the front matter cannot be edited in place: ${why}`, {
    hint: `Give it a plain entry, such as:\n${KEY}:\n  emissions: 1`,
  });
}
