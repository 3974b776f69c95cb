// What a source of carbon intensities over time is.

import type { z } from "zod";
import { UserError } from "../../../core/index.ts";
import type { IntensitySeries } from "../series.ts";

export interface IntensityQuery {
  /** As the provider spells its zones. */
  readonly zone: string;
  /** The hour that is now, what was, or what is expected. */
  readonly want: "latest" | "history" | "forecast";
  /** Bounds of `history` and `forecast`, milliseconds since 1970 UTC; the provider's own when absent. */
  readonly from?: number;
  readonly to?: number;
}

export interface IntensityAnswer {
  readonly series: IntensitySeries;
  /** Milliseconds since 1970 UTC. */
  readonly retrievedAt: number;
  /** What must be said beside the figure: its age, gaps, estimates. */
  readonly notices: readonly string[];
}

export interface IntensityProvider {
  readonly name: string;
  /** Throws UserError for what cannot be had; it never makes a value up. */
  fetch(query: IntensityQuery): Promise<IntensityAnswer>;
}

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** A body as the schema says it is. Throws UserError that names the service and the first wrong field. */
export function parseBody<T>(service: string, body: string, schema: z.ZodType<T>): T {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch (cause) {
    throw malformed(service, "it is no JSON, or a part of one", cause);
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const where = issue?.path.join(".") || "the whole";
  throw malformed(service, `${where}: ${issue?.message}`);
}

/** An answer that is not what its provider documents. */
export const malformed = (service: string, fault: string, cause?: unknown): UserError =>
  new UserError("network", `the answer of ${service} cannot be read: ${fault}`, {
    hint: "Its interface may have changed; look for a newer godwit, or use another source.",
    cause,
  });

/** Milliseconds of an ISO 8601 time with a zone. Throws UserError for one that leaves the zone open. */
export function instantOf(service: string, text: string): number {
  const hasZone = /(Z|[+-]\d{2}:?\d{2})$/.test(text);
  const instant = hasZone ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(instant)) {
    throw malformed(service, `"${text.slice(0, 40)}" is no time with a zone (2026-01-31T12:00Z)`);
  }
  return instant;
}
