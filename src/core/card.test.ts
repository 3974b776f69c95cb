import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { exampleCard } from "../../test/example-card.ts";
import { cardJsonSchema, parseCard } from "./card.ts";
import { exact, figure } from "./index.ts";

const origin = { method: "estimated", source: "test", fallbacks: ["no sensor"] } as const;

describe("a card", () => {
  test("survives JSON, whatever its numbers and names are", () => {
    const number = fc.double({ min: 0, max: 1e15, noNaN: true });
    const any = fc.record({
      value: number,
      name: fc.string(),
      tags: fc.dictionary(fc.string(), fc.string()),
    });
    fc.assert(
      fc.property(any, ({ value, name, tags }) => {
        const card = parseCard(
          exampleCard({
            subject: { kind: "command", name, command: [name, "--x"], tags },
            measures: {
              duration: exact("s", value, origin),
              energy: { gross: figure("J", value, { low: value / 2, high: value * 2 }, origin) },
            },
          }),
        );
        expect(parseCard(JSON.parse(JSON.stringify(card)))).toEqual(card);
      }),
    );
  });
  test("of a newer minor version keeps the fields that this version does not know", () => {
    const written = {
      ...exampleCard(),
      comets: [1, 2],
      machine: { ...exampleCard().machine, fans: 3 },
    };
    expect(parseCard(written)).toMatchObject({ comets: [1, 2], machine: { fans: 3 } });
  });
  test("of a newer major version is refused by name", () => {
    expect(() => parseCard({ ...exampleCard(), schema: "godwit.card/2" })).toThrow(
      /godwit\.card\/2/,
    );
  });
  test("is frozen to the last figure", () => {
    const card = parseCard(exampleCard());
    expect(Object.isFrozen(card)).toBe(true);
    expect(Object.isFrozen(card.measures.duration)).toBe(true);
  });
});

describe("what is not a card is refused, and the field is named", () => {
  const broken = (measures: object) => ({ ...exampleCard(), measures });
  test.each([
    ["nothing", null, "not a card"],
    ["text", "card", "not a card"],
    ["no duration", broken({}), "measures.duration"],
    [
      "a power in joules",
      broken({ ...exampleCard().measures, duration: exact("J", 1, origin) }),
      "duration.unit",
    ],
    [
      "a value outside its interval",
      broken({ duration: { ...exact("s", 1, origin), low: 2, high: 3 } }),
      "measures.duration",
    ],
  ])("%s", (_, value, names) => {
    expect(() => parseCard(value)).toThrow(names);
  });
});

test("the JSON Schema of a card describes its fields with their units", () => {
  const schema = JSON.stringify(cardJsonSchema());
  expect(schema).toContain("godwit.card/1");
  expect(schema).toContain("gCO2e/kWh");
});
