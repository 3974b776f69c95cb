// From the components to carbon: wall, facility, emissions. Each arrow is one formula that is
// applied once, and is written down as a step, with its numbers, for `godwit explain`.

import type { Step } from "../../core/card.ts";
import {
  exact,
  type Figure,
  JOULES_PER_KILOWATT_HOUR,
  product,
  sum,
  type Unit,
} from "../../core/index.ts";
import type { SensorEnergy } from "./energy.ts";
import type { StartRecord } from "./record.ts";

/** Which energy: all of it, the subject's active part, or that with its share of idle. */
export type Account = "gross" | "net" | "attributed";

/** Which boundary a run's figures have. */
export type Scope = "component" | "wall" | "facility";

export interface ChainContext {
  readonly start: StartRecord;
  readonly duration: Figure<"s">;
}

/** A step that knows the unit of its result. */
export type StepOf<U extends Unit> = Step & { readonly result: Figure<U> };

export function scopeOf(energies: readonly SensorEnergy[], { wall, pue }: StartRecord): Scope {
  if (addsFacility(pue)) return "facility";
  const isCovered = energies.every(({ track }) => track.sensor.scope === "wall");
  return isCovered || wall !== undefined ? "wall" : "component";
}

/**
 * Steps from the sensors to one account's energy at the boundary, which is the last step's result.
 * Empty when no sensor can tell this account.
 */
export function energySteps(
  account: Account,
  energies: readonly SensorEnergy[],
  context: ChainContext,
): readonly StepOf<"J">[] {
  const { pue } = context.start;
  const told = energies.flatMap(({ track: { sensor }, energy, owned }) => {
    const own = account === "gross" ? energy : owned?.[account];
    return own === undefined ? [] : [{ ...sensor, own }];
  });
  const inputsOf = (scope: "component" | "wall") =>
    Object.fromEntries(
      told.filter((sensor) => sensor.scope === scope).map(({ device, own }) => [device, own]),
    );
  const [inner, outer] = [inputsOf("component"), inputsOf("wall")];
  const components = totalStep(`${account} energy of the components`, inner);
  const isMixed = components !== null && Object.keys(outer).length > 0;
  const supply = components && supplyStep(account, components.result, { ...context, isMixed });
  const behind = supply ?? components;
  // What was sensed or modelled at the wall joins what came through the supply.
  const joined = behind === null ? outer : { components: behind.result, ...outer };
  const atWall =
    behind === null || isMixed ? totalStep(`${account} energy at the wall`, joined) : null;
  const steps = [components, supply, atWall].filter((step) => step !== null);
  const wall = steps.at(-1)?.result;
  return wall === undefined || !addsFacility(pue)
    ? steps
    : [...steps, facilityStep(account, wall, pue)];
}

/** Operational emissions of an energy. */
export function emissionsStep(
  energy: Figure<"J">,
  intensity: Figure<"gCO2e/kWh">,
): StepOf<"gCO2e"> {
  return {
    name: "emissions",
    formula: `energy * intensity / ${JOULES_PER_KILOWATT_HOUR}`,
    inputs: { energy, intensity },
    result: product("gCO2e", [energy, intensity], {
      scale: 1 / JOULES_PER_KILOWATT_HOUR,
      source: intensity.source,
    }),
    source: "1 kWh = 3,600,000 J, exact",
  };
}

/** Sum of what devices used; null when there is none. */
function totalStep(
  name: string,
  inputs: Readonly<Record<string, Figure<"J">>>,
): StepOf<"J"> | null {
  const names = Object.keys(inputs);
  if (names.length === 0) return null;
  const parts = Object.values(inputs);
  const [only] = parts;
  const source = "energies of separate devices add up";
  if (parts.length === 1 && only !== undefined) {
    return { name, formula: names.join(), inputs, result: only, source };
  }
  const sources = [...new Set(parts.map(({ source }) => source))].join(" + ");
  return {
    name,
    formula: names.join(" + "),
    inputs,
    result: sum("J", parts, { source: sources }),
    source,
  };
}

/**
 * Components to wall: losses in proportion, and the board's power for as long as the run took. The
 * board idles whatever runs: all of it is in gross, none in net, the subject's share in attributed.
 */
function supplyStep(
  account: Account,
  components: Figure<"J">,
  context: ChainContext & { readonly isMixed: boolean },
): StepOf<"J"> | null {
  const { start, duration, isMixed } = context;
  if (start.wall === undefined) return null;
  const { factor, base } = start.wall;
  const name = `${account} energy ${isMixed ? "of the components at the wall" : "at the wall"}`;
  const source = `${components.source}, through the wall model (${factor.source})`;
  const losses = product("J", [components, factor], { source });
  // A sensor at the wall, or a model of it, has the board in it already.
  if (isMixed || account === "net" || base.high === 0) {
    const inputs = { components, factor };
    return { name, formula: "components * factor", inputs, result: losses, source: factor.source };
  }
  const share = account === "gross" ? WHOLE : start.idleShare;
  const board = product("J", [base, duration, share], { source: base.source });
  return {
    name,
    formula: "components * factor + base * duration * share",
    inputs: { components, factor, base, duration, share },
    result: sum("J", [losses, board], { source }),
    source: factor.source,
  };
}

const WHOLE = exact("1", 1, { method: "declared", source: "the whole machine" });

function facilityStep(account: Account, wall: Figure<"J">, pue: Figure<"1">): StepOf<"J"> {
  return {
    name: `${account} energy of the facility`,
    formula: "wall * pue",
    inputs: { wall, pue },
    result: product("J", [wall, pue], { source: `${wall.source}, times PUE` }),
    source: pue.source,
  };
}

export const addsFacility = (pue: Figure<"1">): boolean => pue.value !== 1 || pue.low !== pue.high;
