import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { smallData, smallNet } from "../../test/small-net.ts";
import { microBatch } from "./micro-batch.ts";
import { createSession, type Session } from "./session.ts";

const { x } = smallData(20);
const rowOf = (row: number) => ({
  x: { dataType: "float32" as const, dims: [1, 4], data: x.slice(4 * row, 4 * row + 4) },
});
let session: Session;
beforeAll(async () => {
  session = await createSession(smallNet(), { threads: 1 });
});
afterAll(() => session.close());

/** A session that counts its runs. */
function counting() {
  let runs = 0;
  const counted: Session = {
    ...session,
    run(feeds, options) {
      runs++;
      return session.run(feeds, options);
    },
  };
  return { counted, runs: () => runs };
}

describe("requests in small batches", () => {
  test("each gets its own row, in far fewer runs", async () => {
    const { counted, runs } = counting();
    const batch = microBatch(counted, { most: 8, patience: 1 });
    const together = await Promise.all(
      Array.from({ length: 20 }, (_, row) => batch.run(rowOf(row))),
    );
    expect(runs()).toBe(3);
    for (const [row, outputs] of together.entries()) {
      const alone = await session.run(rowOf(row));
      expect(outputs["scores"]?.dims).toEqual([1, 3]);
      const [a, b] = [outputs["scores"]?.data, alone["scores"]?.data] as Float32Array[];
      for (const [at, value] of (b ?? []).entries()) expect(a?.[at]).toBeCloseTo(value, 5);
    }
  });

  test("a fault of the run reaches everybody that waited", async () => {
    const batch = microBatch(session, { most: 2 });
    const bad = { x: { dataType: "float32" as const, dims: [1, 3], data: new Float32Array(3) } };
    const both = await Promise.allSettled([batch.run(bad), batch.run(bad)]);
    expect(both.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  });

  test("what waits can be run at once", async () => {
    const batch = microBatch(session, { patience: 1e6 });
    const answer = batch.run(rowOf(0));
    await batch.flush();
    expect((await answer)["scores"]?.data).toHaveLength(3);
  });
});
