import fc from "fast-check";
import { expect, test } from "vitest";
import { endRecord, startRecord, ticksAt } from "../../../test/run-records.ts";
import { assemble } from "./assemble.ts";
import { createJournal, thin } from "./journal.ts";

test("memory stays bounded and the energy of a day is kept to the joule", () => {
  const journal = createJournal();
  journal.append(startRecord());
  const times = Array.from({ length: 86_401 }, (_, second) => second);
  // A spike of 500 W for one second, early in the day.
  const energy = (t: number) => 50 * t + (t > 1000 ? 450 : 0);
  for (const tick of ticksAt(times, { joules: [energy], busyS: (t) => t, subjectS: (t) => t })) {
    journal.append(tick);
  }
  journal.append(endRecord(86_400));
  expect(journal.records().length).toBeLessThanOrEqual(4098);
  const card = assemble(journal.records());
  expect(card.measures.energy?.gross.value).toBeCloseTo(50 * 86_400 + 450, 6);
  expect(card.components[0]?.peakPower?.value).toBeCloseTo(500, 6);
  expect(card.series[0]?.watts.length).toBeLessThanOrEqual(520);
  expect(Math.max(...(card.series[0]?.watts ?? []).map((watts) => watts ?? 0))).toBeCloseTo(500, 6);
});

test("thinning keeps first, last, the highest power and the edges of silence", () => {
  const tick = fc.record({
    seconds: fc.integer({ min: 1, max: 5 }),
    watts: fc.integer({ min: 0, max: 300 }),
    seen: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(tick, { minLength: 2, maxLength: 200 }), (steps) => {
      let [t, joules] = [0, 0];
      const ticks = steps.map(({ seconds, watts, seen }) => {
        t += seconds;
        joules += seconds * watts;
        const [record] = ticksAt([t], { joules: [() => (seen ? joules : null)] });
        return record ?? expect.fail("no tick");
      });
      const thinned = thin(ticks);
      expect(thinned[0]).toBe(ticks[0]);
      expect(thinned.at(-1)).toBe(ticks.at(-1));
      for (const [index, here] of ticks.entries()) {
        const next = ticks[index + 1];
        if (next === undefined) continue;
        if ((here.values[0] === null) !== (next.values[0] === null)) {
          expect(thinned).toContain(here);
          expect(thinned).toContain(next);
        }
      }
    }),
  );
});

test("the end comes last whatever was said after it", () => {
  const journal = createJournal();
  journal.append(startRecord());
  journal.append(endRecord(1));
  for (const tick of ticksAt([0, 1], { joules: [(t) => t] })) journal.append(tick);
  expect(journal.records().map(({ type }) => type)).toEqual(["start", "tick", "tick", "end"]);
});

test("a sink that fails is told once, and appended to still", () => {
  const faults: string[] = [];
  let calls = 0;
  const sink = { append: () => ({ reason: `fault ${++calls}` }) };
  const journal = createJournal(sink, (reason) => faults.push(reason));
  journal.append(startRecord());
  journal.append(endRecord(1));
  expect(calls).toBe(2);
  expect(faults).toEqual(["fault 1"]);
});
