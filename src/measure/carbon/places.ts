// A place whose carbon intensity is known, and how one is found by what people call it.

import { suggest, UserError } from "../../core/index.ts";
import type { Scope } from "./intensity.ts";

export type PlaceKind = "country" | "state" | "balancing-area" | "cloud-region" | "grid-zone";

export interface PlaceYear {
  /** gCO2e/kWh, average, location-based. */
  readonly intensity: number;
  readonly scope: Scope;
  readonly year: number;
}

export interface Place extends PlaceYear {
  /** `DE`, `US-CA`, `CISO`, `gcp:europe-west1`, `WORLD`. */
  readonly id: string;
  readonly name: string;
  readonly kind: PlaceKind;
  /** Other spellings of the id, such as `DEU` or `europe-west1`. */
  readonly aliases: readonly string[];
  /** Whose intensity it is; another place's id where that stands for this one. */
  readonly zone: string;
  readonly source: string;
  /** All years that the tables hold, the newest last. */
  readonly years: readonly PlaceYear[];
  /** Why the figure fits this place badly; null when it fits. */
  readonly caveat: string | null;
}

/**
 * The place that an id, an alias or a name stands for, in any case; with `@2021` behind it, in that
 * year. Null for what is unknown. Throws UserError for what is ambiguous or of no such year.
 */
export function lookUpPlace(places: readonly Place[], text: string): Place | null {
  const [wanted = "", year] = text.trim().toLowerCase().split("@");
  const spellings: ((place: Place) => readonly string[])[] = [
    ({ id }) => [id],
    ({ aliases }) => aliases,
    // A city's cloud region must not shadow its country: Ireland is a country.
    ({ kind, name }) => (kind === "cloud-region" ? [] : [name]),
  ];
  for (const spelling of spellings) {
    const found = places.filter((one) => spelling(one).some((it) => it.toLowerCase() === wanted));
    const [place] = found;
    if (place === undefined) continue;
    if (found.length > 1) throw ambiguous(text, found);
    return year === undefined ? place : inYear(place, year);
  }
  return null;
}

/** As `lookUpPlace`; throws UserError with a suggestion for what is unknown as well. */
export function findPlace(places: readonly Place[], text: string): Place {
  const place = lookUpPlace(places, text);
  if (place === null) throw unknownPlace(text, places);
  return place;
}

function inYear(place: Place, wanted: string): Place {
  const found = place.years.find(({ year }) => String(year) === wanted);
  if (found !== undefined) return { ...place, ...found };
  const years = place.years.map(({ year }) => year).join(", ");
  throw new UserError("invalid-input", `${place.id} has no carbon intensity of ${wanted}`, {
    hint: `There is one of ${years}: ${place.id}@${place.year}.`,
  });
}

function ambiguous(text: string, found: readonly Place[]): UserError {
  const ids = found.map(({ id, name }) => `${id} (${name})`);
  return new UserError("invalid-input", `"${text}" may be ${ids.join(" or ")}`, {
    hint: `Give the one that is meant, such as ${found[0]?.id}.`,
  });
}

function unknownPlace(text: string, places: readonly Place[]): UserError {
  // Any country's code is a letter from some other's: that is no hint.
  const spellings = places.flatMap(({ id, aliases, name }) => [id, ...aliases, name]);
  const near = suggest(
    text,
    spellings.filter(({ length }) => length > 3),
  );
  return new UserError("invalid-input", `no carbon intensity is known for "${text}"`, {
    hint: `${near === null ? "" : `Did you mean ${near}? `}Give a country (DE), a US state (US-CA) or a cloud region (aws:eu-west-1); \`godwit zones\` lists all, and the package @tgwf/co2 brings more. Or give the intensity itself with --intensity.`,
  });
}
