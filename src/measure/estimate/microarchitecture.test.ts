import { describe, expect, test } from "vitest";
import { createFakeHost } from "../../../test/fake-host.ts";
import { findMicroarchitecture, loadMicroarchitectures } from "./microarchitecture.ts";

const table = await loadMicroarchitectures(createFakeHost());
const x86 = (vendor: string, family: number, model: number, stepping: number) =>
  findMicroarchitecture(table, { kind: "x86", vendor, family, model, stepping });

describe("x86", () => {
  // Linux, arch/x86/include/asm/intel-family.h; AMD Processor Programming References.
  test.each([
    ["AuthenticAMD", 25, 17, 1, "zen4", "server"],
    ["AuthenticAMD", 25, 1, 1, "zen3", "server"],
    ["AuthenticAMD", 25, 33, 0, "zen3", "client"],
    ["AuthenticAMD", 25, 160, 2, "zen4c", "server"],
    ["AuthenticAMD", 23, 49, 0, "zen2", "both"],
    ["AuthenticAMD", 26, 17, 0, "zen5c", "server"],
    ["GenuineIntel", 6, 143, 8, "sapphire-rapids", "server"],
    ["GenuineIntel", 6, 106, 6, "ice-lake-sp", "server"],
    ["GenuineIntel", 6, 183, 1, "raptor-lake", "both"],
    ["GenuineIntel", 6, 158, 9, "kaby-lake", "both"],
    ["GenuineIntel", 6, 158, 13, "coffee-lake", "both"],
  ] as const)("%s %i/%i/%i is %s, %s", (vendor, family, model, stepping, id, segment) => {
    expect(x86(vendor, family, model, stepping)).toMatchObject({ id, segment });
  });

  test("three generations of one model number are told apart by stepping", () => {
    const of = (stepping: number) => x86("GenuineIntel", 6, 85, stepping)?.id;
    expect([4, 7, 11].map(of)).toEqual(["skylake-sp", "cascade-lake", "cooper-lake"]);
    expect(of(8)).toBeUndefined();
  });

  test("what is not listed is null, not the nearest", () => {
    expect(x86("GenuineIntel", 6, 250, 0)).toBeNull();
    expect(x86("AuthenticAMD", 6, 143, 8)).toBeNull();
  });
});

test("ARM by implementer and part: Neoverse N1 is 0x41/0xd0c", () => {
  const arm = (implementer: number, part: number) =>
    findMicroarchitecture(table, { kind: "arm", implementer, part })?.id;
  expect(arm(0x41, 0xd0c)).toBe("neoverse-n1");
  expect(arm(0xc0, 0xac3)).toBe("ampere-1");
  expect(arm(0x42, 0xd0c)).toBeUndefined();
});

test("no identification stands for two microarchitectures", () => {
  for (const [index, a] of table.entries()) {
    for (const b of table.slice(index + 1)) {
      const sameCpu = a.vendor === b.vendor && a.family === b.family;
      const meets = (x: typeof a.models, y: typeof a.models) =>
        x.length === 0 ||
        y.length === 0 ||
        x.some(([low, high]) => y.some(([from, to]) => low <= to && from <= high));
      expect(sameCpu && meets(a.models, b.models) && meets(a.steppings, b.steppings)).toBe(false);
    }
  }
});
