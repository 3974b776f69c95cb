// Water consumed for a computation, on site and where its electricity was generated:
//   W = E_IT x (WUE + PUE x EWIF)
// (Li, Yang, Islam and Ren, Making AI Less "Thirsty", CACM 2025, arXiv:2304.03271, section 3). WUE is
// defined on machine energy (ISO/IEC 30134-9), so PUE multiplies the second term alone.

import {
  type Figure,
  figure,
  type Host,
  parseCsvTable,
  product,
  sum,
  withError,
} from "../../../core/index.ts";

export interface WaterInputs {
  /** Energy of the machines, before PUE. */
  readonly machines: Figure<"J">;
  /** Litres evaporated on site per kWh of machine energy. */
  readonly wue: Figure<"L/kWh">;
  /** Facility energy over machine energy. */
  readonly pue: Figure<"1">;
  /** Litres that the grid consumes per kWh generated. */
  readonly ewif: Figure<"L/kWh">;
}

export interface Water {
  readonly onSite: Figure<"L">;
  readonly offSite: Figure<"L">;
  readonly total: Figure<"L">;
}

const PER_KILOWATT_HOUR = 1 / 3.6e6;

/** Litres of water that were consumed, not withdrawn and given back. */
export function waterOf({ machines, wue, pue, ewif }: WaterInputs): Water {
  const onSite = product("L", [machines, wue], {
    source: "machine energy x WUE",
    scale: PER_KILOWATT_HOUR,
  });
  const offSite = product("L", [machines, pue, ewif], {
    source: "machine energy x PUE x EWIF",
    scale: PER_KILOWATT_HOUR,
  });
  const source = "E_IT x (WUE + PUE x EWIF), Li et al. 2025";
  return { onSite, offSite, total: sum("L", [onSite, offSite], { source }) };
}

const SOURCE = "Li et al. 2025, Table 1";

/** Relative standard deviation of a grid's yearly EWIF for one workload; reservoirs dominate it. */
const GRID_ERROR = 0.4;

/**
 * Litres per kWh that the grid of a place consumes. A place that no table knows gets the mean of the
 * United States with the whole spread of the table, and the reason.
 */
export async function gridWater(host: Host, zone: string): Promise<Figure<"L/kWh">> {
  const rows = parseCsvTable(await host.readData("water/grid.csv"));
  const values = rows.map((row) => Number(row["ewif_l_per_kwh"]));
  const own = rows.find((row) => row["place"] === zone);
  if (own !== undefined) {
    return withError("L/kWh", Number(own["ewif_l_per_kwh"]), GRID_ERROR, {
      method: "declared",
      source: `${SOURCE}: ${own["name"]}`,
    });
  }
  const mean = rows.find((row) => row["place"] === "US");
  return figure(
    "L/kWh",
    Number(mean?.["ewif_l_per_kwh"]),
    { low: Math.min(...values), high: Math.max(...values) },
    {
      method: "declared",
      source: `${SOURCE}: ${mean?.["name"]}`,
      fallbacks: [`no figure of the water of electricity in ${zone}`],
    },
  );
}
