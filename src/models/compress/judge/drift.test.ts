import { expect, test } from "vitest";
import { createRandom } from "../../../core/index.ts";
import { allRows, memoryDataset } from "../../data/index.ts";
import { inputDrift } from "./drift.ts";

const [ROWS, LENGTH] = [200, 50];

/** Normal numbers; those of the second half of the rows moved and scaled. */
function numbers({ shift, scale }: { readonly shift: number; readonly scale: number }) {
  const random = createRandom(4);
  const data = Float32Array.from({ length: ROWS * LENGTH }, (_, at) => {
    const value = random.normal();
    return at < (ROWS / 2) * LENGTH ? value : shift + scale * value;
  });
  const dataset = memoryDataset("numbers", [
    { name: "x", dataType: "float32", shape: [LENGTH], data },
  ]);
  return { dataset, columns: new Map([["x", "x"]]), fixed: {}, batch: 10 };
}

const halves = [allRows(ROWS / 2), allRows(ROWS / 2).map((row) => row + ROWS / 2)] as const;

test("halves of one population are alike", async () => {
  const [drift] = await inputDrift(numbers({ shift: 0, scale: 1 }), ...halves);
  expect(drift?.psi).toBeGreaterThanOrEqual(0);
  expect(drift?.psi).toBeLessThan(0.02);
  expect(drift?.outside).toBeLessThan(0.002);
});

// Two normals of one deviation, a deviation apart: the index in the limit of fine bins is the Jeffreys
// divergence, shift^2 = 1.
test("a shift by a deviation is the divergence of the two populations", async () => {
  const [drift] = await inputDrift(numbers({ shift: 1, scale: 1 }), ...halves);
  expect(drift?.psi).toBeGreaterThan(0.8);
  expect(drift?.psi).toBeLessThan(1.1);
});

test("other scales show by what lies beyond the range", async () => {
  const [drift] = await inputDrift(numbers({ shift: 0, scale: 255 }), ...halves);
  expect(drift?.outside).toBeGreaterThan(0.9);
});
