import fc from "fast-check";
import { expect, test } from "vitest";
import { createEpochReader, parseEpochPattern } from "./epochs.ts";

const epochsIn = (pattern: string, pieces: readonly string[]): number[] => {
  const reader = createEpochReader(parseEpochPattern(pattern));
  return pieces.flatMap((piece) => reader.feed(piece, 0n).map(({ epoch }) => epoch));
};

test("an epoch is marked at its first line alone", () => {
  expect(epochsIn("Epoch (\\d+)", ["Epoch 1/3\nEpoch 1/3 loss\nEpoch 2/3\nEpoch 3/3\n"])).toEqual([
    1, 2, 3,
  ]);
});

test("progress bars that draw over their line are read too", () => {
  expect(epochsIn("Epoch (\\d+)", ["Epoch 0:  1%\rEpoch 0: 50%\rEpoch 1:  1%\r"])).toEqual([0, 1]);
});

test("a line that is not ended is not read yet", () => {
  expect(epochsIn("Epoch (\\d+)", ["Epoch 1"])).toEqual([]);
  expect(epochsIn("Epoch (\\d+)", ["Epoch 1", "2\n"])).toEqual([12]);
});

test("a lower number is a repeat, such as of a validation pass", () => {
  expect(epochsIn("(\\d+)", ["1\n2\n1\n2\n3\n"])).toEqual([1, 2, 3]);
});

test("without a group each match is an epoch", () => {
  expect(epochsIn("epoch done", ["epoch done\nx\nepoch done\n"])).toEqual([1, 2]);
});

test("a log that is one endless line keeps memory bounded and is still read", () => {
  const reader = createEpochReader(/Epoch (\d+)/);
  for (let i = 0; i < 100; i++) reader.feed("x".repeat(100_000), 0n);
  expect(reader.feed(" Epoch 4\n", 0n)).toEqual([{ epoch: 4, at: 0n }]);
});

test("what is found does not depend on where the pieces end", () => {
  const text = "start\nEpoch 1/9\r\nfoo\rEpoch 2/9 loss 0.3\nEpoch 2/9\nEpoch 10/9\n";
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: text.length })), (cuts) => {
      const edges = [0, ...cuts.sort((a, b) => a - b), text.length];
      const pieces = edges.slice(1).map((edge, i) => text.slice(edges[i], edge));
      expect(epochsIn("Epoch (\\d+)", pieces)).toEqual([1, 2, 10]);
    }),
  );
});

test("a pattern that is none is refused with an example", () => {
  expect(() => parseEpochPattern("Epoch (")).toThrow(
    expect.objectContaining({ code: "invalid-input" }),
  );
});
