// Energy of Apple Silicon, through the private library IOReport, without root. The functions have no
// published header; their types are those that socpowerbud, macmon and exelban/stats declare.
//
// What is read is the raw sample, whose counters are cumulative, not a difference of samples. The
// millijoule channels are published together, every 0.4 to 2.2 s (all-smi issue 415); on macOS 27
// they can stand still while the machine works (macmon issue 76), which is a gap, not 0 J.

import type { Ffi, Host } from "../../core/index.ts";
import { reasonOf } from "../../core/index.ts";
import { type EnergyChannel, joulesPerCount, type Rail, railsOf } from "./ioreport-channels.ts";
import type { Domain, Probe, Reading, Sensor, SensorProvider } from "./sensor.ts";

/** A Core Foundation object. */
type Ref = unknown;

/** kCFStringEncodingUTF8 of CFString.h. */
const UTF8 = 0x0800_0100;

const NAME_BYTES = 256;

/** Relative error: docs/methods/machine-meters.md. */
const ERROR = 0.1;

/** Seconds without a change of the processor's counter after which the group is stalled. */
const STALLED = 10;

/** Nanoseconds within which the rails share one sample; taking one costs about 4 ms. */
const SHARED = 20_000_000n;

const DOMAIN: Readonly<Record<Rail, Domain>> = {
  cpu: "cpu",
  gpu: "gpu",
  // The neural engine is an accelerator beside the graphics processor.
  ane: "gpu",
  dram: "memory",
};

/** Seconds between publications: all-smi issue 415, M1 Ultra and M5 Max. */
const UPDATE_PERIOD: Readonly<Record<Rail, number>> = { cpu: 2.2, gpu: 0.25, ane: 2.2, dram: 2.2 };

const subscriptions = new WeakMap<Host, EnergyGroup>();

export const ioreport: SensorProvider = {
  name: "ioreport",
  description: "Processor, graphics, neural engine and memory of Apple Silicon (macOS, no root)",
  domains: ["cpu", "gpu", "memory"],

  async probe(host): Promise<Probe> {
    if (host.platform !== "darwin") return { status: "absent", reason: "not macOS" };
    if (host.arch !== "arm64") return { status: "absent", reason: "not Apple Silicon" };
    const ffi = await host.ffi();
    if (ffi === null) {
      return {
        status: "denied",
        reason: "the FFI package koffi is not installed",
        remedy: "npm install koffi",
      };
    }
    try {
      subscriptions.get(host)?.close();
      const group = openEnergyGroup(ffi);
      subscriptions.set(host, group);
      return probeGroup(host, group);
    } catch (error) {
      return { status: "absent", reason: reasonOf(error) };
    }
  },

  async close(host) {
    subscriptions.get(host)?.close();
    subscriptions.delete(host);
  },
};

function probeGroup(host: Host, group: EnergyGroup): Probe {
  const rails = railsOf(group.channels);
  const sample = sampler(host, group);
  const sensors: Sensor[] = [];
  const notes: string[] = [];
  for (const [rail, indexes] of rails) {
    try {
      const sensor = sensorOf(rail, group, indexes, sample);
      sensors.push(sensor);
    } catch (error) {
      notes.push(reasonOf(error));
    }
  }
  for (const rail of ["cpu", "gpu", "ane", "dram"] as const) {
    if (!rails.has(rail)) notes.push(`this chip tells no energy of its ${rail}`);
  }
  return sensors.length > 0
    ? { status: "ready", sensors, notes }
    : { status: "absent", reason: notes.join("; ") };
}

/** One sample of all channels, shared by the rails that are read together. */
interface Sample {
  readonly at: bigint;
  readonly counts: readonly number[];
  /** When the processor's counter last changed. */
  readonly changed: bigint;
}

function sampler(host: Host, group: EnergyGroup): () => Sample {
  const watched = railsOf(group.channels).get("cpu") ?? [];
  let last: Sample | null = null;
  return () => {
    const now = host.monotonic();
    if (last !== null && now - last.at < SHARED) return last;
    const counts = group.sample();
    const before = last;
    const changed =
      before !== null && watched.every((i) => counts[i] === before.counts[i])
        ? before.changed
        : now;
    last = { at: host.monotonic(), counts, changed };
    return last;
  };
}

