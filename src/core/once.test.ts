import { expect, test } from "vitest";
import { once } from "./once.ts";

test("a value is made when it is first asked for, and once, also when it is undefined", () => {
  let made = 0;
  const value = once(() => {
    made += 1;
    return undefined;
  });
  expect(made).toBe(0);
  expect([value(), value(), made]).toEqual([undefined, undefined, 1]);
});
