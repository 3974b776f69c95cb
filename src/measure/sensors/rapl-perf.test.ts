import { describe, expect, test } from "vitest";
import { type FakeMachine, loadMachine } from "../../../test/fake-host.ts";
import { createNodeHost } from "../../core/host/node-host.ts";
import { perfAttribute, raplPerf } from "./rapl-perf.ts";
import type { Probe, Sensor } from "./sensor.ts";

/** A libc whose events count as told, by configuration and processor. */
function fakeLibc(counts: Record<string, bigint>) {
  const opened: string[] = [];
  const closed: number[] = [];
  const libraries: FakeMachine["libraries"] = {
    "libc.so.6": {
      syscall(number, attribute, pid, cpu, group, flags) {
        const view = new DataView((attribute as Uint8Array).buffer);
        expect([number, pid, group, flags, view.getUint32(0, true)]).toEqual([298, -1, -1, 8, 23]);
        const key = `${view.getBigUint64(8, true)}@${cpu}`;
        if (!(key in counts)) return -1;
        return 100 + opened.push(key) - 1;
      },
      read(descriptor, buffer) {
        const key = opened[Number(descriptor) - 100] ?? "";
        new DataView((buffer as Uint8Array).buffer).setBigUint64(0, counts[key] ?? 0n, true);
        return key in counts ? 8 : -1;
      },
      close: (descriptor) => closed.push(Number(descriptor)),
    },
  };
  return { libraries, opened, closed, counts };
}

const ready = (probe: Probe): readonly Sensor[] => {
  if (probe.status !== "ready") throw new Error(`${probe.status}: ${probe.reason}`);
  return probe.sensors;
};

describe("on two sockets", () => {
  const everything = () => fakeLibc({ "2@0": 1n << 32n, "2@1": 3n << 31n, "3@0": 1n, "3@1": 2n });

  test("each event is opened once a socket and counted in steps of 2^-32 J", async () => {
    const { libraries } = everything();
    const sensors = ready(
      await raplPerf.probe(loadMachine("xeon-two-sockets-dram", { libraries })),
    );
    expect(sensors.map(({ id }) => id)).toEqual([
      "rapl-perf:package-0",
      "rapl-perf:package-1",
      "rapl-perf:package-0/dram",
      "rapl-perf:package-1/dram",
    ]);
    expect((await sensors[0]?.read())?.value).toBe(1);
    expect((await sensors[1]?.read())?.value).toBe(1.5);
    expect((await sensors[2]?.read())?.value).toBe(2 ** -32);
  });

  test("a 64-bit counter never wraps, and the limit is powercap's", async () => {
    const { libraries } = everything();
    const [sensor] = ready(
      await raplPerf.probe(loadMachine("xeon-two-sockets-dram", { libraries })),
    );
    expect(sensor?.range).toBeUndefined();
    expect(sensor?.maxPower).toBe(150);
  });

  test("an event that cannot be read rejects", async () => {
    const libc = everything();
    const host = loadMachine("xeon-two-sockets-dram", { libraries: libc.libraries });
    const [sensor] = ready(await raplPerf.probe(host));
    delete libc.counts["2@0"];
    await expect(sensor?.read()).rejects.toThrow("cannot be read");
  });

  test.each(["", "0-99999999999", "none"])(
    "a set of processors that says none (%j) is no processor 0",
    async (cpumask) => {
      const { libraries, opened } = everything();
      const files = { "/sys/bus/event_source/devices/power/cpumask": cpumask };
      const host = loadMachine("xeon-two-sockets-dram", { libraries, files });
      expect(await raplPerf.probe(host)).toMatchObject({ status: "absent" });
      expect(opened).toEqual([]);
    },
  );

  test("descriptors are closed", async () => {
    const libc = everything();
    const host = loadMachine("xeon-two-sockets-dram", { libraries: libc.libraries });
    await raplPerf.probe(host);
    await raplPerf.close?.(host);
    expect(libc.closed).toEqual([100, 101, 102, 103]);
  });
});

test("the platform is one counter, however many sockets list it", async () => {
  const libc = fakeLibc({ "2@0": 1n, "2@1": 1n, "5@0": 7n, "5@1": 7n });
  const events = "/sys/bus/event_source/devices/power/events/energy-psys";
  const host = loadMachine("xeon-two-sockets-dram", {
    libraries: libc.libraries,
    files: {
      [events]: "event=0x05\n",
      [`${events}.unit`]: "Joules\n",
      [`${events}.scale`]: "2.3283064365386962890625e-10\n",
    },
  });
  const sensors = ready(await raplPerf.probe(host));
  expect(sensors.filter(({ domain }) => domain === "machine").map(({ id }) => id)).toEqual([
    "rapl-perf:psys",
  ]);
  expect(sensors.at(-1)?.contains).toEqual(["rapl-perf:package-0", "rapl-perf:package-1"]);
});

test("dies that show one socket's counter are opened once", async () => {
  const { libraries, opened } = fakeLibc({ "2@0": 5n, "2@8": 5n });
  const sensors = ready(await raplPerf.probe(loadMachine("threadripper-two-dies", { libraries })));
  expect(opened).toEqual(["2@0"]);
  expect(sensors.map(({ device }) => device)).toEqual(["package-0"]);
});

test("what the kernel keeps from users is denied with its remedy", async () => {
  const { libraries } = fakeLibc({});
  const probe = await raplPerf.probe(loadMachine("desktop-locked", { libraries }));
  expect(probe).toMatchObject({
    status: "denied",
    reason: expect.stringContaining("perf_event_paranoid is 4"),
    remedy: expect.stringContaining("sysctl kernel.perf_event_paranoid=0"),
  });
});

test("a refusal in spite of CAP_PERFMON is put down to the container", async () => {
  const { libraries } = fakeLibc({});
  const host = loadMachine("desktop-locked", {
    libraries,
    files: { "/proc/self/status": "CapEff:\t0000004000000000\n" },
  });
  expect(await raplPerf.probe(host)).toMatchObject({
    status: "denied",
    reason: expect.stringContaining("seccomp"),
  });
});

test("without FFI, without the PMU, and in a guest there is no such sensor", async () => {
  expect(await raplPerf.probe(loadMachine("desktop-locked"))).toMatchObject({
    status: "absent",
    reason: expect.stringContaining("koffi"),
  });
  for (const name of ["guest-kvm-no-sensors", "container-no-sys"]) {
    expect(await raplPerf.probe(loadMachine(name))).toMatchObject({ status: "absent" });
  }
});

// A software event needs no RAPL: it proves the number of the call, the layout and the read.
const host = createNodeHost();
const ffi = host.platform === "linux" && host.arch === "x64" ? await host.ffi() : null;
test.skipIf(ffi === null)(
  "the kernel of this machine takes the attribute (needs koffi)",
  (context) => {
    const libc = ffi?.open(["libc.so.6"]);
    const call = libc?.bind(
      "long syscall(long number, void *attribute, long pid, long cpu, long group, long flags)",
    );
    // PERF_TYPE_SOFTWARE, PERF_COUNT_SW_TASK_CLOCK, of this process.
    const descriptor = Number(call?.(298, perfAttribute(1, 1n), 0, -1, -1, 8));
    if (descriptor < 0) return context.skip("the kernel allows no perf events here");
    const buffer = new Uint8Array(8);
    const read = libc?.bind("long read(int file, void *buffer, size_t count)");
    expect(read?.(descriptor, buffer, 8)).toBe(8);
    expect(new DataView(buffer.buffer).getBigUint64(0, true)).toBeGreaterThan(0n);
    libc?.bind("int close(int file)")(descriptor);
  },
);
