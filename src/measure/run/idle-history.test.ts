import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  endRecord,
  everySecond,
  MACHINE,
  NO_SUPPLY,
  sensorRecord,
  startRecord,
  ticksAt,
} from "../../../test/run-records.ts";
import type { Card } from "../../core/card.ts";
import { exact, figure } from "../../core/index.ts";
import { openLedger } from "../../ledger/index.ts";
import { assemble } from "./assemble.ts";
import { idleFromHistory, readIdleHistory } from "./idle-history.ts";
import type { EndRecord, SensorRecord, StartRecord } from "./record.ts";

const declared = { method: "declared", source: "a test" } as const;
const question = { machine: MACHINE, sensors: [sensorRecord()] };

/** Ten seconds of idle at so many watts, then ten of full load at 100 W. */
function cardOf(
  watts: number,
  start: Partial<StartRecord> = {},
  end: Partial<EndRecord> = {},
): Card {
  const ticks = ticksAt(everySecond(20), {
    joules: (start.sensors ?? [sensorRecord()]).map(
      () => (t: number) => Math.min(t, 10) * watts + Math.max(0, t - 10) * 100,
    ),
    busyS: (t) => 0.2 * Math.min(t, 10) + 8 * Math.max(0, t - 10),
    subjectS: (t) => 4 * Math.max(0, t - 10),
  });
  return assemble([startRecord({ wall: NO_SUPPLY, ...start }), ...ticks, endRecord(20, end)]);
}
const powerOf = (card: Card) => card.components[0]?.idlePower;
const cards = (...watts: number[]): Card[] => watts.map((power) => cardOf(power));

describe("a card keeps the idle power that its run saw", () => {
  test("while the machine was less than 5 % busy", () => {
    expect(powerOf(cardOf(20))).toMatchObject({ value: 20, low: 20, high: 20, method: "measured" });
  });

  test("or that was measured before it", () => {
    const idle = { "fake:package-0": exact("W", 18, declared) };
    expect(powerOf(cardOf(20, { idle }))?.value).toBe(18);
  });

  test("of a sensor, never of a model", () => {
    const idle = { "fake:package-0": exact("W", 18, declared) };
    const sensors: SensorRecord[] = [sensorRecord({ method: "estimated" })];
    expect(powerOf(cardOf(20, { sensors, idle }))).toBeUndefined();
  });

  test("not of a whole machine whose GPU may have worked meanwhile", () => {
    const wall = sensorRecord({ domain: "machine", scope: "wall" });
    const gpu = sensorRecord({ id: "fake:gpu", domain: "gpu", counted: false });
    expect(powerOf(cardOf(20, { sensors: [wall] }))?.value).toBe(20);
    expect(powerOf(cardOf(20, { sensors: [wall, gpu] }))).toBeUndefined();
  });
});

describe("the baseline from history", () => {
  test("is the lowest 5 % of at least five runs, up to their median", () => {
    expect(idleFromHistory(cards(20, 22, 24, 30), question)).toEqual({});
    const found = idleFromHistory(cards(30, 20, 22, 24, 26), question)["fake:package-0"];
    // Type 7: 20 + 0.2 x (22 - 20).
    expect(found?.value).toBeCloseTo(20.4, 9);
    expect(found?.high).toBeCloseTo(24, 9);
    expect(found?.source).toContain("5 earlier runs");
  });

  test("is of this machine and this sensor alone", () => {
    const many = cards(20, 20, 20, 20, 20);
    const of = (changes: Partial<SensorRecord>) =>
      idleFromHistory(many, { ...question, sensors: [sensorRecord(changes)] });
    expect(of({ device: "package-1" })).toEqual({});
    expect(of({ provider: "other" })).toEqual({});
    expect(of({ method: "estimated" })).toEqual({});
    const machine = { ...MACHINE, id: "another" };
    expect(idleFromHistory(many, { ...question, machine })).toEqual({});
    const kind = { ...MACHINE, idBasis: "hardware" };
    expect(idleFromHistory(many, { ...question, machine: kind })).toEqual({});
  });

  test("tells idle from active energy, unless the run has a baseline of its own", () => {
    const history = { "fake:package-0": figure("W", 40, { low: 38, high: 42 }, declared) };
    // 20 W x 10 s and 40 W x 10 s of 1200 J are idle; the subject has half of the rest, to a tick.
    expect(cardOf(20, {}, { idle: history }).measures.energy?.net?.value).toBeCloseTo(300, -1);
    const own = { "fake:package-0": exact("W", 10, declared) };
    const { net } = cardOf(20, { idle: own }, { idle: history }).measures.energy ?? {};
    expect(net?.value).toBeCloseTo(450, -1);
  });

  test("is read from a ledger, and from none without a fault", async () => {
    const folder = mkdtempSync(join(tmpdir(), "idle-history-"));
    try {
      expect(await readIdleHistory({ folder: join(folder, "none") }, question)).toEqual({});
      const ledger = await openLedger(folder);
      for (const [index, card] of cards(20, 21, 22, 23, 24).entries()) {
        await ledger.put({ ...card, id: `run-${index}` });
      }
      ledger.close();
      const found = await readIdleHistory({ folder }, question);
      expect(found["fake:package-0"]?.value).toBeCloseTo(20.2, 9);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
