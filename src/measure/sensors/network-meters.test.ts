import { describe, expect, test } from "vitest";
import { createFakeHost, type FakeMachine } from "../../../test/fake-host.ts";
import { externalMeter, openMeter } from "./external-meter.ts";
import { valueAt } from "./meter-plug.ts";
import { splitUrl } from "./meter-url.ts";
import { redfish } from "./redfish.ts";
import type { Probe, Sensor } from "./sensor.ts";

const SECRET = "correct horse";

function only(probe: Probe): Sensor {
  if (probe.status !== "ready") throw new Error(`${probe.status}: ${probe.reason}`);
  const [sensor, ...more] = probe.sensors;
  if (sensor === undefined || more.length > 0) throw new Error("not one sensor");
  return sensor;
}

describe("Redfish", () => {
  const link = (path: string) => ({ "@odata.id": path });
  const members = (...paths: string[]) => ({ Members: paths.map(link) });
  const CHASSIS = "/redfish/v1/Chassis";

  function controller(
    resources: Record<string, unknown>,
    {
      url = "https://bmc.example",
      files = {},
    }: { url?: string; files?: FakeMachine["files"] } = {},
  ) {
    const seen: Readonly<Record<string, string>>[] = [];
    const host = createFakeHost({
      env: {
        GODWIT_REDFISH_URL: url,
        GODWIT_REDFISH_USER: "reader",
        GODWIT_REDFISH_PASSWORD_FILE: "/run/secrets/bmc",
      },
      files: { "/run/secrets/bmc": `${SECRET}\n`, ...files },
      http: (address, headers) => {
        seen.push(headers);
        const resource = resources[new URL(address).pathname];
        return resource === undefined
          ? { status: 404, headers: {}, body: "{}" }
          : { status: 200, headers: {}, body: JSON.stringify(resource) };
      },
    });
    return { host, seen };
  }

  // Shapes of DMTF's public-rackmount1 mock-up (DSP2043).
  const rackmount = {
    [CHASSIS]: members(`${CHASSIS}/1U`),
    [`${CHASSIS}/1U`]: {
      Id: "1U",
      EnvironmentMetrics: link(`${CHASSIS}/1U/EnvironmentMetrics`),
      Power: link(`${CHASSIS}/1U/Power`),
    },
    [`${CHASSIS}/1U/EnvironmentMetrics`]: {
      PowerWatts: { DataSourceUri: `${CHASSIS}/1U/Sensors/TotalPower`, Reading: 374 },
    },
    [`${CHASSIS}/1U/Power`]: { PowerControl: [{ PowerConsumedWatts: 344 }] },
  };

  test("reads EnvironmentMetrics before the deprecated Power", async () => {
    const sensor = only(await redfish.probe(controller(rackmount).host));
    expect(sensor).toMatchObject({ id: "redfish:1U", source: "Redfish EnvironmentMetrics" });
    expect((await sensor.read()).value).toBe(374);
  });

  test("reads Power where the newer resource is empty", async () => {
    const { host } = controller({ ...rackmount, [`${CHASSIS}/1U/EnvironmentMetrics`]: {} });
    expect((await only(await redfish.probe(host)).read()).value).toBe(344);
  });

  test("adds the inputs of all power supplies of a PowerSubsystem", async () => {
    const root = `${CHASSIS}/1U`;
    const supply = (n: number) => `${root}/PowerSubsystem/PowerSupplies/${n}`;
    const { host } = controller({
      [CHASSIS]: members(root),
      [root]: { PowerSubsystem: link(`${root}/PowerSubsystem`) },
      [`${root}/PowerSubsystem`]: { PowerSupplies: link(`${root}/PowerSubsystem/PowerSupplies`) },
      [`${root}/PowerSubsystem/PowerSupplies`]: members(supply(1), supply(2)),
      [supply(1)]: { Metrics: link(`${supply(1)}/Metrics`) },
      [supply(2)]: { Metrics: link(`${supply(2)}/Metrics`) },
      [`${supply(1)}/Metrics`]: { InputPowerWatts: { Reading: 180.5 } },
      [`${supply(2)}/Metrics`]: { InputPowerWatts: { Reading: 0 } },
    });
    expect((await only(await redfish.probe(host)).read()).value).toBe(180.5);
  });

  test("takes the enclosure and not the trays inside it", async () => {
    const gpu = `${CHASSIS}/HGX_GPU_0`;
    const { host } = controller({
      ...rackmount,
      [CHASSIS]: members(gpu, `${CHASSIS}/1U`),
      [gpu]: {
        EnvironmentMetrics: link(`${gpu}/EnvironmentMetrics`),
        Links: { ContainedBy: link(`${CHASSIS}/1U`) },
      },
      [`${gpu}/EnvironmentMetrics`]: { PowerWatts: { Reading: 231.9 } },
    });
    expect(only(await redfish.probe(host)).device).toBe("1U");
  });

  test("asks which one when several enclosures answer, and obeys a named one", async () => {
    const two = {
      ...rackmount,
      [CHASSIS]: members(`${CHASSIS}/1U`, `${CHASSIS}/2U`),
      [`${CHASSIS}/2U`]: { Power: link(`${CHASSIS}/2U/Power`) },
      [`${CHASSIS}/2U/Power`]: { PowerControl: [{ PowerConsumedWatts: 512 }] },
    };
    expect(await redfish.probe(controller(two).host)).toMatchObject({
      status: "denied",
      reason: expect.stringContaining("name one"),
    });
    const url = `https://bmc.example${CHASSIS}/2U`;
    expect((await only(await redfish.probe(controller(two, { url }).host)).read()).value).toBe(512);
  });

  test("sends the password in a header only, and never says it", async () => {
    const { host, seen } = controller(rackmount);
    const probe = await redfish.probe(host);
    expect(seen[0]?.["authorization"]).toBe(`Basic ${btoa(`reader:${SECRET}`)}`);
    expect(JSON.stringify(probe)).not.toContain(SECRET);
    expect(JSON.stringify(probe)).not.toContain("reader");
  });

  test("sends no password over http, nor to another server", async () => {
    const plain = controller(rackmount, { url: "http://bmc.example" });
    expect(await redfish.probe(plain.host)).toMatchObject({
      status: "denied",
      reason: expect.stringContaining("clear text"),
    });
    expect(plain.seen).toEqual([]);
    const led = controller({ ...rackmount, [CHASSIS]: members("https://elsewhere.example/x") });
    expect(await redfish.probe(led.host)).toMatchObject({
      reason: expect.stringContaining("another server"),
    });
    expect(led.seen).toHaveLength(1);
  });

  test("with credentials in the address, or without a password file, is denied", async () => {
    const inside = controller(rackmount, { url: `https://me:${SECRET}@bmc.example` });
    const probe = await redfish.probe(inside.host);
    expect(probe.status).toBe("denied");
    expect(JSON.stringify(probe)).not.toContain(SECRET);
    const missing = controller(rackmount, { files: { "/run/secrets/bmc": { fault: "EACCES" } } });
    expect(await redfish.probe(missing.host)).toMatchObject({
      reason: "GODWIT_REDFISH_PASSWORD_FILE cannot be read",
    });
  });

  test("that answers garbage, too much or 401 is denied with the reason", async () => {
    const answering = (status: number, body: string) =>
      redfish.probe(
        createFakeHost({
          env: { GODWIT_REDFISH_URL: "https://bmc.example" },
          http: () => ({ status, headers: {}, body }),
        }),
      );
    expect(await answering(401, "")).toMatchObject({ reason: expect.stringContaining("401") });
    expect(await answering(200, "<html>")).toMatchObject({
      reason: expect.stringContaining("<html>"),
    });
    expect(await answering(200, " ".repeat(2 ** 21))).toMatchObject({ status: "denied" });
    expect(await answering(200, "[]")).toMatchObject({ reason: "Redfish lists no chassis" });
  });

  test("that reads 0 W in the middle of a run is a gap", async () => {
    const resources = structuredClone(rackmount);
    const sensor = only(await redfish.probe(controller(resources).host));
    resources[`${CHASSIS}/1U/EnvironmentMetrics`].PowerWatts.Reading = 0;
    await expect(sensor.read()).rejects.toThrow("0 W");
  });

  test("is absent when nobody named a controller", async () => {
    expect(await redfish.probe(createFakeHost())).toMatchObject({ status: "absent" });
  });
});

