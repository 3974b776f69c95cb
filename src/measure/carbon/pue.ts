// Power usage effectiveness: facility energy per energy of the machines in it (ISO/IEC 30134-2), and
// water usage effectiveness: litres evaporated on site per kWh of machine energy (ISO/IEC 30134-9).

import {
  exact,
  type Figure,
  figure,
  type Host,
  parseCsvTable,
  type Unit,
  UserError,
  withError,
} from "../../core/index.ts";

/** Above this a facility would spend over four fifths of its energy on itself. */
const HIGHEST_PUE = 5;

export interface PueOptions {
  /** A value that was given. */
  readonly declared?: number;
  /** A desktop or a laptop: outside a data centre nothing is added. */
  readonly personal: boolean;
}

/** The PUE that applies. Throws UserError when the declared one cannot be right. */
export function pueOf({ declared, personal }: PueOptions): Figure<"1"> {
  if (declared !== undefined) {
    if (!(declared >= 1 && declared <= HIGHEST_PUE)) {
      throw new UserError("invalid-input", `a PUE of ${declared} cannot be right`, {
        hint: `PUE is facility energy over machine energy: 1 or more, at most ${HIGHEST_PUE}.`,
      });
    }
    return exact("1", declared, { method: "declared", source: "PUE as given" });
  }
  if (personal) {
    return exact("1", 1, { method: "declared", source: "PUE 1: not in a data centre" });
  }
  // Uptime Institute, Global Data Center Survey 2024: mean 1.56. The interval runs from large
  // operators' published fleets (Google 2023: 1.10) to small server rooms.
  return figure(
    "1",
    1.56,
    { low: 1.1, high: 2 },
    {
      method: "declared",
      source: "Uptime Institute survey mean, 2024",
      fallbacks: ["no PUE was given for this data centre (--pue)"],
    },
  );
}

/**
 * Relative standard deviation of a provider's own figure for a workload of one customer: sites differ, and
 * what is published is the mean of the provider's large ones.
 */
const PROVIDER_ERROR = { pue: 0.05, wue: 0.4 } as const;

const UNIT_OF = { pue: "1", wue: "L/kWh" } as const;

/** The PUE that a provider publishes, of the region where there is one; null when it publishes none. */
export const providerPue = (host: Host, provider: string, region?: string) =>
  published(host, "pue", { provider, region: region ?? "" });

/** The on-site WUE that a provider publishes, litres per kWh of machine energy. */
export const providerWue = (host: Host, provider: string, region?: string) =>
  published(host, "wue", { provider, region: region ?? "" });

async function published<M extends keyof typeof UNIT_OF>(
  host: Host,
  metric: M,
  of: { readonly provider: string; readonly region: string },
): Promise<Figure<(typeof UNIT_OF)[M]> | null> {
  const rows = parseCsvTable(await host.readData("data-centres/effectiveness.csv")).filter(
    (row) => row["provider"] === of.provider.toLowerCase() && row["metric"] === metric,
  );
  const own = rows.find((row) => row["region"] === of.region);
  const row = own ?? rows.find((one) => one["region"] === "");
  if (row === undefined) return null;
  const unit: Unit & (typeof UNIT_OF)[M] = UNIT_OF[metric];
  const origin = { method: "declared", source: `${row["source"]}; ${row["year"]}` } as const;
  const found = withError(unit, Number(row["value"]), PROVIDER_ERROR[metric], origin);
  // No facility uses less than its machines do.
  if (metric !== "pue" || found.low >= 1) return found;
  return figure(unit, found.value, { low: 1, high: found.high }, origin);
}
