// WattTime, API v3: marginal operating emissions rate (co2_moer) in 5-minute steps, measured or forecast.
// https://docs.watttime.org. A user name and a password give a token for half an hour; without a
// subscription only the region CAISO_NORTH can be read. Marginal rates answer "what changes when I
// use more now"; they are never an average and never added to one.

import { z } from "zod";
import { type Host, once, reasonOf, UserError } from "../../../core/index.ts";
import { createSeries } from "../series.ts";
import type { Answer, Client } from "./client.ts";
import {
  DAY,
  HOUR,
  type IntensityProvider,
  instantOf,
  MINUTE,
  malformed,
  parseBody,
} from "./provider.ts";
import { readSecret, type Secret, secret } from "./secret.ts";

const SERVICE = "WattTime";
const CREDENTIAL = "WATTTIME_USER and WATTTIME_PASSWORD";

/** Exact: the international avoirdupois pound is 453.59237 g. */
const GRAMS_PER_POUND = 453.59237;
const POUNDS_PER_MEGAWATT_HOUR = GRAMS_PER_POUND / 1000;

const login = once(() => z.object({ token: z.string().min(1) }));
const rates = once(() =>
  z.object({
    data: z.array(z.object({ point_time: z.string(), value: z.number() })),
    meta: z.object({
      region: z.string(),
      signal_type: z.string(),
      units: z.string(),
      data_point_period_seconds: z.number().positive().optional(),
      generated_at: z.string().optional(),
    }),
  }),
);

export interface WattTimeOptions {
  readonly client: Client;
  readonly baseUrl?: string;
}

/** The credential is read from WATTTIME_USER and WATTTIME_PASSWORD, or the files that ..._FILE name. */
export function wattTime(host: Host, { client, baseUrl }: WattTimeOptions): IntensityProvider {
  const base = baseUrl ?? "https://api.watttime.org";
  let token: Secret | null = null;

  const signIn = async (): Promise<Secret> => {
    const where = { service: SERVICE, where: "https://docs.watttime.org (register)" };
    const user = await readSecret(host, "WATTTIME_USER", where);
    const password = await readSecret(host, "WATTTIME_PASSWORD", where);
    const pair = secret(`${user.reveal()}:${password.reveal()}`);
    const { body } = await client.get({
      service: SERVICE,
      url: `${base}/login`,
      headers: { authorization: `Basic ${toBase64(pair.reveal())}` },
      secrets: [pair, password, secret(toBase64(pair.reveal()))],
      credential: CREDENTIAL,
      freshFor: 0,
    });
    return secret(parseBody(SERVICE, body, login()).token);
  };

  /** With the token at hand; once more with a new one when that has run out. */
  const ask = async (url: string, freshFor: number): Promise<Answer> => {
    const isNew = token === null;
    const current = token ?? (await signIn());
    token = current;
    try {
      return await client.get({
        service: SERVICE,
        url,
        headers: { authorization: `Bearer ${current.reveal()}` },
        secrets: [current],
        credential: CREDENTIAL,
        freshFor,
        usableFor: DAY,
      });
    } catch (error) {
      const isRefused = error instanceof UserError && error.code === "denied";
      if (!isRefused || isNew) throw error;
      token = null;
      return ask(url, freshFor);
    }
  };

  return {
    name: SERVICE,
    async fetch({ zone, want, from, to }) {
      const url = new URL(`${base}/v3/${want === "history" ? "historical" : "forecast"}`);
      url.searchParams.set("region", zone);
      url.searchParams.set("signal_type", "co2_moer");
      if (want === "history") {
        const end = to ?? host.wall();
        url.searchParams.set("start", new Date(from ?? end - DAY).toISOString());
        url.searchParams.set("end", new Date(end).toISOString());
      }
      const answer = await ask(url.href, want === "history" ? HOUR : 5 * MINUTE);
      const { data, meta } = parseBody(SERVICE, answer.body, rates());
      if (meta.units !== "lbs_co2_per_mwh") {
        throw malformed(SERVICE, `its unit is "${meta.units}", not lbs_co2_per_mwh`);
      }
      if (meta.region !== zone || meta.signal_type !== "co2_moer") {
        throw malformed(SERVICE, `it is ${meta.signal_type} of ${meta.region}`);
      }
      const period = (meta.data_point_period_seconds ?? 300) * 1000;
      const points = data.map(({ point_time, value }) => {
        const start = instantOf(SERVICE, point_time);
        return { start, end: start + period, value: value * POUNDS_PER_MEGAWATT_HOUR };
      });
      const series = createSeries({
        zone,
        kind: "marginal",
        basis: "location",
        scope: "direct",
        source: `WattTime v3, co2_moer, ${want}, ${zone}`,
        points: want === "latest" ? points.slice(0, 1) : points,
        ...(meta.generated_at === undefined || want === "history"
          ? {}
          : { issuedAt: instantOf(SERVICE, meta.generated_at) }),
      });
      return { series, retrievedAt: answer.retrievedAt, notices: answer.notices };
    },
  };
}

/** Base64 of the UTF-8 bytes, as RFC 7617 allows for user names beyond ASCII. */
function toBase64(text: string): string {
  try {
    return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
  } catch (cause) {
    throw new UserError("denied", `${CREDENTIAL} cannot be sent: ${reasonOf(cause)}`, {
      hint: "Set both to plain text.",
    });
  }
}
