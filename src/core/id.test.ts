import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isCardId, newCardId } from "./id.ts";

const at = (wall: number) => ({ wall: () => wall });

describe("newCardId", () => {
  test("spells the time in base 32 and adds six random characters", () => {
    const bytes = (count: number) => new Uint8Array(count).fill(31);
    expect(newCardId(at(0), bytes)).toBe("000000000-zzzzzz");
    expect(newCardId(at(33), bytes)).toBe("000000011-zzzzzz");
    // 2^45 - 1 ms is the last instant of nine digits: 3084-12-12.
    expect(newCardId(at(2 ** 45 - 1), bytes)).toBe("zzzzzzzzz-zzzzzz");
  });

  test("sorts as text in the order of time", () => {
    const instant = fc.integer({ min: 0, max: 2 ** 45 - 1 });
    fc.assert(
      fc.property(instant, instant, (a, b) => {
        fc.pre(a !== b);
        expect(newCardId(at(a)) < newCardId(at(b))).toBe(a < b);
      }),
    );
  });

  test("differs within one millisecond and is an id", () => {
    const ids = Array.from({ length: 1000 }, () => newCardId(at(1_795_000_000_000)));
    expect(new Set(ids).size).toBe(1000);
    expect(ids.every(isCardId)).toBe(true);
  });

  test("a clock before 1970 or between milliseconds still gives an id", () => {
    expect(isCardId(newCardId(at(-5)))).toBe(true);
    expect(isCardId(newCardId(at(1.5)))).toBe(true);
  });
});

test.each(["", "../x", "a/b", ".hidden", "-rf", "a b", "a~1", "x".repeat(65)])(
  "%j is not a card's id",
  (text) => expect(isCardId(text)).toBe(false),
);
