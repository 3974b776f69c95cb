// A server's power as its management controller tells it over the network: DMTF Redfish (DSP0266),
// resources EnvironmentMetrics, PowerSubsystem with its supplies, and the older Power (DSP0268).
//
// Address and credentials come from the environment alone: GODWIT_REDFISH_URL names the controller
// or one chassis of it, GODWIT_REDFISH_USER the account, GODWIT_REDFISH_PASSWORD_FILE a file with
// its password. They appear in no message, no source and no sensor id.

import type { Host } from "../../core/index.ts";
import { reasonOf } from "../../core/index.ts";
import { believable, quoted } from "./machine-power.ts";
import { basicAuthorization, networkReason, splitUrl } from "./meter-url.ts";
import type { Probe, Sensor, SensorProvider } from "./sensor.ts";

/** Relative error: docs/methods/machine-meters.md. */
const ERROR = 0.02;

/** Controllers answer in 0.1 to 2 s. */
const TIMEOUT = 5000;

/** More than a hundred times the largest resource in DMTF's mock-ups; beyond is not Redfish. */
const MAX_ANSWER = 1024 * 1024;

/** Chassis asked at most; a rack manager lists many. */
const MAX_CHASSIS = 32;

/** Where one chassis tells its power. */
interface Source {
  readonly chassis: string;
  /** The resource, in Redfish's words. */
  readonly name: string;
  /** Watts now; null when the resource holds none. */
  watts(): Promise<number | null>;
}

type Get = (path: string) => Promise<unknown>;

export const redfish: SensorProvider = {
  name: "redfish",
  description: "The server's management controller, by Redfish (GODWIT_REDFISH_URL)",
  domains: ["machine"],

  async probe(host): Promise<Probe> {
    const url = host.env["GODWIT_REDFISH_URL"];
    if (url === undefined || url === "") {
      return { status: "absent", reason: "GODWIT_REDFISH_URL is not set" };
    }
    try {
      const { get, chassis } = await connect(host, url);
      return { status: "ready", sensors: [sensorOf(host, await choose(get, chassis))] };
    } catch (error) {
      return {
        status: "denied",
        reason: reasonOf(error),
        remedy:
          "check GODWIT_REDFISH_URL, GODWIT_REDFISH_USER and GODWIT_REDFISH_PASSWORD_FILE; for a self-signed certificate set NODE_EXTRA_CA_CERTS to its file",
      };
    }
  },
};

/** A way to get resources, and the chassis that the address names. */
async function connect(
  host: Host,
  address: string,
): Promise<{ readonly get: Get; readonly chassis: string | null }> {
  const { url, authorization } = splitUrl(address, "GODWIT_REDFISH_URL");
  if (authorization !== null) {
    throw new Error("GODWIT_REDFISH_URL holds credentials; an address is seen by every process");
  }
  const headers: Record<string, string> = { accept: "application/json", "odata-version": "4.0" };
  const user = host.env["GODWIT_REDFISH_USER"];
  if (user !== undefined) {
    headers["authorization"] = basicAuthorization(user, await passwordOf(host));
    if (url.protocol !== "https:" && !isLoopback(url.hostname)) {
      throw new Error("GODWIT_REDFISH_URL is not https, and a password would travel in clear text");
    }
  }
  const get: Get = async (path) => {
    const target = new URL(path, url);
    // A controller must not send the password on to another machine.
    if (target.origin !== url.origin) throw new Error("Redfish points to another server");
    const answer = host
      .fetch(target.href, { timeout: TIMEOUT, headers })
      .catch((error: unknown) => {
        throw new Error(`Redfish does not answer (${networkReason(error)})`, { cause: error });
      });
    return jsonOf(await answer, path);
  };
  const chassis = /\/redfish\/v1\/Chassis\/[^/]+/.exec(url.pathname)?.[0] ?? null;
  return { get, chassis };
}

const isLoopback = (name: string): boolean =>
  name === "localhost" || name === "[::1]" || name.startsWith("127.");

async function passwordOf(host: Host): Promise<string> {
  const path = host.env["GODWIT_REDFISH_PASSWORD_FILE"];
  if (path === undefined) throw new Error("GODWIT_REDFISH_PASSWORD_FILE is not set");
  try {
    return (await host.readText(path)).replace(/\r?\n$/, "");
  } catch (error) {
    throw new Error("GODWIT_REDFISH_PASSWORD_FILE cannot be read", { cause: error });
  }
}

function jsonOf({ status, body }: { status: number; body: string }, path: string): unknown {
  if (status === 401 || status === 403) throw new Error(`Redfish refuses ${path} (${status})`);
  if (status < 200 || status > 299) throw new Error(`Redfish answers ${status} to ${path}`);
  if (body.length > MAX_ANSWER)
    throw new Error(`Redfish answers ${path} with ${body.length} bytes`);
  try {
    return JSON.parse(body);
  } catch (error) {
    throw new Error(`Redfish answers ${path} with ${quoted(body)}`, { cause: error });
  }
}