function sensorOf(
  rail: Rail,
  group: EnergyGroup,
  indexes: readonly number[],
  sample: () => Sample,
): Sensor {
  const parts = indexes.map((index) => {
    const { name = "", unit = "" } = group.channels[index] ?? {};
    return { index, name, scale: joulesPerCount(unit) };
  });
  const names = parts.map(({ name }) => name).join(" + ");
  return {
    id: `ioreport:${rail}`,
    provider: "ioreport",
    domain: DOMAIN[rail],
    device: rail,
    scope: "component",
    kind: "counter",
    method: "measured",
    source: `IOReport ${names}`,
    error: ERROR,
    updatePeriod: UPDATE_PERIOD[rail],
    async read(): Promise<Reading> {
      const { at, counts, changed } = sample();
      // The graphics driver publishes by itself; the others come with the processor.
      if (rail !== "gpu" && at - changed > BigInt(STALLED) * 1_000_000_000n) {
        throw new Error(`IOReport's ${names} has stood still for ${STALLED} s`);
      }
      let value = 0;
      for (const { index, name, scale } of parts) {
        const count = counts[index];
        // A channel that is no simple counter any more answers the least integer.
        if (count === undefined || count < 0) throw new Error(`IOReport's ${name} has gone`);
        value += count * scale;
      }
      return { at, value };
    },
  };
}

/** The subscribed group "Energy Model". */
interface EnergyGroup {
  readonly channels: readonly EnergyChannel[];
  /** Counts of all channels now, in the order of `channels`. */
  sample(): readonly number[];
  close(): void;
}

function openEnergyGroup(ffi: Ffi): EnergyGroup {
  const cf = bindCoreFoundation(ffi);
  const report = bindIOReport(ffi);
  const groupName = cf.string("Energy Model");
  const listKey = cf.string("IOReportChannels");
  const wanted = report.copyChannelsInGroup(groupName, null, 0, 0, 0);
  cf.release(groupName);
  if (!wanted) throw new Error("IOReport has no group Energy Model");
  const subscribed: Ref[] = [null];
  const subscription = report.createSubscription(null, wanted, subscribed, 0, null);
  if (!subscription) throw new Error("IOReport refuses a subscription");

  const withSample = <T>(use: (items: readonly Ref[]) => T): T => {
    const sample = report.createSamples(subscription, subscribed[0], null);
    if (!sample) throw new Error("IOReport gave no sample");
    try {
      return use(cf.items(cf.dictionaryValue(sample, listKey)));
    } finally {
      cf.release(sample);
    }
  };
  const channels = withSample((items) =>
    items.map((item) => ({
      name: cf.text(report.channelName(item)),
      unit: cf.text(report.unitLabel(item)),
    })),
  );
  return {
    channels,
    sample: () =>
      withSample((items) => {
        if (items.length !== channels.length) throw new Error("IOReport's channels have changed");
        return items.map((item) => Number(report.integerValue(item, 0)));
      }),
    close() {
      for (const object of [subscription, subscribed[0], wanted, listKey]) {
        if (object) cf.release(object);
      }
    },
  };
}

function bindIOReport(ffi: Ffi) {
  const library = ffi.open(["/usr/lib/libIOReport.dylib", "libIOReport.dylib"]);
  return {
    copyChannelsInGroup: library.bind(
      "void *IOReportCopyChannelsInGroup(void *group, void *subgroup, uint64_t a, uint64_t b, uint64_t c)",
    ),
    createSubscription: library.bind(
      "void *IOReportCreateSubscription(void *a, void *wanted, _Out_ void **subscribed, uint64_t id, void *b)",
    ),
    createSamples: library.bind(
      "void *IOReportCreateSamples(void *subscription, void *subscribed, void *a)",
    ),
    channelName: library.bind("void *IOReportChannelGetChannelName(void *channel)"),
    unitLabel: library.bind("void *IOReportChannelGetUnitLabel(void *channel)"),
    integerValue: library.bind(
      "int64_t IOReportSimpleGetIntegerValue(void *channel, int32_t index)",
    ),
  };
}

function bindCoreFoundation(ffi: Ffi) {
  const library = ffi.open(["/System/Library/Frameworks/CoreFoundation.framework/CoreFoundation"]);
  const createString = library.bind(
    "void *CFStringCreateWithCString(void *allocator, const char *text, uint32_t encoding)",
  );
  const getString = library.bind(
    "bool CFStringGetCString(void *string, _Out_ uint8_t *buffer, long size, uint32_t encoding)",
  );
  const dictionaryValue = library.bind("void *CFDictionaryGetValue(void *dictionary, void *key)");
  const arrayCount = library.bind("long CFArrayGetCount(void *array)");
  const arrayValue = library.bind("void *CFArrayGetValueAtIndex(void *array, long index)");
  const release = library.bind("void CFRelease(void *object)");
  return {
    dictionaryValue,
    release,
    string: (text: string): Ref => createString(null, text, UTF8),
    text(string: Ref): string {
      if (!string) return "";
      const buffer = new Uint8Array(NAME_BYTES);
      if (!getString(string, buffer, NAME_BYTES, UTF8)) return "";
      return new TextDecoder().decode(buffer.subarray(0, buffer.indexOf(0)));
    },
    /** Members of an array; they belong to the array. */
    items(array: Ref): readonly Ref[] {
      if (!array) throw new Error("IOReport's sample holds no channels");
      return Array.from({ length: Number(arrayCount(array)) }, (_, i) => arrayValue(array, i));
    },
  };
}
