import { describe, expect, test } from "vitest";
import { createFakeHost, loadMachine } from "../../../test/fake-host.ts";
import { advance, begin, finish, type Piece, ruleOf } from "./integrate.ts";
import { observe, probeAll, survey, within } from "./probe.ts";
import { providers } from "./providers.ts";
import { raplPowercap } from "./rapl-powercap.ts";
import type { Probe, Sensor, SensorProvider } from "./sensor.ts";

const provider = (name: string, probe: SensorProvider["probe"]): SensorProvider => ({
  name,
  description: name,
  domains: ["cpu"],
  probe,
});
const fault = (code: string): Error => Object.assign(new Error(`${code}: open`), { code });

describe("probing", () => {
  test("a provider that throws, at once or later, is absent with its reason", async () => {
    const found = await probeAll(createFakeHost(), [
      provider("at once", () => {
        throw new Error("bad library");
      }),
      provider("later", async () => {
        throw new Error("bad answer");
      }),
      provider("fine", async () => ({ status: "ready", sensors: [] })),
    ]);
    expect(found.map(({ probe }) => probe)).toEqual([
      { status: "absent", reason: "bad library" },
      { status: "absent", reason: "bad answer" },
      { status: "ready", sensors: [] },
    ]);
  });

  test("one that was refused is denied", async () => {
    const [found] = await probeAll(createFakeHost(), [
      provider("locked", () => Promise.reject(fault("EACCES"))),
    ]);
    expect(found?.probe).toMatchObject({ status: "denied", reason: "EACCES: open" });
  });

  test("one that hangs is absent after the deadline, the others are not kept", async () => {
    const host = createFakeHost();
    const probing = probeAll(
      host,
      [
        provider("hung", () => new Promise(() => {})),
        provider("fine", async () => ({ status: "ready", sensors: [] })),
      ],
      500,
    );
    await host.elapse(500);
    expect((await probing).map(({ probe }) => probe)).toEqual([
      { status: "absent", reason: "no answer within 0.5 s" },
      { status: "ready", sensors: [] },
    ]);
  });

  const slow = (host: ReturnType<typeof createFakeHost>, name: string, milliseconds: number) => ({
    ...provider(
      name,
      () =>
        new Promise<Probe>((resolve) => {
          host.alarm(milliseconds, () => resolve({ status: "ready", sensors: [] }));
        }),
    ),
    patience: 10_000,
  });

  test("one that may take long is waited for", async () => {
    const host = createFakeHost();
    const probing = probeAll(host, [slow(host, "cold driver", 7000)]);
    await host.elapse(7000);
    expect((await probing)[0]?.probe.status).toBe("ready");
  });

  test("one that may take long is not waited for once a better rung is ready", async () => {
    const host = createFakeHost();
    const probing = probeAll(host, [slow(host, "nvml", 3000), slow(host, "nvidia-smi", 9000)]);
    await host.elapse(3000);
    expect((await probing).map(({ probe }) => probe)).toEqual([
      { status: "ready", sensors: [] },
      { status: "absent", reason: "no answer within 2 s, and nvml is ready" },
    ]);
  });

  test("every provider answers on a machine without anything, and none throws", async () => {
    const host = loadMachine("container-no-sys");
    const found = await probeAll(host, providers);
    expect(found.map((one) => one.provider)).toEqual(providers.map(({ name }) => name));
    expect(
      found.filter(({ probe }) => probe.status === "ready").map((one) => one.provider),
    ).toEqual([]);
  });
});

test("a deadline that was met does not ring", async () => {
  const host = createFakeHost();
  await expect(within(host, async () => 7, 100)).resolves.toBe(7);
  await host.elapse(1000);
});

test("names of providers are unique and say where they exist", () => {
  expect(new Set(providers.map(({ name }) => name)).size).toBe(providers.length);
  for (const { description, domains } of providers) {
    expect(description.length).toBeGreaterThan(10);
    expect(domains.length).toBeGreaterThan(0);
  }
});

