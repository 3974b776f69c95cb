// Electricity Maps, API v3: hourly flow-traced average carbon intensity, measured, estimated or forecast.
// https://app.electricitymaps.com/docs. The free plan covers one zone; a credential is always needed.

import { z } from "zod";
import { type Host, once } from "../../../core/index.ts";
import { createSeries, type IntensityPoint } from "../series.ts";
import type { Client } from "./client.ts";
import {
  DAY,
  HOUR,
  type IntensityProvider,
  instantOf,
  MINUTE,
  malformed,
  parseBody,
} from "./provider.ts";
import { readSecret } from "./secret.ts";

const SERVICE = "Electricity Maps";

const hour = once(() =>
  z.object({
    datetime: z.string(),
    /** Null where the provider has nothing for this hour. */
    carbonIntensity: z.number().nullable(),
    isEstimated: z.boolean().optional(),
    emissionFactorType: z.string().optional(),
  }),
);
const latest = once(() => hour().extend({ zone: z.string() }));
const history = once(() => z.object({ zone: z.string(), history: z.array(hour()) }));
const range = once(() => z.object({ zone: z.string(), data: z.array(hour()) }));
const forecast = once(() =>
  z.object({
    zone: z.string(),
    forecast: z.array(hour()),
    updatedAt: z.string().optional(),
  }),
);

export interface ElectricityMapsOptions {
  readonly client: Client;
  /** Life-cycle unless given. */
  readonly scope?: "life-cycle" | "direct";
  readonly baseUrl?: string;
}

/** The credential is read from ELECTRICITY_MAPS_TOKEN or ELECTRICITY_MAPS_TOKEN_FILE. */
export const electricityMaps = (
  host: Host,
  { client, scope = "life-cycle", baseUrl }: ElectricityMapsOptions,
): IntensityProvider => ({
  name: SERVICE,
  async fetch({ zone, want, from, to }) {
    const token = await readSecret(host, "ELECTRICITY_MAPS_TOKEN", {
      service: SERVICE,
      where: "https://portal.electricitymaps.com",
    });
    const isRange = want === "history" && from !== undefined && to !== undefined;
    const url = new URL(
      `${baseUrl ?? "https://api.electricitymaps.com"}/v3/carbon-intensity/${isRange ? "past-range" : want}`,
    );
    url.searchParams.set("zone", zone);
    const factors = scope === "direct" ? "direct" : "lifecycle";
    url.searchParams.set("emissionFactorType", factors);
    if (isRange) {
      url.searchParams.set("start", new Date(from).toISOString());
      url.searchParams.set("end", new Date(to).toISOString());
    }
    const answer = await client.get({
      service: SERVICE,
      url: url.href,
      headers: { "auth-token": token.reveal() },
      secrets: [token],
      credential: "ELECTRICITY_MAPS_TOKEN",
      freshFor: want === "history" ? DAY : 15 * MINUTE,
      usableFor: DAY,
    });
    const { hours, zone: answered, issuedAt } = read(answer.body, isRange ? "range" : want);
    if (answered !== zone) throw malformed(SERVICE, `it is about ${answered}, not ${zone}`);
    const other = hours.find(({ emissionFactorType: type }) => type && type !== factors);
    if (other !== undefined) {
      throw malformed(SERVICE, `it has ${other.emissionFactorType} factors, not ${factors}`);
    }
    const points = hours.flatMap(pointOf);
    const series = createSeries({
      zone,
      kind: "average",
      basis: "location",
      scope,
      source: `Electricity Maps v3, ${want}, ${zone}`,
      points,
      ...(issuedAt === undefined ? {} : { issuedAt: instantOf(SERVICE, issuedAt) }),
    });
    const notices = [...answer.notices, ...gapNotices(hours.length - points.length, points)];
    return { series, retrievedAt: answer.retrievedAt, notices };
  },
});

function read(body: string, shape: "latest" | "history" | "forecast" | "range") {
  switch (shape) {
    case "latest": {
      const { zone, ...one } = parseBody(SERVICE, body, latest());
      return { zone, hours: [one], issuedAt: undefined };
    }
    case "history": {
      const parsed = parseBody(SERVICE, body, history());
      return { zone: parsed.zone, hours: parsed.history, issuedAt: undefined };
    }
    case "range": {
      const parsed = parseBody(SERVICE, body, range());
      return { zone: parsed.zone, hours: parsed.data, issuedAt: undefined };
    }
    case "forecast": {
      const parsed = parseBody(SERVICE, body, forecast());
      return { zone: parsed.zone, hours: parsed.forecast, issuedAt: parsed.updatedAt };
    }
    default:
      return shape satisfies never;
  }
}

function pointOf({ datetime, carbonIntensity, isEstimated }: z.infer<ReturnType<typeof hour>>) {
  if (carbonIntensity === null) return [];
  const start = instantOf(SERVICE, datetime);
  const point: IntensityPoint = { start, end: start + HOUR, value: carbonIntensity };
  return [isEstimated === true ? { ...point, estimated: true } : point];
}

function gapNotices(gaps: number, points: readonly IntensityPoint[]): readonly string[] {
  const estimated = points.filter((point) => point.estimated).length;
  return [
    ...(gaps > 0 ? [`${SERVICE}: ${gaps} hours have no value`] : []),
    ...(estimated > 0 ? [`${SERVICE}: ${estimated} hours are the provider's estimates`] : []),
  ];
}
