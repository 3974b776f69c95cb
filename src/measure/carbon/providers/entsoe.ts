// ENTSO-E Transparency Platform: actual generation by production type (document A75, process A16), from
// which the mix's intensity follows (mix.ts). Average, location-based, generation only: imports are
// not counted. API guide: https://transparencyplatform.zendesk.com, "Sitemap for Restful API". Data
// may be used with attribution; a token is free on request.

import { type Host, parseCsvTable, UserError } from "../../../core/index.ts";
import { type FactorSet, type GenerationMix, mixIntensity } from "../mix.ts";
import { createSeries, type IntensityPoint } from "../series.ts";
import type { Client } from "./client.ts";
import type { IntensityAnswer, IntensityProvider } from "./provider.ts";
import { DAY, HOUR, instantOf, MINUTE, malformed } from "./provider.ts";
import { readSecret } from "./secret.ts";
import { childrenOf, parseXml, textAt, type XmlElement } from "./xml.ts";

const SERVICE = "ENTSO-E";

/**
 * Sources of the production types (code list StandardAssetTypeList). Pumped and other storage is
 * left out: what it gives back was generated before. Gas from coal counts as coal, whose carbon it is;
 * waste and "other" as unknown.
 */
const SOURCES: Readonly<Record<string, string>> = {
  B01: "biomass",
  B02: "coal",
  B03: "coal",
  B04: "gas",
  B05: "coal",
  B06: "oil",
  B07: "oil",
  B08: "coal",
  B09: "geothermal",
  B11: "hydro",
  B12: "hydro",
  B13: "hydro",
  B14: "nuclear",
  B15: "biomass",
  B16: "solar",
  B17: "unknown",
  B18: "wind",
  B19: "wind",
  B20: "unknown",
};
const STORAGE = new Set(["B10", "B25"]);

export interface EntsoeOptions {
  readonly client: Client;
  /** Emission factors by source, of the scope that is wanted. */
  readonly factors: FactorSet;
  readonly baseUrl?: string;
}

/** One hour's generation by source, MW. */
export interface MixHour {
  readonly start: number;
  readonly mix: GenerationMix;
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

/** Hours in which every type that the document reports has its generation; how many had not. */
export function readGeneration(body: string): {
  readonly hours: readonly MixHour[];
  readonly dropped: number;
} {
  const root = parseOrExplain(body);
  if (root.name === "Acknowledgement_MarketDocument") {
    const reason = textAt(root, "Reason", "text") ?? "no reason given";
    throw new UserError("invalid-input", `${SERVICE} has no such data: ${reason.slice(0, 200)}`, {
      hint: "Check the zone and the time; the newest hours come an hour or two late.",
    });
  }
  if (root.name !== "GL_MarketDocument") throw malformed(SERVICE, `it is a ${root.name}`);
  const types = new Map<string, Map<number, { sum: number; minutes: number }>>();
  for (const series of childrenOf(root, "TimeSeries")) {
    const type = textAt(series, "MktPSRType", "psrType") ?? "";
    // A series out of a zone is what its storage takes up.
    if (STORAGE.has(type) || textAt(series, "outBiddingZone_Domain.mRID") !== null) continue;
    if (SOURCES[type] === undefined) throw malformed(SERVICE, `unknown production type "${type}"`);
    const unit = textAt(series, "quantity_Measure_Unit.name");
    if (unit !== "MAW") throw malformed(SERVICE, `its unit is "${unit}", not MAW`);
    const ofType = types.get(type) ?? new Map<number, { sum: number; minutes: number }>();
    types.set(type, ofType);
    // In a curve of variable blocks (A03) a position that is left out repeats the one before.
    const repeats = textAt(series, "curveType") === "A03";
    for (const period of childrenOf(series, "Period")) addPeriod(ofType, period, repeats);
  }
  return completeHours(types);
}

function completeHours(types: ReadonlyMap<string, ReadonlyMap<number, HourSum>>) {
  const starts = [...new Set([...types.values()].flatMap((hours) => [...hours.keys()]))];
  const hours: MixHour[] = [];
  for (const start of starts.sort((a, b) => a - b)) {
    const mix: Record<string, number> = {};
    const isComplete = [...types].every(([type, ofType]) => {
      const hour = ofType.get(start);
      if (hour === undefined || hour.minutes !== 60) return false;
      const source = SOURCES[type] ?? "unknown";
      // Plants that stand still draw a little; that is no generation.
      mix[source] = (mix[source] ?? 0) + Math.max(0, hour.sum / 60);
      return true;
    });
    if (isComplete) hours.push({ start, mix });
  }
  return { hours, dropped: starts.length - hours.length };
}

interface HourSum {
  /** MW x minutes. */
  sum: number;
  minutes: number;
}

/** Adds a period's points to the hours they lie in. */
function addPeriod(hours: Map<number, HourSum>, period: XmlElement, repeats: boolean): void {
  const start = instantOf(SERVICE, textAt(period, "timeInterval", "start") ?? "");
  const end = instantOf(SERVICE, textAt(period, "timeInterval", "end") ?? "");
  const minutes = Number(/^PT(15|30|60)M$/.exec(textAt(period, "resolution") ?? "")?.[1]);
  const count = (end - start) / (minutes * MINUTE);
  if (!Number.isInteger(count) || count < 1 || count > 40_000) {
    throw malformed(SERVICE, `a period of resolution "${textAt(period, "resolution")}"`);
  }
  const points = new Map(
    childrenOf(period, "Point").map((point) => [
      Number(textAt(point, "position")),
      numberOf(textAt(point, "quantity")),
    ]),
  );
  let value: number | undefined;
  for (let position = 1; position <= count; position++) {
    value = points.get(position) ?? (repeats ? value : undefined);
    if (value === undefined) continue;
    const at = start + (position - 1) * minutes * MINUTE;
    const hour = Math.floor(at / HOUR) * HOUR;
    const sums = hours.get(hour) ?? { sum: 0, minutes: 0 };
    sums.sum += value * minutes;
    sums.minutes += minutes;
    hours.set(hour, sums);
  }
}

function numberOf(text: string | null): number {
  const value = text === null || text === "" ? Number.NaN : Number(text);
  if (Number.isFinite(value)) return value;
  throw malformed(SERVICE, `"${text?.slice(0, 40)}" is no quantity`);
}

function parseOrExplain(body: string): XmlElement {
  try {
    return parseXml(body);
  } catch (cause) {
    throw malformed(SERVICE, cause instanceof Error ? cause.message : "it is no XML", cause);
  }
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
