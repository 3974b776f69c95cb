// Carbon intensity by place and hour, and the rest of the footprint. Providers that ask the network
// are in providers/index.ts, because their schema library is loaded only when they are used.

export { type CloudRegion, cloudRegionOf } from "./cloud.ts";
export { COUNTRY_SOURCE, type Country, findCountry, loadCountries } from "./country-table.ts";
export { carbonCost, electricityCost, type Money, type Price, sumMoney } from "./footprint/cost.ts";
export {
  embodiedShare,
  type Reservation,
  SERVER_LIFE,
  type ServerBuild,
  type ServerParts,
  serverByBuild,
  serverByParts,
  years,
} from "./footprint/embodied.ts";
export { gpuServerResources, PRIMARY_ENERGY_FACTOR, primaryEnergy } from "./footprint/resources.ts";
export {
  AI_BOUNDARY,
  AI_UNITS,
  type AiBoundary,
  type AiPart,
  type AiStage,
  type FunctionalUnit,
  type Sci,
  type SciInputs,
  sci,
  sciForAi,
} from "./footprint/sci.ts";
export { gridWater, type Water, type WaterInputs, waterOf } from "./footprint/water.ts";
export { type EnergySlice, type HourlyEmissions, joinHourly } from "./hourly.ts";
export {
  type Accounting,
  type Basis,
  type Emissions,
  emissionsAt,
  type Intensity,
  intensity,
  intensityOf,
  type Kind,
  meanIntensity,
  ratioOf,
  type Scope,
  sumEmissions,
} from "./intensity.ts";
export { type LocateOptions, locate } from "./locate.ts";
export {
  type FactorSet,
  type FactorSetName,
  type GenerationMix,
  loadFactors,
  mixFigure,
  mixIntensity,
} from "./mix.ts";
export { loadPlaces } from "./place-tables.ts";
export { findPlace, type Place, type PlaceKind } from "./places.ts";
export { type PueOptions, providerPue, providerWue, pueOf } from "./pue.ts";
export { createSeries, type IntensityPoint, type IntensitySeries } from "./series.ts";
