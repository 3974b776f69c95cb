import fc from "fast-check";
import { expect, test } from "vitest";
import { parseCpuList } from "./cpu-list.ts";

test("a list of processors is the set that wrote it", () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.integer({ min: 0, max: 300 })), (numbers) => {
      const ascending = [...numbers].sort((a, b) => a - b);
      expect(parseCpuList(numbers.join(","))).toEqual(ascending);
    }),
  );
  expect(parseCpuList("0-3,8,10-11\n")).toEqual([0, 1, 2, 3, 8, 10, 11]);
  expect(parseCpuList("")).toEqual([]);
  for (const wrong of ["a", "3-1", "1-", "0-999999999"]) expect(parseCpuList(wrong)).toBeNull();
});
