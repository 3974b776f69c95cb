// What the ONNX specification and ONNX Runtime say of each operator in each of its versions: how many
// inputs, which attributes, which types. The facts are in data/onnx-operators; this reads and asks them.

import type { Host } from "../core/index.ts";
import type { Attribute } from "./model.ts";

/** Kinds of attribute that an operator declares; a reference stands for one of them in a function. */
export type AttributeKind = Exclude<Attribute["kind"], "reference">;

/** An input or output of an operator. */
export interface Parameter {
  readonly name: string;
  /** A type variable of the operator (`T`) or a type (`int64`, `seq(float32)`). */
  readonly type: string;
  readonly option: "single" | "optional" | "variadic";
  /** Whether all values of a variadic parameter have one type. */
  readonly homogeneous: boolean;
}

/** How many values an operator takes and gives; `max` is Infinity where there is no end. */
export interface Arity {
  readonly min: number;
  readonly max: number;
}

export interface AttributeSchema {
  readonly kind: AttributeKind;
  readonly required: boolean;
  /** What stands when the attribute is left out, if that is a constant. */
  readonly default?: number | string | readonly (number | string)[];
}

/** One version of an operator. */
export interface OperatorSchema {
  readonly domain: string;
  readonly name: string;
  /** The first opset of this version. */
  readonly since: number;
  readonly deprecated: boolean;
  readonly inputs: readonly Parameter[];
  readonly outputs: readonly Parameter[];
  readonly inputArity: Arity;
  readonly outputArity: Arity;
  readonly attributes: ReadonlyMap<string, AttributeSchema>;
  /** Types that each type variable may take. */
  readonly types: ReadonlyMap<string, ReadonlySet<string>>;
}

/** Every operator that is known, by domain, name and version. */
export interface OperatorTable {
  /** The newest file format (ir_version) of the known specification. */
  readonly irVersion: number;
  /** The file format that came with an opset of ai.onnx. */
  irVersionOf(opset: number): number;
  /** Newest known opset of a domain ("" is ai.onnx); null for a domain that is not known. */
  latest(domain: string): number | null;
  /** All versions of an operator, oldest first; none when it is not known. */
  versions(domain: string, name: string): readonly OperatorSchema[];
  /** The version in force at an opset; null when there is none. */
  find(domain: string, name: string, opset: number): OperatorSchema | null;
  /** Names of a domain's operators. */
  names(domain: string): readonly string[];
}

/** One version of an operator as it stands in operators.json. */
interface VersionEntry {
  readonly since: number;
  readonly deprecated?: true;
  readonly inputs: readonly ParameterEntry[];
  readonly outputs: readonly ParameterEntry[];
  /** Least and most inputs, least and most outputs; null is without end. */
  readonly arity: readonly [number, number | null, number, number | null];
  readonly attributes?: Readonly<Record<string, AttributeEntry>>;
  /** Type variable to index in `typeSets`. */
  readonly types?: Readonly<Record<string, number>>;
}

/** Name, type, and `?` for optional, `*` for variadic of one type, `**` for variadic of any types. */
type ParameterEntry = readonly [name: string, type: string, option?: "?" | "*" | "**"];

type AttributeEntry =
  | readonly [kind: AttributeKind]
  | readonly [kind: AttributeKind, "required"]
  | readonly [
      kind: AttributeKind,
      "default",
      value: number | string | readonly (number | string)[],
    ];

interface TableFile {
  /** File format by opset of ai.onnx. */
  readonly irVersions: Readonly<Record<string, number>>;
  readonly typeSets: readonly (readonly string[])[];
  readonly domains: Readonly<
    Record<
      string,
      {
        readonly latest: number;
        readonly operators: Readonly<Record<string, readonly VersionEntry[]>>;
      }
    >
  >;
}

/** Of the first release of ONNX; opsets before 5 have no other. */
const FIRST_IR_VERSION = 3;

/** The table that godwit ships. */
export async function loadOperators(host: Pick<Host, "readData">): Promise<OperatorTable> {
  return parseOperatorTable(await host.readData("onnx-operators/operators.json"));
}

/** The table in the text of an operators.json. */
export function parseOperatorTable(text: string): OperatorTable {
  const file = JSON.parse(text) as TableFile;
  const domains = new Map(Object.entries(file.domains));
  const sets = file.typeSets.map((types) => new Set(types));
  // Schemas are made when first asked for: a model uses few of the hundreds of operators.
  const made = new Map<string, readonly OperatorSchema[]>();

  const versions = (domain: string, name: string): readonly OperatorSchema[] => {
    const key = `${canonicalDomain(domain)}:${name}`;
    const known = made.get(key);
    if (known !== undefined) return known;
    const operators = domains.get(fileDomain(domain))?.operators ?? {};
    const entries = Object.hasOwn(operators, name) ? (operators[name] ?? []) : [];
    const schemas = entries.map((entry) => schemaOf(canonicalDomain(domain), name, entry, sets));
    if (schemas.length > 0) made.set(key, schemas);
    return schemas;
  };
  return {
    irVersion: Math.max(...Object.values(file.irVersions)),
    irVersionOf: (opset) => file.irVersions[String(opset)] ?? FIRST_IR_VERSION,
    latest: (domain) => domains.get(fileDomain(domain))?.latest ?? null,
    versions,
    find: (domain, name, opset) =>
      versions(domain, name).findLast((schema) => schema.since <= opset) ?? null,
    names: (domain) => Object.keys(domains.get(fileDomain(domain))?.operators ?? {}),
  };
}

/** ai.onnx has two spellings; "" is the one that nodes use. */
export function canonicalDomain(domain: string | undefined): string {
  return domain === undefined || domain === "ai.onnx" ? "" : domain;
}

function fileDomain(domain: string): string {
  return domain === "" ? "ai.onnx" : domain;
}

function schemaOf(
  domain: string,
  name: string,
  entry: VersionEntry,
  sets: readonly ReadonlySet<string>[],
): OperatorSchema {
  const [minInputs, maxInputs, minOutputs, maxOutputs] = entry.arity;
  const variables = Object.entries(entry.types ?? {});
  return {
    domain,
    name,
    since: entry.since,
    deprecated: entry.deprecated ?? false,
    inputs: entry.inputs.map(parameterOf),
    outputs: entry.outputs.map(parameterOf),
    inputArity: { min: minInputs, max: maxInputs ?? Number.POSITIVE_INFINITY },
    outputArity: { min: minOutputs, max: maxOutputs ?? Number.POSITIVE_INFINITY },
    attributes: new Map(
      Object.entries(entry.attributes ?? {}).map(([key, of]) => [key, attributeOf(of)]),
    ),
    types: new Map(variables.map(([variable, index]) => [variable, sets[index] ?? new Set()])),
  };
}

function parameterOf([name, type, option]: ParameterEntry): Parameter {
  const kind = option === undefined ? "single" : option === "?" ? "optional" : "variadic";
  return { name, type, option: kind, homogeneous: option !== "**" };
}

function attributeOf(entry: AttributeEntry): AttributeSchema {
  const [kind, presence, value] = entry;
  const required = presence === "required";
  return value === undefined ? { kind, required } : { kind, required, default: value };
}
