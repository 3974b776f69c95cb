import { describe, expect, test } from "vitest";
import { parseFacts } from "./facts.ts";

test("quality, operations and parameters reach the card, declared by the command", () => {
  const { quality, extra } = parseFacts(
    JSON.stringify({
      quality: { metric: "accuracy", value: 0.93, baseline: { name: "majority", value: 0.5 } },
      operations: { macs: 12, source: "Conv only" },
      parameters: { count: 7, source: "counted" },
    }),
  );
  expect(quality).toEqual({
    metric: "accuracy",
    value: 0.93,
    baseline: { name: "majority", value: 0.5 },
  });
  expect(extra?.operations?.macs).toMatchObject({
    value: 12,
    unit: "MAC",
    method: "declared",
    source: "the command itself: Conv only",
  });
  expect(extra?.operations?.flops).toBeUndefined();
  expect(extra?.parameters).toMatchObject({ value: 7, unit: "parameters" });
});

describe("what cannot be right is named", () => {
  test.each([
    ["no JSON", "accuracy 0.9", "no JSON"],
    ["an unknown field", '{"accuracy": 0.9}', "accuracy"],
    ["a text for a number", '{"quality": {"metric": "a", "value": "0.9"}}', "quality.value"],
    ["negative operations", '{"operations": {"macs": -1, "source": ""}}', "operations.macs"],
    ["operations of no source", '{"operations": {"macs": 1}}', "operations.source"],
    ["infinity", '{"quality": {"metric": "a", "value": 1e999}}', "quality.value"],
    ["a list", "[]", "the whole"],
  ])("%s", (_, text, fault) => {
    expect(() => parseFacts(text)).toThrow(fault);
  });
});
