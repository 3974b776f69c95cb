import { describe, expect, test } from "vitest";
import { figure } from "../../core/index.ts";
import { payBackStep } from "./pay-back.ts";

const joules = (value: number, low: number, high: number) =>
  figure("J", value, { low, high }, { method: "estimated", source: "a test" });

describe("what work costs", () => {
  test("is paid back by what each use saves", () => {
    const { result, inputs } = payBackStep(joules(1000, 500, 2000), joules(0.4, 0.2, 0.8));
    expect(result).toMatchObject({ value: 2500, low: 2500, high: 2500, unit: "1" });
    expect(inputs).toHaveProperty("saved");
  });

  test("has an interval where the two are not equally uncertain", () => {
    const { result } = payBackStep(joules(1000, 800, 1500), joules(0.5, 0.25, 1));
    expect(result).toMatchObject({ value: 2000, low: 1500, high: 3200 });
  });
});
