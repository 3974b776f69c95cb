import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  add,
  maximum,
  minimum,
  multiply,
  type Size,
  SizeTooComplex,
  sameSize,
  subtract,
  symbol,
  symbolsOf,
} from "./dimension.ts";
import {
  ceilDivide,
  exactQuotient,
  floorDivide,
  floorOf,
  substitute,
} from "./dimension-division.ts";
import { formatSize } from "./dimension-text.ts";

const [batch, seq, past, W] = [symbol("batch"), symbol("seq"), symbol("past"), symbol("W")];

describe("sizes print as people write them", () => {
  test.each<[Size, string]>([
    [multiply(seq, batch), "batch*seq"],
    [add(1, multiply(past, 2)), "2*past + 1"],
    [floorDivide(W, 8), "floor(W/8)"],
    [ceilDivide(W, 8), "ceil(W/8)"],
    [subtract(W, 2), "W - 2"],
    [subtract(2, W), "2 - W"],
    [multiply(W, W), "W^2"],
    [floorDivide(multiply(W, 3), 8), "floor(3*W/8)"],
    [floorDivide(add(W, seq), 2), "floor((W + seq)/2)"],
    [floorDivide(W, multiply(2, seq)), "floor(W/(2*seq))"],
    [maximum(batch, seq), "max(batch, seq)"],
    [multiply(W, -1), "-W"],
  ])("%#: %s", (size, text) => expect(formatSize(size)).toBe(text));
});

describe("the normal form finds what is equal", () => {
  test("stride-2 convolutions in a row", () => {
    // floor((W + 2*1 - 3)/2) + 1, three times.
    const once = (size: Size): Size => add(floorDivide(subtract(size, 1), 2), 1);
    expect(formatSize(once(once(once(W))))).toBe("ceil(W/8)");
    expect(sameSize(once(once(W)), ceilDivide(W, 4))).toBe(true);
  });

  test("fractions cancel: batch*seq*64 elements in rows of batch*64 are seq", () => {
    expect(floorDivide(multiply(multiply(batch, seq), 64), multiply(batch, 64))).toEqual(seq);
  });

  test("polynomials divide when they divide", () => {
    const sum = add(past, seq);
    expect(exactQuotient(multiply(sum, batch), sum)).toEqual(batch);
    expect(exactQuotient(multiply(sum, sum), sum)).toEqual(sum);
    expect(exactQuotient(add(sum, 1), sum)).toBeNull();
  });

  test("a symbol takes no part in what bounds decide", () => {
    expect(maximum(seq, -1)).toEqual(seq);
    expect(maximum(add(seq, past), seq)).toEqual(add(past, seq));
    expect(maximum(minimum(1024, seq), seq)).toEqual(seq);
    expect(minimum(maximum(batch, seq), seq)).toEqual(seq);
  });

  test("names that look like arithmetic are names", () => {
    expect(sameSize(symbol("batch*seq"), multiply(batch, seq))).toBe(false);
  });

  test("halves of a size are floored as fractions", () => {
    expect(formatSize(floorOf(multiply(W, 0.5)) ?? -1)).toBe("floor(W/2)");
    // 1/3 as a float32.
    expect(formatSize(floorOf(multiply(W, Math.fround(1 / 3))) ?? -1)).toBe("floor(W/3)");
    expect(floorOf(multiply(W, Math.SQRT2))).toBeNull();
  });
});

test("what would grow without end is refused", () => {
  const grow = (): Size => {
    let size: Size = add(add(batch, seq), add(past, W));
    for (let round = 0; round < 30; round++) size = multiply(size, size);
    return size;
  };
  expect(grow).toThrow(SizeTooComplex);
});

type Tree =
  | { readonly leaf: number | string }
  | { readonly op: string; readonly left: Tree; readonly right: Tree };

const tree: fc.Arbitrary<Tree> = fc.letrec<{ tree: Tree }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4, depthSize: "small" },
    fc.record({ leaf: fc.oneof(fc.integer({ min: -3, max: 9 }), fc.constantFrom("a", "b", "c")) }),
    fc.record({
      op: fc.constantFrom("+", "-", "*", "floor", "ceil", "max", "min"),
      left: tie("tree"),
      right: tie("tree"),
    }),
  ),
})).tree;

/** Divisors are positive numbers, as in a graph of positive sizes. */
function build(of: Tree, leaf: (value: number | string) => Size): Size {
  if ("leaf" in of) return leaf(of.leaf);
  const left = build(of.left, leaf);
  const right = build(of.right, leaf);
  const divisor = typeof right === "number" && right > 0 ? right : 3;
  switch (of.op) {
    case "+":
      return add(left, right);
    case "-":
      return subtract(left, right);
    case "*":
      return multiply(left, right);
    case "floor":
      return floorDivide(left, divisor);
    case "ceil":
      return ceilDivide(left, divisor);
    case "max":
      return maximum(left, right);
    default:
      return minimum(left, right);
  }
}

/** The same with plain numbers from the start; `divisorOf` is decided by the symbolic build. */
function evaluate(of: Tree, bindings: Readonly<Record<string, number>>): number {
  const symbolic = (part: Tree): Size =>
    build(part, (value) => (typeof value === "number" ? value : symbol(value)));
  const go = (part: Tree): number => {
    if ("leaf" in part)
      return typeof part.leaf === "number" ? part.leaf : (bindings[part.leaf] ?? 0);
    const [left, right] = [go(part.left), go(part.right)];
    const sized = symbolic(part.right);
    const divisor = typeof sized === "number" && sized > 0 ? sized : 3;
    switch (part.op) {
      case "+":
        return left + right;
      case "-":
        return left - right;
      case "*":
        return left * right;
      case "floor":
        return Math.floor(left / divisor);
      case "ceil":
        return Math.ceil(left / divisor);
      case "max":
        return Math.max(left, right);
      default:
        return Math.min(left, right);
    }
  };
  return go(of);
}

const bindings = fc.record({ a: fc.nat(40), b: fc.nat(40), c: fc.nat(40) });

test("an expression is what its numbers would have been, for all sizes", () => {
  fc.assert(
    fc.property(tree, bindings, (of, values) => {
      const size = build(of, (value) => (typeof value === "number" ? value : symbol(value)));
      expect(substitute(size, values)).toBe(evaluate(of, values) + 0);
    }),
    { numRuns: 2000 },
  );
});

test("substituting in two steps is substituting at once", () => {
  fc.assert(
    fc.property(tree, bindings, (of, values) => {
      const size = build(of, (value) => (typeof value === "number" ? value : symbol(value)));
      const { a, ...others } = values;
      expect(substitute(substitute(size, { a }), others)).toBe(substitute(size, values));
    }),
  );
});

test("a size equals itself however it was put together", () => {
  fc.assert(
    fc.property(tree, tree, tree, (x, y, z) => {
      const [a, b, c] = [x, y, z].map((of) =>
        build(of, (v) => (typeof v === "number" ? v : symbol(v))),
      );
      if (a === undefined || b === undefined || c === undefined) return;
      expect(sameSize(multiply(a, add(b, c)), add(multiply(a, b), multiply(a, c)))).toBe(true);
      expect(sameSize(subtract(add(a, b), b), a)).toBe(true);
      expect(symbolsOf(subtract(a, a)).size).toBe(0);
    }),
    { numRuns: 300 },
  );
});
