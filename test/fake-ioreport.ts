// A made-up macOS with the library IOReport for tests, over channels that are plain objects.

import type { NativeFunction } from "../src/core/index.ts";
import type { EnergyChannel } from "../src/measure/sensors/ioreport-channels.ts";
import { type FakeMachine, loadMachine } from "./fake-host.ts";

/** A channel of the group; its count may be changed while a test runs. */
export interface FakeChannel extends EnergyChannel {
  count: number | bigint;
}

/** macOS with a library IOReport; counts the Core Foundation objects that live. */
export function macWith(channels: FakeChannel[], changes: FakeMachine = {}) {
  const living = new Set<object>();
  const make = <T extends object>(object: T): T => {
    living.add(object);
    return object;
  };
  const textOf = (object: unknown): string => String(Reflect.get(object as object, "text"));
  const foundation: Record<string, NativeFunction> = {
    CFStringCreateWithCString: (_allocator, text) => make({ text }),
    CFStringGetCString: (string, buffer, size) => {
      const bytes = new TextEncoder().encode(`${textOf(string)}\0`);
      if (bytes.length > (size as number)) return false;
      (buffer as Uint8Array).set(bytes);
      return true;
    },
    CFDictionaryGetValue: (_dictionary, key) =>
      textOf(key) === "IOReportChannels" ? channels : null,
    CFArrayGetCount: (array) => (array as unknown[]).length,
    CFArrayGetValueAtIndex: (array, index) => (array as unknown[])[index as number],
    CFRelease: (object) => {
      if (!living.delete(object as object)) throw new Error("released twice");
    },
  };
  const report: Record<string, NativeFunction> = {
    IOReportCopyChannelsInGroup: (group) =>
      textOf(group) === "Energy Model" && channels.length > 0 ? make({}) : null,
    IOReportCreateSubscription: (_a, _wanted, subscribed) => {
      (subscribed as unknown[])[0] = make({});
      return make({});
    },
    IOReportCreateSamples: () => make({}),
    IOReportChannelGetChannelName: (channel) => ({ text: (channel as FakeChannel).name }),
    IOReportChannelGetUnitLabel: (channel) => ({ text: (channel as FakeChannel).unit }),
    IOReportSimpleGetIntegerValue: (channel) => (channel as FakeChannel).count,
  };
  const host = loadMachine("mac-m2-max", {
    libraries: {
      "/usr/lib/libIOReport.dylib": report,
      "/System/Library/Frameworks/CoreFoundation.framework/CoreFoundation": foundation,
    },
    ...changes,
  });
  return { host, living };
}