describe("a run of readings", () => {
  /** Reads a laptop's package every second for as long as there are steps; a step changes the machine. */
  async function run(
    steps: readonly ((uj: (value: number) => void, gone: (code: string) => void) => void)[],
  ) {
    const host = loadMachine("laptop-psys-mmio");
    const file = "/sys/class/powercap/intel-rapl:0/energy_uj";
    const probe = await raplPowercap.probe(host);
    const sensor =
      probe.status === "ready"
        ? probe.sensors.find(({ id }) => id.endsWith(":package-0"))
        : undefined;
    if (sensor === undefined) throw new Error("unreachable");
    const start = host.monotonic();
    const rule = ruleOf(sensor, 1);
    let state = begin(0);
    const pieces: Piece[] = [];
    const take = async () => {
      const next = advance(rule, state, await observe(host, sensor, { start }));
      state = next.state;
      if (next.piece !== null) pieces.push(next.piece);
    };
    for (const step of steps) {
      step(
        (value) => host.files.set(file, String(value * 1e6)),
        (code) => host.files.set(file, { fault: code }),
      );
      await take();
      host.advance(1000);
    }
    const tail = finish(rule, state, steps.length);
    return tail === null ? pieces : [...pieces, tail];
  }

  test("over a wrap counts on", async () => {
    const pieces = await run([(uj) => uj(262_140), (uj) => uj(16.67115)]);
    // 262,143.32885 J is where this counter starts again.
    expect(pieces[0]).toMatchObject({ kind: "energy" });
    expect(pieces[0]?.joules).toBeCloseTo(20, 6);
  });

  test("with a failed read is a gap whose energy the counter tells", async () => {
    const pieces = await run([(uj) => uj(100), (_, gone) => gone("EIO"), (uj) => uj(140)]);
    expect(pieces[0]).toMatchObject({ kind: "gap", reason: "unreadable", joules: 40 });
  });

  test("that a driver's reload interrupts is a gap that is not bridged by the counter", async () => {
    const pieces = await run([(uj) => uj(10), (_, gone) => gone("ENOENT"), (uj) => uj(30)]);
    expect(pieces[0]).toMatchObject({ kind: "gap", joules: null });
  });

  test("whose permission is taken away ends in a gap, not in zero", async () => {
    const pieces = await run([
      (uj) => uj(10),
      (uj) => uj(30),
      (_, gone) => gone("EACCES"),
      (_, gone) => gone("EACCES"),
    ]);
    expect(pieces).toMatchObject([
      { kind: "energy", joules: 20 },
      { kind: "gap", from: 1, to: 4, reason: "unreadable", joules: null },
    ]);
  });
});

test("a sensor that hangs is a fault after its deadline, and the run goes on", async () => {
  const host = createFakeHost();
  const sensor = { read: () => new Promise(() => {}) } as unknown as Sensor;
  const reading = observe(host, sensor, { start: host.monotonic(), deadline: 200 });
  await host.elapse(200);
  expect(await reading).toMatchObject({
    kind: "fault",
    detail: "no answer within 0.2 s",
    restarted: false,
  });
});

test("a sensor that hangs while sensors are compared costs one deadline, not the survey", async () => {
  const host = createFakeHost();
  const facts = (id: string) => ({ id, domain: "cpu", device: id, kind: "counter" }) as Sensor;
  let asked = 0;
  const hung: Sensor = {
    ...facts("hung"),
    read() {
      asked += 1;
      return new Promise(() => {});
    },
  };
  const fine: Sensor = {
    ...facts("fine"),
    read: async () => ({ at: host.monotonic(), value: 1 }),
  };
  const surveying = survey(host, [
    provider("two", async () => ({ status: "ready", sensors: [hung, fine] })),
  ]);
  await host.elapse(1000);
  expect((await surveying).sensors.map((one) => one.counted)).toEqual([true, true]);
  expect(asked).toBe(1);
});
