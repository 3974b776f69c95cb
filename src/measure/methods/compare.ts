// All methods beside godwit's own for one workload, and for each difference the term and the constant
// that make it, the largest first.

import { emissionsOf, total } from "../../core/index.ts";
import type { Answer, Method, MethodResult, TermName } from "./method.ts";
import { METHODS } from "./methods.ts";
import type { PeerTables } from "./tables.ts";
import type { Workload } from "./workload.ts";

export interface Difference {
  readonly subject: TermName | "factors" | "intensity";
  /** Joules that it adds to the energy (negative: takes away), or grams for the intensity. */
  readonly effect: number;
  readonly unit: "J" | "gCO2e";
  /** `memory: 0.3725 W/GB against 0.22 W/GB`. */
  readonly text: string;
}

export interface Comparison {
  readonly method: Method;
  readonly result: MethodResult;
  /** Over godwit's own; null where there is no answer. */
  readonly energyRatio: number | null;
  readonly emissionsRatio: number | null;
  readonly differences: readonly Difference[];
}

/** Below this, two values are taken as the same: 2 %. */
const SAME = Math.log(1.02);

/** What every method says of a workload, compared with an estimate or a measurement of ours. */
export function compareMethods(
  workload: Workload,
  tables: PeerTables,
  own: MethodResult,
  methods: readonly Method[] = METHODS,
): readonly Comparison[] {
  return methods.map((method) => {
    const result = method.estimate(workload, tables);
    return {
      method,
      result,
      energyRatio: ratioOf(result.energy, own.energy),
      emissionsRatio: ratioOf(result.emissions, own.emissions),
      differences: result.energy.status === "unsupported" ? [] : differencesOf(own, result),
    };
  });
}

function ratioOf<U extends "J" | "gCO2e">(peer: Answer<U>, own: Answer<U>): number | null {
  return peer.status === "answered" && own.status === "answered" && own.value > 0
    ? peer.value / own.value
    : null;
}

/** Differences of a peer from our own result, the largest effect first and the intensity last. */
export function differencesOf(own: MethodResult, peer: MethodResult): readonly Difference[] {
  const names = new Set([...own.terms, ...peer.terms].map(({ name }) => name));
  const terms = [...names].flatMap((name) => termDifference(name, own, peer));
  const energy = [...terms, ...factorDifference(own, peer)];
  return [
    ...energy.sort((a, b) => Math.abs(b.effect) - Math.abs(a.effect)),
    ...intensityDifference(own, peer),
  ];
}

/** Joules of all terms of a name, what they rest on, and why the others are not answered. */
function termOf({ terms }: MethodResult, name: TermName) {
  const all = terms.filter((term) => term.name === name).map(({ energy }) => energy);
  const known = all.filter((answer) => answer.status === "answered");
  const [gap] = all.filter((answer) => answer.status === "unsupported");
  return {
    value: total(known.map(({ value }) => value)),
    basis: [...new Set(known.map(({ basis }) => basis))].join(", "),
    reason: gap?.reason ?? null,
  };
}

function termDifference(
  name: TermName,
  own: MethodResult,
  peer: MethodResult,
): readonly Difference[] {
  const [ours, theirs] = [termOf(own, name), termOf(peer, name)];
  // Told with our own factors, so that the effects of terms and factors add up to the difference.
  const effect = (theirs.value - ours.value) * factorOf(own);
  const difference = (text: string): readonly Difference[] => [
    { subject: name, effect, unit: "J", text: `${name}: ${text}` },
  ];
  if (theirs.reason !== null) return difference(`not counted, ${theirs.reason}`);
  if (theirs.value === 0 && ours.value === 0) return [];
  if (theirs.basis === "") return difference(`left out, against ${ours.basis}`);
  if (ours.basis === "") return difference(`${theirs.basis}, which godwit leaves out`);
  if (Math.abs(Math.log(theirs.value / ours.value)) < SAME) return [];
  return difference(`${theirs.basis} against ${ours.basis}`);
}

const factorOf = ({ factors }: MethodResult): number =>
  factors.reduce((product, { value }) => product * value, 1);

function factorDifference(own: MethodResult, peer: MethodResult): readonly Difference[] {
  const [ours, theirs] = [own, peer].map((result) => ({
    value: factorOf(result),
    basis: result.factors.map(({ basis }) => basis).join(", ") || "no PUE",
  }));
  if (ours === undefined || theirs === undefined) return [];
  if (Math.abs(Math.log(theirs.value / ours.value)) < SAME) return [];
  const sum = total(
    peer.terms.flatMap(({ energy }) => (energy.status === "answered" ? [energy.value] : [])),
  );
  const effect = sum * (theirs.value - ours.value);
  return [{ subject: "factors", effect, unit: "J", text: `${theirs.basis} against ${ours.basis}` }];
}

function intensityDifference(own: MethodResult, peer: MethodResult): readonly Difference[] {
  const [ours, theirs] = [own.intensity, peer.intensity];
  if (theirs.status === "unsupported") {
    return [
      { subject: "intensity", effect: 0, unit: "gCO2e", text: `no emissions: ${theirs.reason}` },
    ];
  }
  if (ours.status === "unsupported" || peer.energy.status === "unsupported") return [];
  if (Math.abs(Math.log(theirs.value / ours.value)) < SAME) return [];
  const { value } = peer.energy;
  const effect = emissionsOf(value, theirs.value) - emissionsOf(value, ours.value);
  const text = `${theirs.basis} against ${ours.basis}`;
  return [{ subject: "intensity", effect, unit: "gCO2e", text }];
}
