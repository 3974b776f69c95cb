// The Carbon Intensity API of Great Britain's system operator: average, direct, half-hourly, 48 hours of
// forecast, the whole country or one of 17 regions. https://carbon-intensity.github.io/api-definitions;
// factors: NESO, Carbon Intensity Forecast Methodology (operational emissions only). No credential.

import { z } from "zod";
import type { Host } from "../../../core/index.ts";
import { once, UserError } from "../../../core/index.ts";
import { createSeries } from "../series.ts";
import type { Client } from "./client.ts";
import { DAY, type IntensityProvider, instantOf, MINUTE, parseBody } from "./provider.ts";

const SERVICE = "UK Carbon Intensity";

const half = once(() =>
  z.object({
    from: z.string(),
    to: z.string(),
    intensity: z.object({
      forecast: z.number().nullable(),
      /** Only the whole country has one, and only for what has passed. */
      actual: z.number().nullable().optional(),
    }),
  }),
);
const body = once(() => {
  const region = z.object({ data: z.array(half()) });
  return z.object({ data: z.union([z.array(half()), z.array(region).length(1), region]) });
});

export interface UkOptions {
  readonly client: Client;
  readonly baseUrl?: string;
}

/** Zones: `GB`, `region:13` (1 to 17) or `postcode:RG10`. */
export const ukCarbonIntensity = (
  host: Pick<Host, "wall">,
  { client, baseUrl }: UkOptions,
): IntensityProvider => ({
  name: SERVICE,
  async fetch({ zone, want, from, to }) {
    const now = host.wall();
    const start = from ?? (want === "history" ? now - DAY : now);
    const end = to ?? (want === "history" ? now : want === "latest" ? now + 1 : now + 2 * DAY);
    const path = `${minute(start)}/${minute(Math.max(end, start + 30 * MINUTE))}`;
    const answer = await client.get({
      service: SERVICE,
      url: `${baseUrl ?? "https://api.carbonintensity.org.uk"}${pathOf(zone, path)}`,
      freshFor: want === "history" ? DAY : 15 * MINUTE,
      usableFor: DAY,
    });
    const halves = halvesOf(parseBody(SERVICE, answer.body, body()).data);
    // Past half-hours of a region have the forecast alone: then it is what there is, and it is said.
    const points = halves.flatMap(({ from, to, intensity: { actual, forecast } }) => {
      const value = want === "forecast" ? forecast : (actual ?? forecast);
      if (value === null) return [];
      const span = { start: instantOf(SERVICE, from), end: instantOf(SERVICE, to), value };
      const isEstimate = want !== "forecast" && (actual ?? null) === null;
      return [isEstimate ? { ...span, estimated: true } : span];
    });
    const estimated = points.filter((point) => "estimated" in point).length;
    const kept = want === "latest" ? points.filter(({ end }) => end > now).slice(0, 1) : points;
    const series = createSeries({
      zone,
      kind: "average",
      basis: "location",
      scope: "direct",
      source: `Carbon Intensity API (NESO), ${want}, ${zone}`,
      points: kept,
      ...(want === "forecast" ? { issuedAt: answer.retrievedAt } : {}),
    });
    const said = `${SERVICE}: ${estimated} half-hours are forecasts, for no outturn is published`;
    const notices = estimated > 0 ? [...answer.notices, said] : answer.notices;
    return { series, retrievedAt: answer.retrievedAt, notices };
  },
});

/** Times to the half-hour below, so that one half-hour is one entry of the cache. */
const minute = (instant: number): string =>
  `${new Date(Math.floor(instant / (30 * MINUTE)) * 30 * MINUTE).toISOString().slice(0, 16)}Z`;

function pathOf(zone: string, span: string): string {
  const [, kind, name = ""] = /^(region|postcode):([A-Za-z0-9]{1,4})$/.exec(zone) ?? [];
  if (zone === "GB") return `/intensity/${span}`;
  if (kind === "postcode") return `/regional/intensity/${span}/postcode/${name.toUpperCase()}`;
  if (kind === "region" && Number(name) >= 1 && Number(name) <= 17) {
    return `/regional/intensity/${span}/regionid/${Number(name)}`;
  }
  throw new UserError("invalid-input", `${SERVICE} has no zone "${zone}"`, {
    hint: "Give GB, region:1 to region:17, or the first half of a postcode: postcode:RG10.",
  });
}

type Body = z.infer<ReturnType<typeof body>>["data"];

function halvesOf(data: Body): readonly z.infer<ReturnType<typeof half>>[] {
  if (!Array.isArray(data)) return data.data;
  return data.flatMap((one) => ("data" in one ? one.data : [one]));
}
