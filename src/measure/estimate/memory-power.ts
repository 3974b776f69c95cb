// Power of main memory by its size, whatever it does. The literature spans a factor of twenty:
// 0.02 W/GB marginal (Green Algorithms, issue 14), 0.19 idle to 0.54 active (HotCarbon 2024), 0.284
// (Boavizta), 0.3725 (Green Algorithms), 0.392 (Cloud Carbon Footprint). 0.22 is what a linear fit to
// SPECpower systems gives; the interval keeps nearly all of the others.

import { type Figure, figure } from "../../core/index.ts";

/** Watts per gigabyte with its 90 % interval. */
const MEMORY_WATTS_PER_GB = { value: 0.22, low: 0.05, high: 0.45 } as const;

/** Power of memory of a size in gigabytes (10^9 bytes). */
export function memoryPower(gigabytes: number): Figure<"W"> {
  const { value, low, high } = MEMORY_WATTS_PER_GB;
  return figure(
    "W",
    gigabytes * value,
    { low: gigabytes * low, high: gigabytes * high },
    { method: "estimated", source: `${value} W/GB x ${gigabytes.toPrecision(3)} GB` },
  );
}
