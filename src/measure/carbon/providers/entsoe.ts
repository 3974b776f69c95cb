// ENTSO-E Transparency Platform: actual generation by production type (document A75, process A16), from
// which the mix's intensity follows (mix.ts). Average, location-based, generation only: imports are
// not counted. API guide: https://transparencyplatform.zendesk.com, "Sitemap for Restful API". Data
// may be used with attribution; a token is free on request.

import { type Host, parseCsvTable, UserError } from "../../../core/index.ts";
import { type FactorSet, mixIntensity } from "../mix.ts";
import { createSeries, type IntensityPoint } from "../series.ts";
import type { Client } from "./client.ts";
import { type MixHour, readGeneration } from "./entsoe-generation.ts";
import type { IntensityAnswer, IntensityProvider } from "./provider.ts";
import { DAY, HOUR, MINUTE } from "./provider.ts";
import { readSecret } from "./secret.ts";

const SERVICE = "ENTSO-E";

export interface EntsoeOptions {
  readonly client: Client;
  /** Emission factors by source, of the scope that is wanted. */
  readonly factors: FactorSet;
  readonly baseUrl?: string;
}

/** Zones: a country of data/entsoe-areas, or an EIC code. The token is read from ENTSOE_API_KEY. */
export const entsoe = (
  host: Host,
  { client, factors, baseUrl }: EntsoeOptions,
): IntensityProvider => ({
  name: SERVICE,
  async fetch({ zone, want, from, to }) {
    if (want === "forecast") {
      throw new UserError("unsupported", `${SERVICE} forecasts no generation by all types`, {
        hint: "Use electricity-maps, watttime or uk for forecasts.",
      });
    }
    const token = await readSecret(host, "ENTSOE_API_KEY", {
      service: SERVICE,
      where: "https://transparency.entsoe.eu (an account, then a token on request)",
    });
    const end = Math.floor((to ?? host.wall()) / HOUR) * HOUR;
    const start = Math.floor((from ?? end - DAY) / HOUR) * HOUR;
    const url = new URL(baseUrl ?? "https://web-api.tp.entsoe.eu/api");
    const query = { documentType: "A75", processType: "A16", in_Domain: await eicOf(host, zone) };
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
    url.searchParams.set("periodStart", stamp(start));
    url.searchParams.set("periodEnd", stamp(end));
    const answer = await client.get({
      service: SERVICE,
      url: url.href,
      secretQuery: { securityToken: token.reveal() },
      secrets: [token],
      credential: "ENTSOE_API_KEY",
      // Hours of yesterday and before are still corrected, but seldom.
      freshFor: to === undefined ? 30 * MINUTE : DAY,
      usableFor: 2 * DAY,
    });
    const { hours, dropped } = readGeneration(answer.body);
    return answerOf({ zone, want, hours, dropped, factors, answer });
  },
});

function answerOf(of: {
  readonly zone: string;
  readonly want: "latest" | "history";
  readonly hours: readonly MixHour[];
  readonly dropped: number;
  readonly factors: FactorSet;
  readonly answer: { readonly retrievedAt: number; readonly notices: readonly string[] };
}): IntensityAnswer {
  const points = of.hours.map(
    ({ start, mix }): IntensityPoint => ({
      start,
      end: start + HOUR,
      value: mixIntensity(mix, of.factors),
    }),
  );
  const series = createSeries({
    zone: of.zone,
    kind: "average",
    basis: "location",
    scope: of.factors.scope,
    source: `ENTSO-E generation by type, ${of.zone}, x ${of.factors.source}`,
    points: of.want === "latest" ? points.slice(-1) : points,
  });
  const incomplete = `${SERVICE}: ${of.dropped} hours were left out, for a type is missing there`;
  const notices = of.dropped > 0 ? [...of.answer.notices, incomplete] : of.answer.notices;
  return { series, retrievedAt: of.answer.retrievedAt, notices };
}

/** yyyyMMddHHmm, UTC. */
const stamp = (instant: number): string =>
  new Date(instant).toISOString().replaceAll(/[-T:]/g, "").slice(0, 12);

async function eicOf(host: Host, zone: string): Promise<string> {
  if (/^\d{2}Y[A-Z0-9-]{13}$/.test(zone)) return zone;
  const rows = parseCsvTable(await host.readData("entsoe-areas/areas.csv"));
  const row = rows.find((one) => one["zone"] === zone.toUpperCase());
  if (row?.["eic"] !== undefined) return row["eic"];
  throw new UserError("invalid-input", `${SERVICE} has no area "${zone}"`, {
    hint: `Give an EIC code, or one of ${rows.map((one) => one["zone"]).join(", ")}.`,
  });
}
