// Faults of services that tell a grid's carbon intensity, by a real server on this machine: slow, busy,
// broken, lying.

import type { IncomingMessage, ServerResponse } from "node:http";
import type { Signal } from "../../src/core/card.ts";
import { createNodeHost } from "../../src/core/host/node-host.ts";
import { withError } from "../../src/core/index.ts";
import {
  type CacheStore,
  createClient,
  electricityMaps,
  type IntensityAnswer,
} from "../../src/measure/carbon/providers/index.ts";
import { startServer } from "../http-server.ts";
import { powercap } from "./counter-machines.ts";
import type { Fault, Rig } from "./fault.ts";

/** Milliseconds for an answer that comes, however busy this machine is; and for one that never does. */
const PATIENCE = { answered: 10_000, hanging: 100 } as const;

/** Relative standard deviation of an hour's intensity, as for the hourly join. */
const HOURLY_ERROR = 0.08;

interface Asked {
  readonly answer: (request: IncomingMessage, response: ServerResponse) => void;
  readonly store?: CacheStore;
  readonly offline?: boolean;
  /** No answer comes, or not all of one. */
  readonly hangs?: true;
}

/** The run's signal is the latest hour that a service tells. */
const asking =
  (how: Asked) =>
  (rig: Rig): void => {
    rig.prepare = async () => {
      const { url } = await startServer(how.answer);
      const host = {
        ...rig.host,
        env: { ELECTRICITY_MAPS_TOKEN: "token" },
        fetch: createNodeHost().fetch,
      };
      const client = createClient({
        host,
        attempts: 2,
        timeout: how.hangs ? PATIENCE.hanging : PATIENCE.answered,
        random: () => 0,
        ...(how.store === undefined ? {} : { store: how.store }),
        offline: how.offline ?? false,
      });
      const provider = electricityMaps(host, { client, baseUrl: how.store ? KEPT_AT : url });
      const answer = await provider.fetch({ zone: "XX", want: "latest" });
      rig.notes.push(...answer.notices);
      return { signal: signalOf(answer) };
    };
  };

function signalOf({ series }: IntensityAnswer): Signal {
  const [hour] = series.points;
  if (hour === undefined) throw new RangeError("a series without hours");
  const { kind, basis, scope, zone, source } = series;
  const intensity = withError("gCO2e/kWh", hour.value, HOURLY_ERROR, {
    method: "declared",
    source,
  });
  return { intensity, kind, basis, scope, zone, rung: source };
}

const HOUR = {
  zone: "XX",
  datetime: "2026-01-01T00:00:00.000Z",
  carbonIntensity: 360,
  isEstimated: false,
  emissionFactorType: "lifecycle",
};

/** The service answers this, always. */
const body =
  (content: unknown, status = 200, headers: Record<string, string> = {}) =>
  (_: IncomingMessage, response: ServerResponse): void => {
    response.writeHead(status, headers);
    response.end(typeof content === "string" ? content : JSON.stringify(content));
  };

/** An address at which nothing answers, for what was kept. */
const KEPT_AT = "http://127.0.0.1:9";

/** A cache with an answer of so many hours ago. */
const kept = (hours: number): CacheStore => ({
  read: async () =>
    JSON.stringify({
      schema: "godwit.cache/1",
      body: JSON.stringify(HOUR),
      retrievedAt: Date.UTC(2026, 0, 1) - hours * 3_600_000,
    }),
  write: async () => {},
});

const fault = (
  name: string,
  how: Asked,
  why: string,
  expect: Fault["expect"] = "refused",
): Fault => ({
  name,
  on: powercap,
  inject: asking(how),
  expect,
  why,
});

