// What every format must keep: hostile text stays text, an estimate is never shown as measured, the
// terminal stays within its width, nothing is lost on the way.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { hostileCard, poorCard, richCard } from "../../test/sample-card.ts";
import { parseCard } from "../core/card.ts";
import { parseCsv, parseCsvTable } from "../core/csv.ts";
import { columnsOf } from "./columns.ts";
import {
  escapeMarkdown,
  figuresOf,
  renderCsv,
  renderCsvTable,
  renderHtml,
  renderJson,
  renderMarkdown,
  renderTerminal,
} from "./index.ts";

const HOSTILE = [
  `<script>alert(1)</script>`,
  `"><img src=x onerror=alert(1)>`,
  `' onmouseover='alert(1)`,
  `</title></style></svg><svg onload=alert(1)>`,
  `--><!-- ]]> &lt;b&gt; &amp;`,
  "\u001b[2J\u001b]0;owned\u0007",
  "\u202egnp.exe",
  "\ud800 lone",
  "| a | b |\n\n# heading\n[x](javascript:alert(1))",
  "=cmd|' /C calc'!A0",
];

const hostile = fc.oneof(
  fc.constantFrom(...HOSTILE),
  fc.string({ unit: "binary", maxLength: 40 }),
  fc.string({
    unit: fc.constantFrom("<", ">", '"', "'", "&", "/", "a", " ", "\u001b", "`", "|", "\n"),
  }),
);

