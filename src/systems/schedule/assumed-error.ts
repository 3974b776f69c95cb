// The error that is taken for a forecast of which nothing else is known. It is said whenever it is used.

import type { ForecastError } from "./forecast-error.ts";

/**
 * Medians over nine hourly grids (California, PJM, ERCOT, El Paso, MISO, Germany, Poland, Netherlands,
 * Sweden; CarbonCast's data of July to December 2021, life-cycle factors) of the errors of the mean of the
 * last seven days by hour, for a 4-hour job that may start at any hour and must end within 24 h;
 * recomputed in the tests. They differ much between grids: 3 % in El Paso, 17 % in Germany.
 */
export const ASSUMED_ERROR: ForecastError = {
  typical: 0.08,
  low: -0.14,
  high: 0.11,
  level: { low: 0.82, high: 1.2 },
  source: "assumed: that of the 7-day mean by hour, median over nine grids",
};
