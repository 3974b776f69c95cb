import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createRandom } from "../../core/index.ts";
import { configAt, drawConfig, parseSpace, pointOf } from "./index.ts";

const SPACE = parseSpace({
  lr: { float: [1e-4, 1], log: true },
  layers: { integer: [1, 4] },
  optimizer: { choice: ["sgd", "adam", "lion"] },
});

describe("the space", () => {
  test("values and places go back and forth, ends included", () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 3, maxLength: 3 }),
        (point) => {
          const config = configAt(SPACE, point);
          expect(configAt(SPACE, pointOf(SPACE, config))).toMatchObject({
            layers: config["layers"],
            optimizer: config["optimizer"],
          });
          expect(Number(config["lr"])).toBeGreaterThanOrEqual(1e-4);
          expect(Number(config["lr"])).toBeLessThanOrEqual(1);
          expect([1, 2, 3, 4]).toContain(config["layers"]);
        },
      ),
    );
    expect(configAt(SPACE, [0, 0, 0])).toEqual({ lr: 1e-4, layers: 1, optimizer: "sgd" });
    expect(configAt(SPACE, [1, 1, 1])).toEqual({ lr: 1, layers: 4, optimizer: "lion" });
    expect(configAt(SPACE, [0.5, 0.5, 0.5])["lr"]).toBeCloseTo(1e-2, 12);
  });

  test("every integer and every choice is drawn equally often", () => {
    const random = createRandom(1);
    const counts = new Map<unknown, number>();
    for (let draw = 0; draw < 4000; draw++) {
      const { layers, optimizer } = drawConfig(SPACE, random);
      for (const value of [layers, optimizer]) counts.set(value, (counts.get(value) ?? 0) + 1);
    }
    for (const layers of [1, 2, 3, 4])
      expect(Math.abs((counts.get(layers) ?? 0) - 1000)).toBeLessThan(110);
    for (const name of ["sgd", "adam"])
      expect(Math.abs((counts.get(name) ?? 0) - 1333)).toBeLessThan(120);
  });

  test.each([
    [{}, "no object of parameters"],
    [{ lr: 3 }, "parameter lr: no object"],
    [{ lr: { float: [1, 0] } }, "parameter lr: no range"],
    [{ lr: { float: [0, 1], log: true } }, "a logarithmic range from 0"],
    [{ n: { integer: [0.5, 2] } }, "an integer from 0.5"],
    [{ n: { choice: [] } }, "no list of choices"],
    [{ n: { choice: [1], float: [0, 1] } }, "2 domains"],
    [{ n: { flaot: [0, 1] } }, "an unknown field flaot"],
    [{ resource: { float: [0, 1] } }, "parameter resource: not a name"],
    [{ "a b": { float: [0, 1] } }, "parameter a b: not a name"],
  ])("%j is refused", (space, fault) => {
    expect(() => parseSpace(space)).toThrow(fault);
  });
});
