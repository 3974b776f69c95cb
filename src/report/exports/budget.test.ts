import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { BudgetResult } from "../../measure/budget/index.ts";
import { budgetSentence, renderBudgetJUnit, renderBudgetMarkdown } from "./budget.ts";

const result = (changes: Partial<BudgetResult> = {}): BudgetResult => ({
  name: "energy of infer",
  metric: "energy_j",
  unit: "J",
  verdict: "exceeded",
  reason: "the whole 90 % interval lies above the limit",
  observed: { value: 12.4, low: 12, high: 12.9 },
  ratio: null,
  limit: 10,
  kind: "absolute",
  methods: ["measured"],
  isProxy: false,
  runs: ["a", "b"],
  baseRuns: [],
  ...changes,
});

const VERDICTS = ["within", "exceeded", "inconclusive", "missing"] as const;

/** XML 1.0 as strictly as this document needs: legal characters, quoted attributes, closed elements. */
function parseXml(document: string): { readonly names: string[]; readonly attributes: string[] } {
  const head = '<?xml version="1.0" encoding="UTF-8"?>\n';
  if (!document.startsWith(head)) throw new Error("no declaration");
  // Char of XML 1.0, production 2; a lone surrogate is none.
  if (/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u.test(document)) {
    throw new Error("an illegal character");
  }
  const names: string[] = [];
  const attributes: string[] = [];
  const open: string[] = [];
  let rest = document.slice(head.length).trimEnd();
  while (rest !== "") {
    const tag = /^<(\/?)([a-z-]+)((?: [a-z]+="(?:[^<&"]|&(?:amp|lt|gt|quot|#39);)*")*)>/.exec(rest);
    const text = /^(?:[^<&]|&(?:amp|lt|gt|quot|#39);)+/.exec(rest);
    if (tag !== null) {
      const [, slash, name = "", inside = ""] = tag;
      if (slash === "/") {
        if (open.pop() !== name) throw new Error(`${name} is closed, not opened`);
      } else {
        open.push(name);
        names.push(name);
        attributes.push(...[...inside.matchAll(/="([^"]*)"/g)].map(([, value = ""]) => value));
      }
    } else if (text === null) throw new Error(`no markup: ${rest.slice(0, 40)}`);
    rest = rest.slice((tag ?? text)?.[0].length);
  }
  if (open.length > 0) throw new Error(`${open.join()} not closed`);
  return { names, attributes };
}

describe("JUnit XML", () => {
  test("is a failure, an error or a skipped case; only a kept budget passes", () => {
    const document = renderBudgetJUnit(
      VERDICTS.map((verdict) => result({ verdict, name: verdict })),
    );
    expect(parseXml(document).names).toEqual([
      "testsuites",
      "testsuite",
      "testcase",
      "system-out",
      "testcase",
      "failure",
      "testcase",
      "skipped",
      "testcase",
      "error",
    ]);
    expect(document).toContain('tests="4" failures="1" errors="1" skipped="1"');
    expect(document).toContain(
      "energy_j 12.4 J (12.0 J to 12.9 J), limit 10.0 J, measured, 2 runs",
    );
  });

  test("is well-formed whatever a budget is called", () => {
    const hostile = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.constantFrom(
        "\ud800",
        "]]>",
        '"/><x y="',
        "&amp;",
        "\u0000\u001b[31m",
        "</testcase>",
        "\ufffe",
      ),
    );
    fc.assert(
      fc.property(hostile, fc.constantFrom(...VERDICTS), (name, verdict) => {
        const { names } = parseXml(renderBudgetJUnit([result({ name, reason: name, verdict })]));
        expect(names).toHaveLength(4);
      }),
    );
  });
});

describe("Markdown", () => {
  test("has the worst first, with value, limit and reason", () => {
    const text = renderBudgetMarkdown([
      result({ verdict: "within", name: "kept" }),
      result({ kind: "relative", limit: 1.05, ratio: { value: 1.2, low: 1.18, high: 1.22 } }),
    ]);
    const [, , , , first, second] = text.split("\n");
    expect(first).toBe(
      "| energy of infer | ✖ exceeded | +20 % (+18 % to +22 %) | +5.0 % | measured | the whole 90 % interval lies above the limit |",
    );
    expect(second).toContain("| kept | ✔ within |");
  });

  test("one budget stays one row, and no name becomes a cell, a link or a tag", () => {
    const hostile = fc.string({
      unit: fc.constantFrom("|", "\n", "<b>", "[x](http://y)", "`", "@me", "\\", "a"),
    });
    fc.assert(
      fc.property(hostile, (name) => {
        const lines = renderBudgetMarkdown([result({ name })])
          .trimEnd()
          .split("\n");
        expect(lines).toHaveLength(5);
        expect(lines[4]?.match(/(?<!\\)(?:\\\\)*\|/g)).toHaveLength(7);
        expect(lines[4]).not.toMatch(/<b>|http:\/\/|(?<!\\)\[x/);
      }),
    );
  });
});

test("what only stands for energy says so", () => {
  const text = budgetSentence(
    result({ metric: "cpu_time_s", unit: "s", isProxy: true, runs: ["a"] }),
  );
  expect(text).toContain("measured, stands for energy, 1 run");
});
