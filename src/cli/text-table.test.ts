import { expect, test } from "vitest";
import { textTable } from "./text-table.ts";

const columns = [
  { title: "A", flexible: true },
  { title: "N", align: "right" },
  { title: "B", flexible: true },
] as const;

test("columns are as wide as what they hold, numbers stand to the right", () => {
  expect(
    textTable(
      columns,
      [
        ["x", "1", "y"],
        ["longer", "100", ""],
      ],
      80,
    ),
  ).toEqual(["A         N  B", "x         1  y", "longer  100"]);
});

test("the widest flexible column gives way first, and none below eight", () => {
  const row = ["a".repeat(20), "1", "b".repeat(12)];
  expect(textTable(columns, [row], 30)[1]).toBe("aaaaaaaaaa...  1  bbbbbbbbbbbb");
  expect(textTable(columns, [row], 10)[1]).toBe("aaaaa...  1  bbbbb...");
});

test("what tells rows apart wraps in its column and loses nothing", () => {
  const named = [
    { title: "WHAT", flexible: "wrap" },
    { title: "N", align: "right" },
  ] as const;
  const rows = [
    ["energy, attributed", "1"],
    ["energy, net", "22"],
  ];
  expect(textTable(named, rows, 12)).toEqual([
    "WHAT         N",
    "energy,      1",
    "attributed",
    "energy,     22",
    "net",
  ]);
});

test("wide characters take two columns", () => {
  expect(textTable([{ title: "A" }, { title: "B" }], [["模型", "x"]], 80)[1]).toBe("模型  x");
  expect(textTable([{ title: "A" }, { title: "B" }], [["模型", "x"]], 80)[0]).toBe("A     B");
});