export const networkFaults: readonly Fault[] = [
  fault(
    "the service does not answer",
    { answer: () => {}, hangs: true },
    "the wait has an end, and no intensity is made up",
  ),
  fault(
    "the service hangs in the middle of its answer",
    {
      answer: (_, response) => {
        response.writeHead(200);
        response.write('{"zone": "XX", ');
      },
      hangs: true,
    },
    "the wait has an end for the whole answer",
  ),
  fault(
    "the service breaks the connection",
    { answer: (request) => void request.socket.destroy() },
    "no intensity is made up",
  ),
  fault(
    "the service asks to slow down, always",
    { answer: body("", 429, { "retry-after": "3600" }) },
    "an hour is longer than anyone waits for a card",
  ),
  fault("the service has a fault", { answer: body("", 503) }, "it is asked again, and then not"),
  fault(
    "the service refuses the credential",
    { answer: body("", 401) },
    "the variable is named, and the credential is not",
  ),
  fault(
    "a sign-in page answers for the service",
    { answer: body("<!doctype html><html><body>Welcome to Hotel WiFi</body></html>") },
    "a web page holds no intensity",
  ),
  fault(
    "the answer is truncated",
    { answer: body('{"zone":"XX","datetime":"2026-01-01T00:00:00.000Z","carbonIntensity":36') },
    "36 is the beginning of 360",
  ),
  fault(
    "the answer is in kilograms",
    { answer: body({ ...HOUR, carbonIntensity: 0.36 }) },
    "0.36 g/kWh is cleaner than any grid",
  ),
  fault(
    "the answer is per megawatt-hour in grams",
    { answer: body({ ...HOUR, carbonIntensity: 360_000 }) },
    "no grid is that dirty",
  ),
  fault(
    "the answer is negative",
    { answer: body({ ...HOUR, carbonIntensity: -360 }) },
    "no grid takes carbon back",
  ),
  fault(
    "the answer is a text",
    { answer: body({ ...HOUR, carbonIntensity: "360" }) },
    "the interface promises a number",
  ),
  fault(
    "the answer is null",
    { answer: body({ ...HOUR, carbonIntensity: null }) },
    "null is how the service says that it does not know",
  ),
  fault(
    "the answer is about another zone",
    { answer: body({ ...HOUR, zone: "FR" }) },
    "another grid's intensity would be wrong without a sign",
  ),
  fault(
    "the answer has other factors than were asked for",
    { answer: body({ ...HOUR, emissionFactorType: "direct" }) },
    "direct emissions are no life-cycle emissions",
  ),
  fault(
    "the time of the answer leaves its zone open",
    { answer: body({ ...HOUR, datetime: "2026-01-01 00:00" }) },
    "an hour of which zone nobody knows",
  ),
  fault(
    "the service sends elsewhere",
    { answer: body("", 302, { location: "http://127.0.0.1:9/steal" }) },
    "a credential does not travel to an address that nobody chose",
  ),
  fault(
    "the answer is seventeen megabytes long",
    { answer: body(`{"zone":"${"x".repeat(17 * 2 ** 20)}"}`) },
    "reading stops; memory is not the server's",
  ),
  fault(
    "the answer is nested a hundred thousand times",
    { answer: body("[".repeat(100_000)) },
    "no parser of ours overflows",
  ),
  fault(
    "the answer is the provider's own estimate",
    { answer: body({ ...HOUR, isEstimated: true }) },
    "the figure is used and its origin is said",
    "notice",
  ),
  fault(
    "the service is away and an answer of three hours ago is kept",
    { answer: () => {}, store: kept(3) },
    "its age is said",
    "notice",
  ),
  fault(
    "the service is away and the kept answer is a week old",
    { answer: () => {}, store: kept(24 * 7) },
    "a week ago says nothing of now",
  ),
  fault(
    "the kept answer is garbage",
    { answer: () => {}, store: { read: async () => "{", write: async () => {} } },
    "what was kept is looked at like any answer",
  ),
  fault(
    "the run is offline and nothing is kept",
    { answer: body(HOUR), offline: true },
    "the network is not touched",
  ),
];