/**
 * The first chassis that tells its power. Sub-chassis (a tray's GPUs, a drive bay) are inside the
 * enclosure that contains them, so they are neither added nor taken in its place.
 */
async function choose(get: Get, named: string | null): Promise<Source> {
  const all = named === null ? membersOf(await get("/redfish/v1/Chassis")) : [named];
  const found: Source[] = [];
  const faults: string[] = [];
  for (const chassis of all.slice(0, MAX_CHASSIS)) {
    try {
      const resource = await get(chassis);
      if (named === null && field(resource, "Links", "ContainedBy") !== undefined) continue;
      const source = await sourceIn(get, chassis, resource);
      if (source === null) faults.push(`${chassis} tells no power`);
      else found.push(source);
    } catch (error) {
      faults.push(reasonOf(error));
    }
  }
  const [source] = found;
  if (source === undefined) throw new Error(faults.join("; ") || "Redfish lists no chassis");
  if (found.length > 1) {
    const names = found.map(({ chassis }) => chassis).join(", ");
    throw new Error(`Redfish tells the power of ${names}; name one in GODWIT_REDFISH_URL`);
  }
  return source;
}

/** The first resource of a chassis that tells a power, the newest schema first. */
async function sourceIn(get: Get, chassis: string, resource: unknown): Promise<Source | null> {
  const candidates: Source[] = [];
  const add = (name: string, watts: (resource: unknown) => number | null): void => {
    const path = field(resource, name, "@odata.id");
    if (typeof path !== "string") return;
    candidates.push({ chassis, name, watts: async () => watts(await get(path)) });
  };
  add("EnvironmentMetrics", (it) => number(field(it, "PowerWatts", "Reading")));
  // Deprecated in 2020.4. The first PowerControl is the chassis, further ones are parts of it.
  add("Power", (it) => number(field(it, "PowerControl", 0, "PowerConsumedWatts")));
  for (const candidate of candidates) {
    // A resource that is offered and does not answer is passed over for the next one.
    if ((await candidate.watts().catch(() => null)) !== null) return candidate;
  }
  return await suppliesIn(get, chassis, resource);
}

/** A PowerSubsystem tells the input of each supply; the chassis is their sum. */
async function suppliesIn(get: Get, chassis: string, resource: unknown): Promise<Source | null> {
  const subsystem = field(resource, "PowerSubsystem", "@odata.id");
  if (typeof subsystem !== "string") return null;
  const supplies = field(await get(subsystem), "PowerSupplies", "@odata.id");
  if (typeof supplies !== "string") return null;
  const metrics: string[] = [];
  for (const member of membersOf(await get(supplies))) {
    const path = field(await get(member), "Metrics", "@odata.id");
    // One supply that is not told would make the sum too small.
    if (typeof path !== "string") return null;
    metrics.push(path);
  }
  if (metrics.length === 0) return null;
  const watts = async (): Promise<number | null> => {
    const inputs = await Promise.all(
      metrics.map(async (path) => number(field(await get(path), "InputPowerWatts", "Reading"))),
    );
    return inputs.reduce<number | null>(
      (sum, input) => (sum === null || input === null ? null : sum + input),
      0,
    );
  };
  return (await watts()) === null ? null : { chassis, name: "PowerSupplyMetrics", watts };
}

function membersOf(collection: unknown): readonly string[] {
  const members = field(collection, "Members");
  if (!Array.isArray(members)) return [];
  return members
    .map((member: unknown) => field(member, "@odata.id"))
    .filter((path) => typeof path === "string");
}

function field(value: unknown, ...path: readonly (string | number)[]): unknown {
  let at = value;
  for (const key of path) {
    if (typeof at !== "object" || at === null) return undefined;
    at = Reflect.get(at, key);
  }
  return at;
}

const number = (value: unknown): number | null => (typeof value === "number" ? value : null);

function sensorOf(host: Host, { chassis, name, watts }: Source): Sensor {
  const device = chassis.slice(chassis.lastIndexOf("/") + 1);
  return {
    id: `redfish:${device}`,
    provider: "redfish",
    domain: "machine",
    device,
    scope: "wall",
    kind: "power",
    method: "sampled",
    source: `Redfish ${name}`,
    error: ERROR,
    async read() {
      const before = host.monotonic();
      const value = await watts();
      if (value === null) throw new Error(`Redfish ${name} holds no power`);
      return {
        at: (before + host.monotonic()) / 2n,
        value: believable(value, `Redfish ${name}`),
      };
    },
  };
}
