import { expect, test } from "vitest";
import { createFakeHost } from "../../../test/fake-host.ts";
import { busySeconds, parseBusy } from "./busy-time.ts";

test("idle, iowait and stolen time are not busy, and guest time is not counted twice", () => {
  // user nice system idle iowait irq softirq steal guest guest_nice, in ticks of 10 ms.
  const text = "cpu  1000 200 300 99999 5000 40 60 7000 500 100\ncpu0 1 2 3 4 5 6 7 8 9 10\n";
  expect(parseBusy(text)).toBe(16);
});

test("kernels that tell fewer columns are understood, and nonsense is not", () => {
  expect(parseBusy("cpu  100 0 100 500\n")).toBe(2);
  expect(parseBusy("cpu  a b c\n")).toBeNull();
  expect(parseBusy("")).toBeNull();
});

test("without /proc/stat the platform's own processor times serve", async () => {
  const host = createFakeHost({ platform: "darwin", cpuTimes: () => ({ busyS: 12, idleS: 30 }) });
  expect(await busySeconds(host)).toBe(12);
  expect(await busySeconds(createFakeHost({ platform: "win32" }))).toBeNull();
});
