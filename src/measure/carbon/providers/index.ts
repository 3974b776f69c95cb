// Carbon intensity over time from others. Apart from the rest of carbon/, because what reads a stranger's
// answer needs a schema library that a plain run does not load.

export type { CacheStore } from "./cache.ts";
export {
  type Answer,
  type Client,
  type ClientOptions,
  createClient,
} from "./client.ts";
export { type ElectricityMapsOptions, electricityMaps } from "./electricity-maps.ts";
export { type EntsoeOptions, entsoe } from "./entsoe.ts";
export { type FileOrUrlOptions, fileOrUrl } from "./file-or-url.ts";
export type { IntensityAnswer, IntensityProvider, IntensityQuery } from "./provider.ts";
export { type UkOptions, ukCarbonIntensity } from "./uk-carbon-intensity.ts";
export { type WattTimeOptions, wattTime } from "./watttime.ts";