describe("a smart plug", () => {
  const plug = (body: string, status = 200) => {
    const asked: { url: string; headers: Readonly<Record<string, string>> }[] = [];
    const host = createFakeHost({
      http: (url, headers) => {
        asked.push({ url, headers });
        return { status, headers: {}, body };
      },
    });
    return { host, asked };
  };
  const watts = async (answer: unknown, address = "http://plug.example/status") =>
    (await (await openMeter(plug(JSON.stringify(answer)).host, address)).read()).value;

  test("of a known make is understood", async () => {
    // Shelly Plus Plug S, Switch.GetStatus.
    expect(await watts({ id: 0, output: true, apower: 25.4, voltage: 231.2 })).toBe(25.4);
    // Shelly Pro 3EM.
    expect(await watts({ id: 0, total_act_power: 412.7 })).toBe(412.7);
    // Shelly Plug S of the first generation: /meter/0 and /status.
    expect(await watts({ power: 2.21, is_valid: true, total: 439237 })).toBe(2.21);
    expect(await watts({ meters: [{ power: 31.5, is_valid: true }] })).toBe(31.5);
    // Tasmota, Status 10.
    const tasmota = {
      StatusSNS: { Time: "2024-05-01T10:00:00", ENERGY: { Power: 44, Voltage: 230 } },
    };
    expect(await watts(tasmota)).toBe(44);
  });

  test("of any other make is read where the JSON pointer says", async () => {
    const answer = { "a/b": [{ now: 17.5 }], power: "hidden" };
    expect(await watts(answer, "http://plug.example/x#/a~1b/0/now")).toBe(17.5);
  });

  test("with a name and a password is asked with them, and they are shown nowhere", async () => {
    const { host, asked } = plug('{"apower": 20}');
    const sensor = await openMeter(host, `http://me:${SECRET.replace(" ", "%20")}@plug.example/s`);
    expect(asked[0]?.url).toBe("http://plug.example/s");
    expect(asked[0]?.headers["authorization"]).toBe(`Basic ${btoa(`me:${SECRET}`)}`);
    expect(JSON.stringify(sensor)).not.toContain("correct");
  });

  test("that answers anything else is an error with a name, never 0", async () => {
    for (const body of [
      "",
      "not json",
      "[]",
      "null",
      "{}",
      '{"apower": "25"}',
      '{"apower": null}',
    ]) {
      await expect(openMeter(plug(body).host, "http://plug.example/")).rejects.toMatchObject({
        code: "invalid-input",
        hint: expect.stringContaining("pointer"),
      });
    }
    await expect(watts({ apower: 0 })).rejects.toThrow("0 W, but this machine is running");
    await expect(watts({ apower: -3 })).rejects.toThrow("-3 W");
    await expect(watts({ apower: 25_400_000 })).rejects.toThrow("milliwatts");
    await expect(watts({ power: 5, is_valid: false })).rejects.toThrow("not valid");
    await expect(openMeter(plug("x", 500).host, "http://plug.example/")).rejects.toThrow("500");
    const huge = JSON.stringify({ apower: 1, padding: "x".repeat(2 ** 19) });
    await expect(openMeter(plug(huge).host, "http://plug.example/")).rejects.toThrow("characters");
  });

  test("that does not answer says why", async () => {
    await expect(openMeter(createFakeHost(), "http://plug.example/")).rejects.toMatchObject({
      code: "network",
      message: expect.stringContaining("does not answer (ECONNREFUSED"),
    });
  });

  test("a pointer into a prototype finds nothing", () => {
    expect(valueAt({}, "/__proto__/toString")).toBeUndefined();
    expect(valueAt({ constructor: 3 }, "/constructor")).toBe(3);
  });

  test("an address that is none does not repeat what it holds", () => {
    expect(() => splitUrl(`http://me:${SECRET}@[`, "GODWIT_METER")).toThrow(
      /^GODWIT_METER is not an address$/,
    );
    expect(() => splitUrl("ftp://x/y", "GODWIT_METER")).toThrow("ftp:");
  });

  test("is denied with the reason when GODWIT_METER names one that fails", async () => {
    const host = createFakeHost({ env: { GODWIT_METER: "http://plug.example" } });
    expect(await externalMeter.probe(host)).toMatchObject({ status: "denied" });
    expect(await externalMeter.probe(createFakeHost())).toMatchObject({ status: "absent" });
  });
});
