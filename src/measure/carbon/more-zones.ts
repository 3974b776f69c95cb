// Some 350 grid zones beyond the shipped tables (US-CAL-CISO, CA-QC, AU-NSW ...): Electricity Maps' yearly
// means, as the package @tgwf/co2 carries them. Their licence (ODbL) is a share-alike one, so they are not
// shipped: who wants them installs the package, and godwit finds it.

import type { Place } from "./places.ts";

/** Not spelt in the import, so that compilers and bundlers do not ask for what is optional. */
const PACKAGE: string = "@tgwf/co2/data/electricity-maps";

/** The package's shape, of which nothing is taken on trust. */
interface Zone {
  readonly zone?: { readonly zoneName?: unknown };
  readonly carbonIntensity?: { readonly value?: unknown };
}
type Packaged = Readonly<Record<string, { readonly data?: Readonly<Record<string, Zone>> }>>;

/** Zones by the installed package; null when it is not installed. */
export async function loadMoreZones(
  load: () => Promise<unknown> = () => import(PACKAGE),
): Promise<readonly Place[] | null> {
  let loaded: unknown;
  try {
    loaded = await load();
  } catch {
    // Not installed, or not for this Node: then there are the shipped tables.
    return null;
  }
  const zones = new Map<string, Place>();
  const years = Object.entries(loaded as Packaged).sort(([a], [b]) => (a < b ? -1 : 1));
  for (const [name, { data = {} }] of years) {
    const year = Number(/^yearly(\d{4})$/.exec(name)?.[1]);
    if (Number.isNaN(year)) continue;
    for (const [id, zone] of Object.entries(data)) {
      const place = placeOf(id, year, zone);
      if (place === null) continue;
      zones.set(id, { ...place, years: [...(zones.get(id)?.years ?? []), ...place.years] });
    }
  }
  return [...zones.values()];
}

function placeOf(id: string, year: number, { zone, carbonIntensity }: Zone): Place | null {
  const value = carbonIntensity?.value;
  if (typeof value !== "number" || !(value >= 0 && value < 2000)) return null;
  const own = { intensity: value, scope: "life-cycle", year } as const;
  return {
    id,
    name: typeof zone?.zoneName === "string" ? zone.zoneName : id,
    kind: "grid-zone",
    aliases: [],
    zone: id,
    source: "Electricity Maps yearly means by @tgwf/co2, ODbL",
    caveat: null,
    ...own,
    years: [own],
  };
}