/** Element and attribute names of a document, with everything between quotes gone. */
function skeleton(html: string): string {
  return [...html.matchAll(/<(!?\/?[a-zA-Z][a-zA-Z0-9]*)((?:\s+[a-zA-Z:-]+(?:="[^"]*")?)*)\s*>/g)]
    .map(([, name, attributes]) => `${name} ${(attributes ?? "").replace(/="[^"]*"/g, "")}`)
    .join("\n");
}

describe("hostile text", () => {
  test("changes no element and no attribute of the page", () => {
    const harmless = skeleton(renderHtml(hostileCard("harmless")));
    fc.assert(
      fc.property(hostile, (text) => {
        const html = renderHtml(hostileCard(`x${text}`));
        // Labels too long for a chart are left out, so the drawings are compared without them.
        const plain = (markup: string) =>
          markup
            .split("\n")
            .filter((line) => !/^\/?text/.test(line))
            .join("\n");
        expect(plain(skeleton(html))).toBe(plain(harmless));
      }),
      { numRuns: 60 },
    );
  });

  test("leaves no raw angle bracket, quote or control character in the page", () => {
    for (const text of HOSTILE) {
      const html = renderHtml(hostileCard(text));
      expect(html).not.toContain("<script");
      expect(html).not.toContain("<img");
      expect(html).not.toMatch(/ on[a-z]+="/);
      expect(html.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\u202a-\u202e]/u);
      expect(html).not.toMatch(/\p{Cs}/u);
    }
  });

  test("sends no escape sequence to the terminal", () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const summary = renderTerminal(hostileCard(text)).replaceAll("\n", "");
        expect(summary).not.toMatch(/[\p{Cc}\u202a-\u202e]/u);
      }),
      { numRuns: 60 },
    );
  });

  test("makes no Markdown of its own: no tag, link, mention, cell or heading", () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const escaped = escapeMarkdown(text);
        expect(escaped).not.toMatch(/[<>@\n]/);
        expect(escaped.replaceAll(/\\./gs, "")).not.toMatch(/[`*_[\]|~]/);
        expect(escaped).not.toContain("://");
      }),
    );
  });

  test("runs no formula in a spreadsheet", () => {
    for (const text of ["=1+1", "+1", "-1", "@SUM(A1)"]) {
      for (const row of parseCsv(renderCsvTable([hostileCard(text)])).slice(1)) {
        for (const field of row) expect(/^[=+@]/.test(field) || /^-\D/.test(field)).toBe(false);
      }
    }
  });

  test("comes back from CSV as it was", () => {
    const texts = fc
      .string({ unit: "binary", maxLength: 30 })
      .filter((text) => !/^[=+\-@\t\r]/.test(text));
    fc.assert(
      fc.property(texts, (text) => {
        const [row] = parseCsvTable(renderCsvTable([hostileCard(text)]));
        expect(row?.["name"]).toBe(text);
      }),
      { numRuns: 60 },
    );
  });
});

describe("every format", () => {
  test("JSON gives the card back", () => {
    expect(parseCard(JSON.parse(renderJson(richCard())))).toEqual(richCard());
  });

  test("CSV has every figure in full, with the unit in its name", () => {
    const card = richCard();
    const rows = parseCsvTable(renderCsv(card));
    expect(rows.map((row) => Number(row["value"]))).toEqual(
      figuresOf(card).map(({ figure }) => figure.value),
    );
    expect(rows.map((row) => row["name"])).toContain("energy_attributed_j");
    expect(rows.map((row) => row["name"])).toContain("carbon_intensity_gco2e_per_kwh");
    expect(new Set(rows.map((row) => row["name"])).size).toBe(rows.length);
  });

  test("a figure that a card lacks is an empty field, never a zero", () => {
    const [, poor] = parseCsvTable(renderCsvTable([richCard(), poorCard()]));
    expect(poor?.["energy_gross_j"]).toBe("");
    expect(poor?.["emissions_gco2e"]).toBe("");
  });

  test("says how every figure is known", () => {
    const card = richCard();
    for (const { figure } of figuresOf(card)) {
      for (const output of [renderHtml(card), renderMarkdown(card)]) {
        expect(output).toContain(figure.method);
      }
    }
  });

  test("the page has every source and every reason for a fallback", () => {
    const html = renderHtml(richCard());
    for (const { figure } of figuresOf(richCard())) {
      for (const words of [figure.source, ...(figure.fallbacks ?? [])])
        expect(html).toContain(words);
    }
  });
});

describe("a long run", () => {
  test("of 100,000 spans and readings is drawn in a page of bounded size", () => {
    const [base] = richCard().spans;
    const spans = Array.from({ length: 100_000 }, (_, index) => ({
      ...base,
      name: `step ${index}`,
      startS: index / 2500,
      endS: (index + 1) / 2500,
    }));
    const timesS = spans.map(({ startS }) => startS);
    const series = [{ domain: "cpu", device: "package-0", timesS, watts: timesS.map(() => 50) }];
    const html = renderHtml({ ...richCard(), spans, series });
    expect(html.length).toBeLessThan(8e6);
    expect(html).toContain("the first 200 of 100000");
  });

  test("whose spans name each other as parents ends", () => {
    const spans = richCard().spans.map((span, index) => ({ ...span, parent: (index + 1) % 6 }));
    expect(renderHtml({ ...richCard(), spans })).toContain("epoch 3");
  });
});

describe("the terminal summary", () => {
  test("stays within its width, from 40 to 200 columns, for any text", () => {
    fc.assert(
      fc.property(fc.integer({ min: 40, max: 200 }), hostile, (width, text) => {
        for (const card of [richCard(), hostileCard(text), poorCard()]) {
          for (const line of renderTerminal(card, {
            width,
            savedTo: text,
            next: ["godwit show last"],
          }).split("\n")) {
            expect(columnsOf(line)).toBeLessThanOrEqual(width);
          }
        }
      }),
      { numRuns: 60 },
    );
  });

  test("is ASCII of our own", () => {
    expect(renderTerminal(richCard())).toMatch(/^[\n\x20-\x7e]*$/);
  });

  test("gives the answer in the first line", () => {
    expect(renderTerminal(richCard()).split("\n")[0]).toBe(
      "python train.py --epochs 3   11.2 kJ (10.4 to 12.1)   41.2 s   mean 301 W",
    );
  });

  test("a run of unknown energy says so, and never 0 J", () => {
    const text = renderTerminal(poorCard());
    expect(text).toContain("energy unknown");
    expect(text).toContain("interrupted");
    expect(text).not.toMatch(/\b0 J/);
  });

  test("colours change nothing but the colours", () => {
    const painted = renderTerminal(richCard(), {
      paint: (role, text) => `<${role}>${text}</${role}>`,
    });
    expect(
      painted.replaceAll(/<\/?(?:strong|quiet|good|warn|bad)>/g, "").replaceAll(/ +$/gm, ""),
    ).toBe(renderTerminal(richCard()));
  });

  test("is the text that was looked at", async () => {
    await expect(renderTerminal(richCard())).toMatchFileSnapshot("../../test/golden/terminal.txt");
  });
});
