import fc from "fast-check";
import { expect, test } from "vitest";
import { csvField, parseCsv, parseCsvTable } from "./csv.ts";

test("quoted fields may hold commas, line breaks and quotes (RFC 4180, 2.5 to 2.7)", () => {
  expect(parseCsv('a,"b,c"\r\n"d\ne","f""g"\r\n')).toEqual([
    ["a", "b,c"],
    ["d\ne", 'f"g'],
  ]);
});

test("empty fields are kept, also the last one", () => {
  expect(parseCsv("a,,\n,b,")).toEqual([
    ["a", "", ""],
    ["", "b", ""],
  ]);
});

test("a byte order mark is no part of the first field", () => {
  expect(parseCsv("\ufeffa,b")).toEqual([["a", "b"]]);
});

test("what is written can be read back", () => {
  const field = fc.string({ unit: fc.constantFrom("a", ",", '"', "\n", "\r", " ", "é") });
  const rows = fc.array(fc.array(field, { minLength: 2, maxLength: 4 }), { minLength: 1 });
  fc.assert(
    fc.property(rows, (table) => {
      const text = table.map((row) => `${row.map(csvField).join(",")}\r\n`).join("");
      expect(parseCsv(text)).toEqual(table);
    }),
  );
});

test("an unclosed quote and a row of another width are named", () => {
  expect(() => parseCsv('a,"b')).toThrow(/offset 2/);
  expect(() => parseCsvTable("a,b\n1,2\n3")).toThrow(/row 3/);
});
