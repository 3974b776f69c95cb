import fc from "fast-check";
import { expect, test } from "vitest";
import { createTreeCounter, type ProcessRow } from "./tree.ts";

const row = (pid: number, parent: number, cpu: number, reaped = 0): ProcessRow => ({
  pid,
  parent,
  start: `s${pid}`,
  cpu,
  reaped,
  rssBytes: 1000,
});

test("a tree is the root, its children and theirs, and nothing beside", () => {
  const tree = createTreeCounter(10);
  const totals = tree.update([row(1, 0, 99), row(10, 5, 1), row(11, 10, 2), row(12, 11, 4)], 0);
  expect(totals).toEqual({ cpuSeconds: 7, rssBytes: 3000, pids: [10, 11, 12] });
  expect(tree.has(1)).toBe(false);
});

test("a child that was waited for is counted once, in its parent", () => {
  const tree = createTreeCounter(10);
  tree.update([row(10, 5, 1), row(11, 10, 2)], 0);
  expect(tree.update([row(10, 5, 1, 2.5)], 0).cpuSeconds).toBe(3.5);
});

test("a child that nobody waited for is kept as last seen", () => {
  const tree = createTreeCounter(10);
  tree.update([row(10, 5, 1), row(11, 10, 2)], 0);
  expect(tree.update([row(10, 5, 1)], 0).cpuSeconds).toBe(3);
  expect(tree.update([row(10, 5, 2)], 0).cpuSeconds).toBe(4);
});

test("a daemon that took another parent is still followed, and kept when it ends", () => {
  const tree = createTreeCounter(10);
  tree.update([row(10, 5, 1), row(11, 10, 2)], 0);
  expect(tree.update([row(10, 5, 1), row(11, 1, 6)], 0).cpuSeconds).toBe(7);
  expect(tree.update([row(10, 5, 1)], 0).cpuSeconds).toBe(7);
});

test("a pid used again by a stranger is not taken for the one before", () => {
  const tree = createTreeCounter(10);
  tree.update([row(10, 5, 1), row(11, 10, 2)], 0);
  const stranger = { ...row(11, 1, 500), start: "later" };
  expect(tree.update([row(10, 5, 1, 2), stranger], 0).cpuSeconds).toBe(3);
});

test("when the root itself was waited for, its whole time is in our own count", () => {
  const tree = createTreeCounter(10);
  tree.update([row(10, 5, 1, 2)], 0);
  expect(tree.update([], 3.2).cpuSeconds).toBe(3.2);
});

// A made-up kernel: processes run, fork, end; ended ones are waited for, or not, at random.
const event = fc.record({
  kind: fc.constantFrom("run", "fork", "end", "look"),
  who: fc.nat(),
  seconds: fc.integer({ min: 1, max: 9 }),
  waited: fc.boolean(),
});

test("the total never falls and never exceeds what the processes really used", () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 60 }), (events) => {
      const alive = new Map([[10, row(10, 5, 0)]]);
      const tree = createTreeCounter(10);
      let used = 0;
      let next = 11;
      let before = 0;
      for (const { kind, who, seconds, waited } of events) {
        const all = [...alive.values()];
        const chosen = all[who % all.length];
        if (chosen === undefined) break;
        if (kind === "run") {
          alive.set(chosen.pid, { ...chosen, cpu: chosen.cpu + seconds });
          used += seconds;
        } else if (kind === "fork") {
          alive.set(next, row(next, chosen.pid, 0));
          next++;
        } else if (kind === "end" && chosen.pid !== 10) {
          alive.delete(chosen.pid);
          for (const child of all) {
            if (child.parent === chosen.pid) alive.set(child.pid, { ...child, parent: 1 });
          }
          const parent = alive.get(chosen.parent);
          if (parent !== undefined && waited) {
            const reaped = parent.reaped + chosen.cpu + chosen.reaped;
            alive.set(parent.pid, { ...parent, reaped });
          }
        } else if (kind === "look") {
          const { cpuSeconds } = tree.update(alive.values(), 0);
          expect(cpuSeconds).toBeGreaterThanOrEqual(before);
          expect(cpuSeconds).toBeLessThanOrEqual(used);
          before = cpuSeconds;
        }
      }
    }),
  );
});

test("all that was seen stays counted, however processes end", () => {
  const tree = createTreeCounter(10);
  tree.update([row(10, 5, 1), row(11, 10, 2), row(12, 11, 4), row(13, 12, 8)], 0);
  // 11 and 12 end unwaited for; 13 is adopted by init.
  expect(tree.update([row(10, 5, 1), row(13, 1, 8)], 0).cpuSeconds).toBe(15);
  expect(tree.update([row(10, 5, 1)], 0).cpuSeconds).toBe(15);
});
