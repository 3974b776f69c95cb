// A smart plug that tells its power as JSON over HTTP. Known answers: Shelly of the second
// generation and later (`apower`, `act_power`), of the first (`power`, `meters`), Tasmota
// (`StatusSNS.ENERGY.Power`). For any other, the fragment of the address is a JSON pointer
// (RFC 6901, section 6) to the watts: http://plug/state#/data/watts

import type { Host } from "../../core/index.ts";
import { UserError } from "../../core/index.ts";
import { believable, quoted } from "./machine-power.ts";
import { networkReason, splitUrl } from "./meter-url.ts";
import type { Reading } from "./sensor.ts";

/** Plugs answer in 10 to 200 ms on a local network. */
const TIMEOUT = 2000;

/** A status of a plug has a few kilobytes. */
const MAX_ANSWER = 256 * 1024;

/** Where known plugs keep watts: Shelly Gen2+ API, Shelly Gen1 API, Tasmota `Status 10`. */
const KNOWN = [
  "/apower",
  "/switch:0/apower",
  "/pm1:0/apower",
  "/total_act_power",
  "/act_power",
  "/StatusSNS/ENERGY/Power",
  "/ENERGY/Power",
  "/meters/0/power",
  "/power",
];

/** What `openMeter` makes a sensor of. */
export interface Meter {
  readonly device: string;
  readonly source: string;
  read(): Promise<Reading>;
}

/** A plug at an address; nothing is asked yet. */
export function openMeterPlug(host: Host, address: string): Meter {
  const { url, authorization, fragment } = splitUrl(address, "the meter's address");
  const headers: Record<string, string> = { accept: "application/json" };
  if (authorization !== null) headers["authorization"] = authorization;
  return {
    device: url.host,
    source: `smart plug at ${url.host}`,
    async read() {
      const before = host.monotonic();
      const { status, body } = await host
        .fetch(url.href, { timeout: TIMEOUT, headers })
        .catch((error: unknown) => {
          throw noAnswer(url, error);
        });
      if (status < 200 || status > 299) throw badAnswer(url, `status ${status}`);
      if (body.length > MAX_ANSWER) throw badAnswer(url, `${body.length} characters`);
      const watts = wattsIn(parsed(url, body), fragment, url);
      return {
        at: (before + host.monotonic()) / 2n,
        value: believable(watts, `the meter at ${url.host}`),
      };
    },
  };
}

function parsed(url: URL, body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    throw badAnswer(url, quoted(body));
  }
}

function wattsIn(answer: unknown, pointer: string, url: URL): number {
  if (valueAt(answer, "/is_valid") === false) throw badAnswer(url, "a reading that is not valid");
  const known = KNOWN.find((candidate) => valueAt(answer, candidate) !== undefined);
  const place = pointer === "" ? known : pointer;
  if (place === undefined) throw badAnswer(url, "no power that is known");
  const value = valueAt(answer, place);
  if (typeof value !== "number") throw badAnswer(url, `${typeName(value)} at ${quoted(place)}`);
  return value;
}

const typeName = (value: unknown): string =>
  value === undefined ? "nothing" : value === null ? "null" : `a ${typeof value}`;

/** The value that a JSON pointer names; undefined when there is none. */
export function valueAt(document: unknown, pointer: string): unknown {
  if (pointer === "") return document;
  if (!pointer.startsWith("/")) return undefined;
  let at = document;
  for (const part of pointer.slice(1).split("/")) {
    const key = part.replaceAll("~1", "/").replaceAll("~0", "~");
    if (typeof at !== "object" || at === null || !Object.hasOwn(at, key)) return undefined;
    at = Reflect.get(at, key);
  }
  return at;
}

const badAnswer = (url: URL, what: string): UserError =>
  new UserError("invalid-input", `the meter at ${url.host} answers ${what}`, {
    hint: "Point to the watts in the answer with a JSON pointer: GODWIT_METER='http://plug/status#/path/to/watts'",
  });

const noAnswer = (url: URL, cause: unknown): UserError =>
  new UserError("network", `the meter at ${url.host} does not answer (${networkReason(cause)})`, {
    hint: "Is the plug on this network, and is its address right?",
    cause,
  });
