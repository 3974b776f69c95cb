// What another tool would say of a workload: its own terms, its own constants, its own factors. A
// method is a plain object; what it cannot answer it says, with the reason, and never as a zero.

import {
  carbonIntensity,
  emissionsOf,
  gramsCO2e,
  type Joules,
  joules,
  kilowattHours,
  type Quantity,
  toKilowattHours,
  total,
  type Unit,
} from "../../core/index.ts";
import type { PeerTables } from "./tables.ts";
import type { Workload } from "./workload.ts";

/** What the method's energy includes: chips, the machine's plug, or the whole data centre. */
export type Scope = "component" | "wall" | "facility";

/** A number that a method brings along, with where its authors state it. */
export interface Constant {
  readonly value: number;
  readonly unit: string;
  readonly source: string;
}

/** A value with its arithmetic, or why there is none. */
export type Answer<U extends Unit> =
  | {
      readonly status: "answered";
      readonly value: Quantity<U>;
      /** The arithmetic with the numbers filled in. */
      readonly formula: string;
      /** The idea in a few words, such as `0.3725 W/GB`: what a comparison quotes. */
      readonly basis: string;
      /** Names of the method's constants that were used. */
      readonly constants: readonly string[];
    }
  | { readonly status: "unsupported"; readonly reason: string };

/** Parts of a workload that a method may count for itself. */
export type TermName = "cpu" | "gpu" | "memory" | "supply" | "storage" | "network" | "device";

export interface Term {
  readonly name: TermName;
  readonly energy: Answer<"J">;
}

/** A factor on the sum of the terms, such as a PUE. */
export interface Factor {
  readonly name: string;
  readonly value: number;
  readonly basis: string;
  readonly constants: readonly string[];
}

export interface MethodResult {
  readonly terms: readonly Term[];
  readonly factors: readonly Factor[];
  /** Sum of the answered terms times the factors. */
  readonly energy: Answer<"J">;
  readonly intensity: Answer<"gCO2e/kWh">;
  /** Of the energy alone. */
  readonly emissions: Answer<"gCO2e">;
  /** Of making the hardware, for methods that count it; never inside `emissions`. */
  readonly embodied?: Answer<"gCO2e">;
  /** Terms that the workload has and the method leaves out of its energy. */
  readonly missing: readonly TermName[];
}

export interface Method {
  /** As `--method` takes it. */
  readonly name: string;
  readonly title: string;
  /** Release whose arithmetic this is. */
  readonly version: string;
  readonly scope: Scope;
  readonly source: string;
  readonly constants: Readonly<Record<string, Constant>>;
  /** Known faults and traps, one sentence each. */
  readonly defects: readonly string[];
  estimate(workload: Workload, tables: PeerTables): MethodResult;
}

/** How an answer came to be. */
interface Grounds {
  readonly formula: string;
  readonly basis: string;
  readonly constants?: readonly string[];
}

/** An answer of a unit. */
export const answered = <U extends Unit>(value: Quantity<U>, grounds: Grounds): Answer<U> => ({
  status: "answered",
  value,
  formula: grounds.formula,
  basis: grounds.basis,
  constants: grounds.constants ?? [],
});

/** No answer, and why. */
export const unsupported = (reason: string) => ({ status: "unsupported", reason }) as const;

/** A term of a constant power over the workload's hours. */
export function powerTerm(
  name: TermName,
  power: { readonly watts: number; readonly hours: number },
  grounds: Grounds,
): Term {
  const { watts, hours } = power;
  const energy = kilowattHours((watts * hours) / 1000);
  const formula = `${grounds.formula} = ${round(watts)} W x ${round(hours)} h`;
  return { name, energy: answered(energy, { ...grounds, formula }) };
}

/** A term of an energy that was measured, in joules. */
export const energyTerm = (name: TermName, energy: Joules, grounds: Grounds): Term => ({
  name,
  energy: answered(energy, grounds),
});

