// CO2.js (The Green Web Foundation, Apache-2.0) with the Sustainable Web Design Model v4: kWh for each GB
// sent, in use and for making, of data centre, network and device, times the world's mean.

import { carbonIntensity, gramsCO2e, kilowattHours } from "../../core/index.ts";
import {
  answered,
  energyTerm,
  intensityOf,
  type Method,
  nothingOf,
  resultOf,
  round,
  type TermName,
} from "./method.ts";

const MODEL = "sustainablewebdesign.org, estimating digital emissions, v4";
const constant = (value: number) => ({ value, unit: "kWh/GB", source: MODEL });

const CONSTANTS = {
  dataCentre: constant(0.055),
  network: constant(0.059),
  device: constant(0.08),
  dataCentreMaking: constant(0.012),
  networkMaking: constant(0.013),
  deviceMaking: constant(0.081),
  world: { value: 494, unit: "gCO2e/kWh", source: `${MODEL} (Ember 2022)` },
} as const;

const SEGMENTS: readonly (readonly [TermName, "dataCentre" | "network" | "device"])[] = [
  ["supply", "dataCentre"],
  ["network", "network"],
  ["device", "device"],
];

export const co2js: Method = {
  name: "co2js",
  title: "CO2.js, Sustainable Web Design v4",
  version: "0.19",
  scope: "facility",
  source: `thegreenwebfoundation/co2.js; ${MODEL}`,
  constants: CONSTANTS,
  defects: [
    "data sent stands for all computing: a long computation with a short answer costs nothing",
    "making is charged at the world's intensity, wherever things were made",
  ],

  estimate(workload) {
    const { transferGB } = workload;
    if (transferGB === null) return nothingOf("it knows data sent only (--transfer)");
    const making =
      CONSTANTS.dataCentreMaking.value +
      CONSTANTS.networkMaking.value +
      CONSTANTS.deviceMaking.value;
    return resultOf({
      terms: SEGMENTS.map(([name, segment]) => {
        const { value } = CONSTANTS[segment];
        return energyTerm(name, kilowattHours(transferGB * value), {
          formula: `${round(transferGB)} GB x ${value} kWh/GB`,
          basis: `${value} kWh/GB`,
          constants: [segment],
        });
      }),
      intensity: intensityOf(workload, () => {
        const basis = `${CONSTANTS.world.value} gCO2e/kWh, world`;
        const grounds = { formula: basis, basis, constants: ["world"] };
        return answered(carbonIntensity(CONSTANTS.world.value), grounds);
      }),
      embodied: answered(gramsCO2e(transferGB * making * CONSTANTS.world.value), {
        formula: `${round(transferGB)} GB x ${round(making)} kWh/GB x ${CONSTANTS.world.value} g/kWh`,
        basis: "making at the world's mean",
        constants: ["dataCentreMaking", "networkMaking", "deviceMaking", "world"],
      }),
    });
  },
};

/** Version 3 of the model: kWh/GB of the whole, making included, at the world's mean of its time. */
const V3 = { energy: 0.81, world: 472.94 } as const;

/** Grams of a transfer by version 3, which many sites still state. */
export const co2jsV3 = (gigabytes: number): number => gigabytes * V3.energy * V3.world;
