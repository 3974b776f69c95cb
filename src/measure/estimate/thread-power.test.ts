import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createFakeHost } from "../../../test/fake-host.ts";
import { loadPowerModel } from "./coefficients.ts";
import { explainGuest, guestPower, threadPowerOf } from "./thread-power.ts";

const model = await loadPowerModel(createFakeHost());

test("two threads of a Genoa host by hand: idle 0.3281 W, full 1.854 W a thread", () => {
  const guest = { threads: 2, microarchitecture: "zen4" };
  expect(guestPower(model, guest, 0).value).toBeCloseTo(2 * 0.3281, 9);
  expect(guestPower(model, guest, 1).value).toBeCloseTo(2 * 1.854, 9);
  // The measured curve is at 42.65 % of its way at half load.
  const half = 2 * (0.3281 + (1.854 - 0.3281) * 0.4265);
  expect(guestPower(model, guest, 0.5).value).toBeCloseTo(half, 9);
});

test("the guests of a server add up to the server", () => {
  const shares = fc.array(fc.integer({ min: 1, max: 64 }), { minLength: 1, maxLength: 12 });
  const load = fc.double({ min: 0, max: 1, noNaN: true });
  const kind = fc.constantFrom(...Object.keys(model.threads));
  fc.assert(
    fc.property(shares, load, kind, (threads, u, microarchitecture) => {
      const power = (n: number) => guestPower(model, { threads: n, microarchitecture }, u);
      const parts = threads.map(power).reduce((sum, { value }) => sum + value, 0);
      expect(parts).toBeCloseTo(power(threads.reduce((a, b) => a + b)).value, 6);
    }),
  );
});

describe("a microarchitecture that was not measured", () => {
  const guest = { threads: 4, microarchitecture: "neoverse-v1" };

  test("is said to be one", () => {
    expect(threadPowerOf(model, "neoverse-v1").known).toBe(false);
    expect(explainGuest(model, guest)).toContain("neoverse-v1 is not among those measured");
    expect(explainGuest(model, { ...guest, microarchitecture: null })).toContain("not among");
  });

  test("has the interval of all that were", () => {
    const { low, high } = guestPower(model, guest, 1);
    for (const { full } of Object.values(model.threads)) {
      expect(4 * full.low).toBeGreaterThanOrEqual(low - 1e-9);
      expect(4 * full.high).toBeLessThanOrEqual(high + 1e-9);
    }
  });
});

// Cloud Carbon Footprint, coefficients of 2026-04 (watts a thread, idle and full; Apache-2.0): means
// over all servers, ours medians over CPU models of large ones.
test.each([
  ["broadwell", 0.713, 3.685],
  ["skylake-sp", 0.613, 4.104],
  ["cascade-lake", 0.69, 4.063],
  ["ice-lake-sp", 0.767, 3.758],
  ["sapphire-rapids", 1.036, 4.16],
  ["emerald-rapids", 0.814, 4.482],
  ["granite-rapids", 0.582, 2.527],
  ["zen", 0.847, 2.604],
  ["zen2", 0.474, 1.693],
  ["zen3", 0.456, 1.957],
  ["zen4", 0.739, 2.282],
])("%s agrees with the published means within the interval", (name, idle, full) => {
  const power = threadPowerOf(model, name);
  expect(idle).toSatisfy((w: number) => w > power.idle.low && w < power.idle.high);
  expect(full).toSatisfy((w: number) => w > power.full.low && w < power.full.high);
});

test("the fifth EPYC generation draws less a thread than the fourth, unlike in the published table", () => {
  // The published row says 3.68 and 8.96 W.
  expect(threadPowerOf(model, "zen5").full.watts).toBeLessThan(
    threadPowerOf(model, "zen4").full.watts,
  );
});