/** A term that the method cannot answer. */
export const missingTerm = (name: TermName, reason: string): Term => ({
  name,
  energy: unsupported(reason),
});

/** Terms, factors and intensity put together as every tool does: sum, times factors, times g/kWh. */
export function resultOf(parts: {
  readonly terms: readonly Term[];
  readonly factors?: readonly Factor[];
  readonly intensity: Answer<"gCO2e/kWh">;
  readonly embodied?: Answer<"gCO2e">;
}): MethodResult {
  const { terms, factors = [], intensity, embodied } = parts;
  const energy = energyOfTerms(terms, factors);
  return {
    terms,
    factors,
    energy,
    intensity,
    emissions: emissionsOfAnswers(energy, intensity),
    ...(embodied === undefined ? {} : { embodied }),
    missing: terms.filter(({ energy }) => energy.status === "unsupported").map(({ name }) => name),
  };
}

/** A result that has nothing to say about the workload. */
export function nothingOf(reason: string): MethodResult {
  const none = unsupported(reason);
  return { terms: [], factors: [], energy: none, intensity: none, emissions: none, missing: [] };
}

function energyOfTerms(terms: readonly Term[], factors: readonly Factor[]): Answer<"J"> {
  const known = terms.flatMap(({ name, energy }) =>
    energy.status === "answered" ? [{ name, value: energy.value }] : [],
  );
  if (known.length === 0) {
    const [first] = terms.map(({ energy }) => energy);
    return first?.status === "unsupported" ? first : unsupported("the method counts nothing of it");
  }
  const sum = total(known.map(({ value }) => value));
  const factor = factors.reduce((product, { value }) => product * value, 1);
  const names = known.map(({ name }) => name).join(" + ");
  const by = factors.map(({ name, value }) => ` x ${name} ${round(value)}`).join("");
  return answered(joules(sum * factor), {
    formula: `(${names})${by}`,
    basis: factors.length === 0 ? "no factor" : factors.map(({ basis }) => basis).join(", "),
    constants: factors.flatMap(({ constants }) => constants),
  });
}

function emissionsOfAnswers(energy: Answer<"J">, intensity: Answer<"gCO2e/kWh">): Answer<"gCO2e"> {
  if (energy.status === "unsupported") return energy;
  if (intensity.status === "unsupported") return intensity;
  const kilowattHoursUsed = round(toKilowattHours(energy.value));
  return answered(gramsCO2e(emissionsOf(energy.value, intensity.value)), {
    formula: `${kilowattHoursUsed} kWh x ${round(intensity.value)} gCO2e/kWh`,
    basis: intensity.basis,
    constants: intensity.constants,
  });
}

/** An intensity that was given wins with every tool that can be told one. */
export function intensityOf(
  workload: Workload,
  own: () => Answer<"gCO2e/kWh">,
): Answer<"gCO2e/kWh"> {
  const { place } = workload;
  if (place === null || !place.declared) return own();
  const basis = `${round(place.intensity)} gCO2e/kWh as given`;
  return answered(carbonIntensity(place.intensity), { formula: basis, basis });
}

/**
 * The place's intensity as godwit knows it, where a tool would ask a service or a table that is not
 * shipped; the basis says so.
 */
export function standInIntensity(workload: Workload, instead: string): Answer<"gCO2e/kWh"> {
  const { place } = workload;
  if (place === null) return unsupported(`no place and no intensity was given; it uses ${instead}`);
  return intensityOf(workload, () =>
    answered(carbonIntensity(place.intensity), {
      formula: `${round(place.intensity)} gCO2e/kWh (${place.source}) in place of ${instead}`,
      basis: `${round(place.intensity)} gCO2e/kWh, godwit's, in place of ${instead}`,
    }),
  );
}

/** Four significant figures, as formulas show numbers. */
export const round = (value: number): number => Number(value.toPrecision(4));
