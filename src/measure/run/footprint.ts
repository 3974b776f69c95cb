// The rest of a run's footprint: water, the making of the hardware, what the electricity and the carbon
// cost. Each is one step of the chain, from the energy that carries the emissions or from the time that
// the machine was reserved.

import type { Step } from "../../core/card.ts";
import {
  type Figure,
  JOULES_PER_KILOWATT_HOUR,
  product,
  seconds,
  sum,
  type Unit,
} from "../../core/index.ts";
import {
  carbonCost,
  electricityCost,
  embodiedShare,
  type Money,
  type Price,
} from "../carbon/index.ts";

/** What the rest of the footprint is worked out from; a part without its factors is left out. */
export interface FootprintFactors {
  /** Litres on site per kWh of the machines, and of the grid per kWh of the facility. */
  readonly water?: { readonly wue: Figure<"L/kWh">; readonly ewif: Figure<"L/kWh"> };
  /** Making all of the machine, and how long it serves. */
  readonly embodied?: { readonly total: Figure<"gCO2e">; readonly life: Figure<"s"> };
  readonly price?: Price<"money/kWh">;
  readonly carbonPrice?: Price<"money/tCO2e">;
}

/** What a run took beside its energy and emissions. */
export interface Footprint {
  readonly water?: Figure<"L">;
  readonly embodied?: Figure<"gCO2e">;
  readonly cost?: { readonly electricity?: Money; readonly carbon?: Money };
  readonly steps: readonly Step[];
}

export interface FootprintInputs {
  /** The headline energy at the boundary, and before the facility's part was added. */
  readonly facility: Figure<"J">;
  readonly machines: Figure<"J">;
  readonly emissions: Figure<"gCO2e">;
  readonly duration: Figure<"s">;
  /** Reserved part of the machine. */
  readonly share: Figure<"1">;
}

/** Works out every part whose factors are known. */
export function footprintOf(factors: FootprintFactors, inputs: FootprintInputs): Footprint {
  const water = factors.water && waterStep(factors.water, inputs);
  const embodied = factors.embodied && embodiedStep(factors.embodied, inputs);
  const electricity = factors.price && electricityStep(factors.price, inputs.facility);
  const carbon = factors.carbonPrice && carbonStep(factors.carbonPrice, inputs.emissions);
  const steps = [water, embodied, electricity?.step, carbon?.step].filter(
    (step) => step !== undefined,
  );
  const cost = {
    ...(electricity === undefined ? {} : { electricity: electricity.money }),
    ...(carbon === undefined ? {} : { carbon: carbon.money }),
  };
  return {
    ...(water === undefined ? {} : { water: water.result }),
    ...(embodied === undefined ? {} : { embodied: embodied.result }),
    ...(Object.keys(cost).length === 0 ? {} : { cost }),
    steps,
  };
}

type StepOf<U extends Unit> = Step & { readonly result: Figure<U> };

/** E_IT x WUE + E_facility x EWIF, which is Li et al.'s E_IT x (WUE + PUE x EWIF). */
function waterStep(
  { wue, ewif }: NonNullable<FootprintFactors["water"]>,
  { machines, facility }: FootprintInputs,
): StepOf<"L"> {
  const scale = 1 / JOULES_PER_KILOWATT_HOUR;
  const source = `on site: ${wue.source}; electricity: ${ewif.source}`;
  const parts = [
    product("L", [machines, wue], { source: wue.source, scale }),
    product("L", [facility, ewif], { source: ewif.source, scale }),
  ];
  return {
    name: "water",
    formula: `machines * wue / ${JOULES_PER_KILOWATT_HOUR} + facility * ewif / ${JOULES_PER_KILOWATT_HOUR}`,
    inputs: { machines, wue, facility, ewif },
    result: sum("L", parts, { source }),
    source: "Li et al. 2025, section 3: E_IT x (WUE + PUE x EWIF)",
  };
}

function embodiedStep(
  { total, life }: NonNullable<FootprintFactors["embodied"]>,
  { duration, share }: FootprintInputs,
): StepOf<"gCO2e"> {
  const time = seconds(duration.value);
  return {
    name: "embodied emissions",
    formula: "total * duration / life * share",
    inputs: { total, duration, life, share },
    result: embodiedShare({ total, time, life, share: share.value }),
    source: "ISO/IEC 21031:2024, 5.3.4: M = TE x (TiR / EL) x (RR / ToR)",
  };
}

function electricityStep(price: Price<"money/kWh">, facility: Figure<"J">) {
  const money = electricityCost(facility, price);
  const step: Step = {
    name: `cost of electricity, ${money.currency}`,
    formula: `facility * price / ${JOULES_PER_KILOWATT_HOUR}`,
    inputs: { facility, price: price.rate },
    result: money.amount,
    source: "what is billed is the facility's energy",
  };
  return { money, step };
}

function carbonStep(price: Price<"money/tCO2e">, emissions: Figure<"gCO2e">) {
  const money = carbonCost(emissions, price);
  const step: Step = {
    name: `cost of carbon, ${money.currency}`,
    formula: "emissions * price / 1000000",
    inputs: { emissions, price: price.rate },
    result: money.amount,
    source: "1 t = 1,000,000 g, exact",
  };
  return { money, step };
}
