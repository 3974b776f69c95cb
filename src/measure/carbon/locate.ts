// Which carbon intensity applies here, and which rung of the ladder answered: an intensity that was
// given, a place that was given, the system's time zone, and last the world's mean with a wide
// interval. A country is never invented: a time zone of no country (UTC) leads to the world's mean.

import type { Signal } from "../../core/card.ts";
import { exact, figure, type Host, suggest, UserError, withError } from "../../core/index.ts";
import {
  COUNTRY_SOURCE,
  type Country,
  countryOfTimeZone,
  findCountry,
  loadCountries,
} from "./country-table.ts";

/**
 * Relative standard deviation of an hour's intensity around the yearly mean of its country: what
 * using the mean costs when the hour is not known (docs/methods/carbon.md).
 */
const YEARLY_MEAN_ERROR = 0.3;

/** Lowest and highest yearly means of large grids: what "anywhere" may be. */
const ANYWHERE = { low: 20, high: 900 };

/** Above this no grid is known. */
const HIGHEST_INTENSITY = 2000;

/** Below this no grid is known either, short of a declared zero: the value is in kg. */
const LOWEST_INTENSITY = 2;

export interface LocateOptions {
  /** Carbon intensity that was given, gCO2e/kWh. */
  readonly intensity?: number;
  /** Place that was given: ISO 3166 code or English name of a country, or `WORLD`. */
  readonly location?: string;
  /** Where the given value came from, for the card: `--location`, an environment variable. */
  readonly given?: string;
}

/** The signal that applies. Throws UserError when what was given cannot be right. */
export async function locate(host: Host, options: LocateOptions = {}): Promise<Signal> {
  const given = options.given ?? "given";
  if (options.intensity !== undefined) return declaredSignal(options.intensity, given);

  const countries = await loadCountries(host);
  if (options.location !== undefined) {
    const country = findCountry(countries, options.location);
    if (country === null) throw unknownPlace(options.location, countries);
    return countrySignal(country, `${country.name}, ${given}`);
  }
  const { timeZone } = host.facts;
  const code = await countryOfTimeZone(host, timeZone);
  const guess = code === null ? null : findCountry(countries, code);
  if (guess !== null)
    return countrySignal(guess, `${guess.name}, guessed from time zone ${timeZone}`);
  return worldSignal(countries, `no location given and time zone ${timeZone} names no country`);
}

function declaredSignal(intensity: number, given: string): Signal {
  if (!Number.isFinite(intensity) || intensity < 0 || intensity > HIGHEST_INTENSITY) {
    throw new UserError(
      "invalid-input",
      `carbon intensity ${intensity} gCO2e/kWh cannot be right`,
      {
        hint: `Give grams of CO2e per kWh between 0 and ${HIGHEST_INTENSITY}, such as 380.`,
      },
    );
  }
  if (intensity > 0 && intensity < LOWEST_INTENSITY) {
    throw new UserError("invalid-input", `carbon intensity ${intensity} looks like kg per kWh`, {
      hint: `Give grams: ${intensity * 1000} gCO2e/kWh.`,
    });
  }
  const origin = { method: "declared", source: given } as const;
  return {
    intensity: exact("gCO2e/kWh", intensity, origin),
    kind: "average",
    basis: "location",
    scope: "unknown",
    zone: "declared",
    rung: `intensity ${given}`,
  };
}

function countrySignal(country: Country, rung: string): Signal {
  if (country.iso2 === "WORLD") return worldSignal([country], rung);
  const origin = { method: "declared", source: `${COUNTRY_SOURCE}; ${country.year}` } as const;
  return {
    intensity: withError("gCO2e/kWh", country.intensity, YEARLY_MEAN_ERROR, origin),
    kind: "average",
    basis: "location",
    scope: "life-cycle",
    zone: country.iso2,
    year: country.year,
    rung,
  };
}

function worldSignal(countries: readonly Country[], reason: string): Signal {
  const world = findCountry(countries, "WORLD");
  if (world === null) throw new Error("the shipped country table has no WORLD row");
  return {
    intensity: figure("gCO2e/kWh", world.intensity, ANYWHERE, {
      method: "declared",
      source: `${COUNTRY_SOURCE}; ${world.year}`,
      fallbacks: [reason],
    }),
    kind: "average",
    basis: "location",
    scope: "life-cycle",
    zone: "WORLD",
    year: world.year,
    rung: `world mean: ${reason}`,
  };
}

function unknownPlace(place: string, countries: readonly Country[]): UserError {
  const near = suggest(
    place,
    countries.flatMap(({ iso2, iso3, name }) => [iso2, iso3, name]),
  );
  return new UserError("invalid-input", `no carbon intensity is known for "${place}"`, {
    hint: `${near === null ? "" : `Did you mean ${near}? `}Give an ISO 3166 country code, such as DE, or the intensity itself with --intensity.`,
  });
}
