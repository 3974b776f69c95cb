// Wall power of a whole server from its TDP, memory, nominal frequency and load, by the model fitted
// on published SPECpower_ssj2008 results (docs/methods/power-model.md). A product of powers at each
// of eleven loads, straight lines between them. GPUs are not in it.

import { type Figure, figure } from "../../core/index.ts";
import { atLoad, type PowerModel, type ServerLaw } from "./coefficients.ts";

/** What the model must know of a server. */
export interface ServerFacts {
  /** Sum over sockets, watts, above 0. */
  readonly tdp: number;
  /** Above 0. */
  readonly memoryGB: number;
  /** Nominal, not boost; null when unknown. */
  readonly frequencyGHz: number | null;
  /** Of data/cpus/microarchitectures.csv; null when unknown. */
  readonly microarchitecture: string | null;
}

/** SPECpower systems are tuned and leaner than servers in use: the upper bound is a tenth higher. */
export const LEAN_SYSTEMS = 1.1;

/** Wall power of a server at a load in 0..1. */
export function serverPower(model: PowerModel, server: ServerFacts, load: number): Figure<"W"> {
  const law = lawFor(model, server);
  const value = atLoad(model.loads, serverCurve(model, server), load);
  const band = isInFamily(model, server) ? law.inFamily : law.newer;
  const low = value * atLoad(model.loads, band.low, load);
  const high = value * atLoad(model.loads, band.high, load) * LEAN_SYSTEMS;
  const source = serverFormula(model, server);
  return figure("W", value, { low, high }, { method: "estimated", source });
}

/** Wall power of an idle server. */
export const idlePower = (model: PowerModel, server: ServerFacts): Figure<"W"> =>
  serverPower(model, server, 0);

/** Watts at the model's loads; never falling as the load rises. */
export function serverCurve(model: PowerModel, server: ServerFacts): readonly number[] {
  const law = lawFor(model, server);
  let floor = 0;
  return model.loads.map((_, level) => {
    floor = Math.max(floor, powerAtLevel(model, law, { server, level }));
    return floor;
  });
}

/** Whether the server is of a kind that the model was fitted on: same family, sizes in range. */
export function isInFamily(model: PowerModel, server: ServerFacts): boolean {
  const { families, range } = model.server;
  const inside = (value: number, [low, high]: readonly [number, number]): boolean =>
    value >= low && value <= high;
  return (
    server.microarchitecture !== null &&
    families.includes(server.microarchitecture) &&
    inside(server.tdp, range.tdp) &&
    inside(server.memoryGB, range.memory) &&
    (server.frequencyGHz === null || inside(server.frequencyGHz, range.frequency))
  );
}

/** The formula at idle and full load, with the numbers filled in. */
export function serverFormula(model: PowerModel, server: ServerFacts): string {
  const { reference, systems } = model.server;
  const { watts, exponents } = lawFor(model, server);
  const curve = serverCurve(model, server);
  const at = (level: number): string => {
    const parts = [
      `${watts[level]} W`,
      `(${round(server.tdp)} W / ${reference.tdp} W)^${exponents.tdp[level]}`,
      `(${round(server.memoryGB)} GB / ${reference.memory} GB)^${exponents.memory[level]}`,
    ];
    if (server.frequencyGHz !== null && exponents.frequency !== undefined) {
      const ratio = `${round(server.frequencyGHz)} GHz / ${reference.frequency} GHz`;
      parts.push(`(${ratio})^${exponents.frequency[level]}`);
    }
    return `${parts.join(" x ")} = ${round(curve[level] ?? Number.NaN)} W`;
  };
  const last = model.loads.length - 1;
  return `wall power fitted on ${systems} SPECpower systems: idle ${at(0)}, full load ${at(last)}`;
}

function lawFor(model: PowerModel, server: ServerFacts): ServerLaw {
  const { withFrequency, withoutFrequency } = model.server;
  return server.frequencyGHz === null ? withoutFrequency : withFrequency;
}

function powerAtLevel(
  model: PowerModel,
  law: ServerLaw,
  { server, level }: { readonly server: ServerFacts; readonly level: number },
): number {
  const { reference } = model.server;
  const power = (ratio: number, exponents: readonly number[] | undefined): number =>
    ratio ** (exponents?.[level] ?? 0);
  const frequency = (server.frequencyGHz ?? reference.frequency) / reference.frequency;
  return (
    (law.watts[level] ?? Number.NaN) *
    power(server.tdp / reference.tdp, law.exponents.tdp) *
    power(server.memoryGB / reference.memory, law.exponents.memory) *
    power(frequency, law.exponents.frequency)
  );
}

const round = (value: number): number => Number(value.toPrecision(3));
