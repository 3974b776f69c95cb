// What is searched: named parameters and the values they may take. A configuration is also a point of the
// unit cube, one axis a parameter, in which the samplers work; logarithmic parameters are even in it.

import { type Random, UserError } from "../../core/index.ts";

/** Values that a parameter may take. */
export type Domain =
  | { readonly kind: "float"; readonly low: number; readonly high: number; readonly log: boolean }
  | { readonly kind: "integer"; readonly low: number; readonly high: number; readonly log: boolean }
  | { readonly kind: "choice"; readonly values: readonly ChoiceValue[] };

export type ChoiceValue = string | number | boolean;

export type Space = Readonly<Record<string, Domain>>;

/** A value for each parameter. */
export type Config = Readonly<Record<string, ChoiceValue>>;

/**
 * A space from JSON: `{"lr": {"float": [1e-4, 1], "log": true}, "layers": {"integer": [1, 4]}, "optimizer":
 * {"choice": ["sgd", "adam"]}}`. Throws UserError naming the parameter that is wrong.
 */
export function parseSpace(value: unknown): Space {
  if (!isObject(value) || Object.keys(value).length === 0) {
    throw wrong("the search space", "no object of parameters", 'Write {"lr": {"float": [0, 1]}}.');
  }
  return Object.fromEntries(
    Object.entries(value).map(([name, domain]) => [name, parseDomain(name, domain)]),
  );
}

const KINDS = ["float", "integer", "choice"] as const;

function parseDomain(name: string, value: unknown): Domain {
  const hint = 'Give one of {"float": [low, high]}, {"integer": [low, high]}, {"choice": [...]}.';
  if (!/^[A-Za-z_][\w.-]*$/.test(name) || name === "resource") {
    throw wrong(`parameter ${name}`, "not a name", "Use letters, digits and _, and not resource.");
  }
  if (!isObject(value)) throw wrong(`parameter ${name}`, "no object", hint);
  const kinds = KINDS.filter((kind) => kind in value);
  const odd = Object.keys(value).find((key) => key !== "log" && !KINDS.includes(key as never));
  const [kind] = kinds;
  if (kind === undefined || kinds.length > 1 || odd !== undefined) {
    const fault = odd === undefined ? `${kinds.length} domains` : `an unknown field ${odd}`;
    throw wrong(`parameter ${name}`, fault, hint);
  }
  if (kind === "choice") return parseChoice(name, value[kind]);
  return parseRange(name, kind, value[kind], value["log"] === true);
}

function parseChoice(name: string, values: unknown): Domain {
  const isValue = (one: unknown): one is ChoiceValue =>
    ["string", "number", "boolean"].includes(typeof one);
  if (!Array.isArray(values) || values.length === 0 || !values.every(isValue)) {
    const hint = "Give a list of texts, numbers, true or false.";
    throw wrong(`parameter ${name}`, "no list of choices", hint);
  }
  return { kind: "choice", values };
}

function parseRange(name: string, kind: "float" | "integer", range: unknown, log: boolean): Domain {
  const [low, high] = Array.isArray(range) && range.length === 2 ? range : [];
  if (!Number.isFinite(low) || !Number.isFinite(high) || !(low < high)) {
    throw wrong(`parameter ${name}`, "no range", "Give [low, high] with low below high.");
  }
  if (log && !(low > 0)) {
    throw wrong(`parameter ${name}`, `a logarithmic range from ${low}`, "Start above 0.");
  }
  if (kind === "integer" && !(Number.isInteger(low) && Number.isInteger(high))) {
    throw wrong(`parameter ${name}`, `an integer from ${low} to ${high}`, "Give whole numbers.");
  }
  return { kind, low, high, log };
}

const wrong = (what: string, fault: string, hint: string): UserError =>
  new UserError("invalid-input", `${what}: ${fault}`, { hint });

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The value at a place in [0, 1]: every integer and every choice has an equal part of it. */
function valueAt(domain: Domain, place: number): ChoiceValue {
  if (domain.kind === "choice") {
    const at = Math.min(domain.values.length - 1, Math.floor(place * domain.values.length));
    return domain.values[at] as ChoiceValue;
  }
  const { low, high } = edgesOf(domain);
  const value = domain.log ? low * (high / low) ** place : low + place * (high - low);
  const bounded = domain.kind === "integer" ? Math.round(value) : value;
  return Math.min(domain.high, Math.max(domain.low, bounded));
}

/** The place of a value, the middle of its part for integers and choices. */
export function placeOf(domain: Domain, value: ChoiceValue): number {
  if (domain.kind === "choice") {
    const at = domain.values.indexOf(value);
    if (at === -1) throw new RangeError(`${value} is none of ${domain.values.join(", ")}`);
    return (at + 0.5) / domain.values.length;
  }
  const { low, high } = edgesOf(domain);
  const number = Number(value);
  const place = domain.log
    ? Math.log(number / low) / Math.log(high / low)
    : (number - low) / (high - low);
  return Math.min(1, Math.max(0, place));
}

/** Integers reach half a step beyond their ends, so that the ends are as likely as the rest. */
function edgesOf(domain: Exclude<Domain, { kind: "choice" }>): { low: number; high: number } {
  if (domain.kind === "float") return domain;
  return { low: domain.low - 0.5, high: domain.high + 0.5 };
}

/** A configuration as a point of the unit cube. */
export const pointOf = (space: Space, config: Config): number[] =>
  Object.entries(space).map(([name, domain]) => placeOf(domain, config[name] as ChoiceValue));

/** The configuration at a point of the unit cube. */
export const configAt = (space: Space, point: readonly number[]): Config =>
  Object.fromEntries(
    Object.entries(space).map(([name, domain], axis) => [name, valueAt(domain, point[axis] ?? 0)]),
  );

/** A configuration drawn evenly. */
export const drawConfig = (space: Space, random: Random): Config =>
  configAt(
    space,
    Object.keys(space).map(() => random.uniform()),
  );
