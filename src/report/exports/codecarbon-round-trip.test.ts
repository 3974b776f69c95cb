import fc from "fast-check";
import { expect, test } from "vitest";
import { exampleCard } from "../../../test/example-card.ts";
import type { Card } from "../../core/card.ts";
import { exact } from "../../core/index.ts";
import { importCodeCarbon } from "../../measure/import/index.ts";
import { renderCodeCarbon } from "./codecarbon.ts";

function imported(card: Card): Card {
  const { text } = renderCodeCarbon([card], () => "DEU");
  const [back] = importCodeCarbon(text, { offset: 0, version: "0.1.0" });
  if (back === undefined) throw new Error("no card");
  return back;
}

test("what godwit exports comes back: energy, emissions, time, name", () => {
  const name = fc.string({ unit: fc.constantFrom("a", ",", '"', "\n", "=", "é", "-", "'") });
  const number = fc.double({ min: 1, max: 1e9, noNaN: true });
  fc.assert(
    fc.property(
      name,
      number,
      fc.double({ min: 10, max: 900, noNaN: true }),
      (subject, joules, grams) => {
        const origin = { method: "measured", source: "x" } as const;
        const energy = exact("J", joules, origin);
        const emissions = exact("gCO2e", (joules / 3.6e6) * grams, origin);
        const card = exampleCard({
          subject: { kind: "job", name: `x${subject}`, tags: {} },
          measures: { duration: exact("s", 60, origin), energy: { gross: energy }, emissions },
          boundary: { headline: "gross", scope: "component", idlePolicy: "" },
          components: [],
        });
        const back = imported(card);
        expect(back.measures.energy?.gross.value).toBeCloseTo(joules, 4);
        expect((back.measures.emissions?.value ?? 0) / emissions.value).toBeCloseTo(1, 9);
        expect(back.subject.name).toBe(`x${subject}`);
        expect(back.startedAt).toBe("2026-01-01T00:00:00.000Z");
      },
    ),
  );
});
