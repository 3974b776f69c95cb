import { expect, test } from "vitest";
import { editDistance, suggest } from "./suggest.ts";

test.each([
  ["kitten", "sitting", 3],
  ["rnus", "runs", 1],
  ["", "abc", 3],
  ["same", "same", 0],
])("from %s to %s are %i edits", (from, to, distance) => {
  expect(editDistance(from, to)).toBe(distance);
});

test("the nearest word is suggested, a far one is not", () => {
  expect(suggest("Germny", ["France", "Germany"])).toBe("Germany");
  expect(suggest("xyzzy", ["France", "Germany"])).toBeNull();
});
