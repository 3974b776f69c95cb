import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { createMeter } from "./index.ts";

test("a meter without options measures this process, live and as a card", async () => {
  const meter = createMeter({ interval: 0.05 });
  await meter.start();
  const samples = meter.samples()[Symbol.asyncIterator]();
  // Something else has to keep a process alive; here it is the wait.
  const [first] = await Promise.all([samples.next(), delay(200)]);
  expect(first.value).toMatchObject({ t: expect.any(Number), subjectS: expect.any(Number) });
  const card = await meter.stop();
  expect(card).toMatchObject({ schema: "godwit.card/1", subject: { kind: "span", name: "meter" } });
  expect(card.measures.energy?.gross.value).toBeGreaterThan(0);
  let last = await samples.next();
  while (last.done !== true) last = await samples.next();
});

test("what is given takes the place of the defaults", async () => {
  const subject = { kind: "span", name: "load", tags: { step: "1" } } as const;
  const meter = createMeter({ subject, providers: [] });
  await meter.start();
  const card = await meter.stop();
  expect(card.subject).toEqual(subject);
  expect(card.measures.energy).toBeUndefined();
});
