// Which carbon intensity applies here, and which rung of the ladder answered: an intensity that was
// given, a place that was given, the cloud region that the environment proves (the metadata service only
// when allowed), the project's settings, the system's time zone, and last the world's mean with a wide
// interval. A country is never invented: a time zone of no country (UTC) leads to the world's mean.

import type { Signal } from "../../core/card.ts";
import { exact, figure, type Host, UserError, withError } from "../../core/index.ts";
import { askMetadata, type CloudRegion, cloudRegionOf } from "./cloud.ts";
import { countryOfTimeZone } from "./country-table.ts";
import { HIGHEST_INTENSITY, LOWEST_INTENSITY } from "./intensity-limits.ts";
import { loadMoreZones } from "./more-zones.ts";
import { loadPlaces } from "./place-tables.ts";
import { findPlace, lookUpPlace, type Place } from "./places.ts";

/**
 * Relative standard deviation of an hour's intensity around the yearly mean of its place: what
 * using the mean costs when the hour is not known (docs/methods/carbon.md).
 */
const YEARLY_MEAN_ERROR = 0.3;

/** The same where the mean is that of a larger place whose grids differ much. */
const POOR_FIT_ERROR = 0.8;

/** Lowest and highest yearly means of large grids: what "anywhere" may be. */
const ANYWHERE = { low: 20, high: 900 };

export interface LocateOptions {
  /** Carbon intensity that was given, gCO2e/kWh. */
  readonly intensity?: number;
  /**
   * Place that was given: a country (`DE`, `Germany`), a US state (`US-CA`), a balancing area
   * (`CISO`), a cloud region (`eu-west-1`, `gcp:europe-west1@2021`), or `WORLD`.
   */
  readonly location?: string;
  /** Where the given value came from, for the card: `--location`, an environment variable. */
  readonly given?: string;
  /** Whether the metadata services of clouds may be asked; they are not unless this is true. */
  readonly metadata?: boolean;
  /** Place of the project's settings: below what the environment proves, above the time zone. */
  readonly config?: { readonly location: string; readonly given: string };
}

/** The signal that applies. Throws UserError when what was given cannot be right. */
export async function locate(host: Host, options: LocateOptions = {}): Promise<Signal> {
  const given = options.given ?? "given";
  if (options.intensity !== undefined) return declaredSignal(options.intensity, given);

  const places = await loadPlaces(host);
  if (options.location !== undefined) {
    return placeSignal(await anyPlace(places, options.location, options.given), given);
  }
  const passedOver: string[] = [];
  const cloud = await cloudRung(host, options.metadata === true, passedOver);
  if (cloud !== null) {
    const region = placeOf(places, `${cloud.provider}:${cloud.region}`);
    if (region !== null) return placeSignal(region, `by ${cloud.from}`, passedOver);
    passedOver.push(`cloud region ${cloud.provider}:${cloud.region} is in no table`);
  }
  if (options.config !== undefined) {
    const { location, given: from } = options.config;
    return placeSignal(await anyPlace(places, location, from), from, passedOver);
  }
  const { timeZone } = host.facts;
  const code = await countryOfTimeZone(host, timeZone);
  const guess = code === null ? null : placeOf(places, code);
  if (guess !== null) return placeSignal(guess, `guessed from time zone ${timeZone}`, passedOver);
  const reason = `no location given and time zone ${timeZone} names no country`;
  return worldSignal(findPlace(places, "WORLD"), reason, passedOver);
}

/** A place of the shipped tables, else a zone of the optional package. Errors tell where it was given. */
async function anyPlace(
  places: readonly Place[],
  text: string,
  given: string | undefined,
): Promise<Place> {
  try {
    return await placeNamed(places, text);
  } catch (error) {
    if (given === undefined || !(error instanceof UserError)) throw error;
    const { code, message, hint } = error;
    throw new UserError(code, `${message} (given ${given})`, { hint, cause: error });
  }
}

async function placeNamed(places: readonly Place[], text: string): Promise<Place> {
  const known = lookUpPlace(places, text);
  if (known !== null) return known;
  const zones = await loadMoreZones();
  const zone = zones === null ? null : lookUpPlace(zones, text);
  if (zone !== null) return zone;
  // Throws: unknown, with the nearest that there is.
  return findPlace([...places, ...(zones ?? [])], text);
}

async function cloudRung(
  host: Host,
  metadata: boolean,
  passedOver: string[],
): Promise<CloudRegion | null> {
  const proven = cloudRegionOf(host.env);
  if (proven !== null || !metadata) return proven;
  const asked = await askMetadata(host);
  if ("region" in asked) return asked.region;
  passedOver.push(asked.reason);
  return null;
}

const placeOf = (places: readonly Place[], id: string): Place | null =>
  places.find((place) => place.id === id) ?? null;

function declaredSignal(intensity: number, given: string): Signal {
  if (!Number.isFinite(intensity) || intensity < 0 || intensity > HIGHEST_INTENSITY) {
    throw new UserError(
      "invalid-input",
      `carbon intensity ${intensity} gCO2e/kWh ${given} cannot be right`,
      {
        hint: `Give grams of CO2e per kWh between 0 and ${HIGHEST_INTENSITY}, such as 380.`,
      },
    );
  }
  if (intensity > 0 && intensity < LOWEST_INTENSITY) {
    const message = `carbon intensity ${intensity} ${given} looks like kg per kWh`;
    throw new UserError("invalid-input", message, {
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

/** The signal of a place's yearly mean. */
function placeSignal(place: Place, how: string, passedOver: readonly string[] = []): Signal {
  const name = place.kind === "cloud-region" ? `${place.name} (${place.id})` : place.name;
  const rung = `${name}, ${how}`;
  if (place.id === "WORLD") return worldSignal(place, rung, passedOver);
  const fallbacks = place.caveat === null ? passedOver : [...passedOver, place.caveat];
  const error = place.caveat === null ? YEARLY_MEAN_ERROR : POOR_FIT_ERROR;
  return {
    intensity: withError("gCO2e/kWh", place.intensity, error, {
      method: "declared",
      source: `${place.source}; ${place.year}`,
      fallbacks,
    }),
    kind: "average",
    basis: "location",
    scope: place.scope,
    zone: place.zone,
    year: place.year,
    rung,
  };
}

function worldSignal(world: Place, reason: string, passedOver: readonly string[]): Signal {
  return {
    intensity: figure("gCO2e/kWh", world.intensity, ANYWHERE, {
      method: "declared",
      source: `${world.source}; ${world.year}`,
      fallbacks: [...passedOver, reason],
    }),
    kind: "average",
    basis: "location",
    scope: "life-cycle",
    zone: "WORLD",
    year: world.year,
    rung: `world mean: ${reason}`,
  };
}
