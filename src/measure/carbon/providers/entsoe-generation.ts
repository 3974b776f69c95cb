// ENTSO-E's market document of generation (GL_MarketDocument, A75) as hours of a mix. Written for what the
// platform sends: quarter-hours, half-hours or hours, each type for itself, storage among them.

import { UserError } from "../../../core/index.ts";
import type { GenerationMix } from "../mix.ts";
import { HOUR, instantOf, MINUTE, malformed } from "./provider.ts";
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

/** One hour's generation by source, MW. */
export interface MixHour {
  readonly start: number;
  readonly mix: GenerationMix;
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
