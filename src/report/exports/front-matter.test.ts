import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { exampleCard } from "../../../test/example-card.ts";
import { poorCard, richCard } from "../../../test/sample-card.ts";
import { withError } from "../../core/index.ts";
import { checkFootprint, footprintOf } from "./footprint.ts";
import { type Footprint, readFootprint, writeFootprint } from "./front-matter.ts";

const NEW: Footprint = { emissions: 83_524, source: "godwit" };

const README = `---
# who made it
license: mit # see LICENSE
tags: [a,   b]
co2_eq_emissions:   # footprint
  # by hand
  emissions: 83.524   # of the run
  source: "code carbon"
  geographical_location: 'Quebec, Canada'
description: |
  co2_eq_emissions: not this one
  emissions: 1
model-index:
- name: x
---
# Title

text with --- and
---
co2_eq_emissions: nor this
`;

describe("writing a footprint", () => {
  test("changes the values and nothing else, byte for byte", () => {
    expect(writeFootprint(README, NEW)).toBe(
      README.replace("emissions: 83.524   #", "emissions: 83524   #").replace(
        '"code carbon"',
        '"godwit"',
      ),
    );
  });

  test("a missing field comes before the first one, with its indentation", () => {
    const changed = writeFootprint(README, { ...NEW, training_type: "fine-tuning" });
    expect(changed).toContain(
      '  # by hand\n  training_type: "fine-tuning"\n  emissions: 83524   # of the run\n',
    );
  });

  test.each([
    ["nothing", "", '---\nco2_eq_emissions:\n  emissions: 83524\n  source: "godwit"\n---\n'],
    [
      "no front matter",
      "# T\n",
      '---\nco2_eq_emissions:\n  emissions: 83524\n  source: "godwit"\n---\n\n# T\n',
    ],
    [
      "an empty one",
      "---\n---\n# T\n",
      '---\nco2_eq_emissions:\n  emissions: 83524\n  source: "godwit"\n---\n# T\n',
    ],
    [
      "only a comment",
      "---\n# c\n---\n",
      '---\n# c\nco2_eq_emissions:\n  emissions: 83524\n  source: "godwit"\n---\n',
    ],
    [
      "no such key",
      "---\na: 1\n---\n",
      '---\na: 1\nco2_eq_emissions:\n  emissions: 83524\n  source: "godwit"\n---\n',
    ],
    [
      "a number",
      "---\nco2_eq_emissions: 5 # c\nb: 1\n---\n",
      '---\nco2_eq_emissions:  # c\n  emissions: 83524\n  source: "godwit"\nb: 1\n---\n',
    ],
    [
      "nothing behind the key",
      "---\nco2_eq_emissions:\nb: 1\n---\n",
      '---\nco2_eq_emissions:\n  emissions: 83524\n  source: "godwit"\nb: 1\n---\n',
    ],
    [
      "braces",
      "---\nco2_eq_emissions: {source: x, hardware_used: y}\n---\n",
      '---\nco2_eq_emissions: {emissions: 83524, source: "godwit", hardware_used: y}\n---\n',
    ],
    [
      "empty braces",
      "---\nco2_eq_emissions: {}\n---\n",
      '---\nco2_eq_emissions: {emissions: 83524, source: "godwit"}\n---\n',
    ],
    [
      "an empty field",
      "---\nco2_eq_emissions:\n  emissions:\n  source: a\n---\n",
      '---\nco2_eq_emissions:\n  emissions: 83524\n  source: "godwit"\n---\n',
    ],
    [
      "an indented map",
      "---\n  a: 1\n---\n",
      '---\n  a: 1\n  co2_eq_emissions:\n    emissions: 83524\n    source: "godwit"\n---\n',
    ],
  ])("%s", (_, before, after) => {
    expect(writeFootprint(before, NEW)).toBe(after);
  });

  test("keeps the line ends of the file, and a byte order mark", () => {
    const windows = `\ufeff${README.replaceAll("\n", "\r\n")}`;
    const changed = writeFootprint(windows, { ...NEW, hardware_used: "1 x A100" });
    expect(changed.replaceAll("\r\n", "")).not.toContain("\n");
    expect(changed.startsWith("\ufeff---\r\n# who")).toBe(true);
    expect(writeFootprint("---\r\na: 1\r\n---\r\n", NEW)).toContain(
      "co2_eq_emissions:\r\n  emissions",
    );
    expect(writeFootprint("---\r\nco2_eq_emissions: 3\r\na: 1\r\n---\r\n", NEW)).toBe(
      '---\r\nco2_eq_emissions: \r\n  emissions: 83524\r\n  source: "godwit"\r\na: 1\r\n---\r\n',
    );
  });

  test("writing twice changes nothing more", () => {
    const once = writeFootprint(README, NEW);
    expect(writeFootprint(once, NEW)).toBe(once);
  });

  test.each([
    ["a list", "---\nco2_eq_emissions: [1]\n---\n"],
    ["an alias", "---\na: &x 1\nco2_eq_emissions: *x\n---\n"],
    ["an anchor", "---\nco2_eq_emissions: &x {emissions: 1}\nb: *x\n---\n"],
    ["a key twice", "---\na: 1\na: 2\n---\n"],
    ["no YAML", "---\na: [1\n---\n"],
    ["a sentence", "---\njust words\n---\n"],
    ["a root in braces", "---\n{a: 1}\n---\n"],
    ["a list as a field", "---\nco2_eq_emissions:\n  emissions: [1]\n---\n"],
  ])("%s is refused, not mangled", (_, text) => {
    expect(() => writeFootprint(text, NEW)).toThrow("cannot be edited in place");
  });

  test("any front matter keeps its meaning, and what was written is read back", () => {
    const word = fc.string({ unit: fc.constantFrom("a", "#", ":", "'", '"', " ", "é", "-") });
    const value = fc.oneof(word, fc.integer(), fc.boolean(), fc.array(word, { maxLength: 2 }));
    const others = fc.dictionary(fc.constantFrom("license", "tags", "x y", "emissions"), value);
    const entry = fc.option(
      fc.record(
        { emissions: fc.float({ noNaN: true }), source: word, more: word },
        { requiredKeys: [] },
      ),
      { nil: undefined },
    );
    fc.assert(
      fc.property(
        others,
        entry,
        word,
        fc.double({ min: 0, max: 1e12, noNaN: true }),
        (rest, old, source, emissions) => {
          const data = old === undefined ? rest : { ...rest, co2_eq_emissions: old };
          const yaml = Object.entries(data).map(
            ([key, one]) => `${JSON.stringify(key)}: ${JSON.stringify(one)} # c\n`,
          );
          const text = `---\n${yaml.join("")}---\nbody\n`;
          const changed = writeFootprint(text, { emissions, source });
          const { co2_eq_emissions: now, ...left } = parse(changed.split("\n---\n")[0] ?? "");
          expect(left).toEqual(rest);
          expect(now).toEqual({ ...old, emissions: Number(emissions.toPrecision(6)), source });
          expect(changed.endsWith("---\nbody\n")).toBe(true);
        },
      ),
    );
  });

  test("a small number is one for readers of YAML 1.1 too", () => {
    const text = writeFootprint("", { emissions: 1e-7, source: "x" });
    expect(text).toContain("emissions: 1.0e-7\n");
    expect(
      parse(text.split("---")[1] ?? "", { version: "1.1" })["co2_eq_emissions"].emissions,
    ).toBe(1e-7);
  });
});

describe("a run's footprint", () => {
  test("is in grams, names its method and interval, and the hardware", () => {
    expect(footprintOf(richCard())).toEqual({
      emissions: richCard().measures.emissions?.value,
      source: expect.stringMatching(
        /^godwit 0\.1\.0, estimated \(0\.\d+ to 0\.\d+ g, 90 % interval\)$/,
      ),
      geographical_location: "France",
      hardware_used: "1 x NVIDIA GeForce RTX 4090",
    });
  });

  test("invents no place: the world's mean is nowhere", () => {
    const signal = exampleCard().signal;
    if (signal === undefined) throw new Error("the example has a signal");
    const nowhere = exampleCard({ signal: { ...signal, zone: "WORLD" } });
    expect(footprintOf(nowhere)).not.toHaveProperty("geographical_location");
  });

  test("of a run without emissions is refused", () => {
    expect(() => footprintOf(poorCard())).toThrow("has no emissions");
  });
});

const card = (entry: string, body = ""): string => `---\nco2_eq_emissions:${entry}\n---\n${body}`;

describe("checking a footprint", () => {
  // huggingface.co/krishnaku/co2_eq_emissions: the number of the text, in kg, taken for grams.
  const REAL = card(
    "\n  emissions: 83.524\n  source: codecarbon\n  geographical_location: europe-north1",
    "- **Total Energy**: 696.035 kWh\n- **Total CO2 Emissions**: 83.524 kg CO2eq\n",
  );

  test("finds the kilograms of a public card, by its text and by its energy", () => {
    const findings = checkFootprint(REAL);
    expect(findings[0]).toContain("83.524 is in kg in the text below: in grams it is 83524");
    expect(findings[1]).toContain("0.120 gCO2e/kWh, cleaner than any grid; in kg it would be 120");
  });

  test("is silent once the value is in grams", () => {
    expect(checkFootprint(REAL.replace("emissions: 83.524", "emissions: 83524"))).toEqual([]);
  });

  test.each([
    [card(" 5000"), []],
    [card("\n  emissions: 0\n  source: codecarbon"), []],
    [card("\n  emissions: 0.5\n  source: an article"), []],
    [card("\n  emissions: 0.5\n  source: CodeCarbon"), ["CodeCarbon writes kg"]],
    [card("\n  emissions: 0.25\n  training_type: pre-training"), ["little for a training"]],
    [card("\n  emissions: 49.49 g"), ["must be a number"]],
    [card("\n  source: x"), ["missing"]],
    [card("\n  emissions: -1"), ["less than nothing"]],
    [card("\n  emissions: .nan"), ["must be a number"]],
    ["# no front matter", ["there is no co2_eq_emissions"]],
    [card(" 7,5"), ["must be a number"]],
    [card(" 1234", "It took 1,234 kg of CO2."), ["in grams it is 1234000"]],
  ])("%j", (text, expected) => {
    const findings = checkFootprint(text);
    expect(findings).toHaveLength(expected.length);
    for (const [at, part] of expected.entries()) expect(findings[at]).toContain(part);
  });

  test("against a run, a thousandth is kilograms", () => {
    expect(checkFootprint(card(" 83.5"), 83_500)[0]).toContain("in kg: in grams it is 83500");
    expect(checkFootprint(card(" 83000"), 83_500)).toEqual([]);
    expect(checkFootprint(card(" 5"), 83_500)[0]).toContain("not what the run says");
  });

  test("finds nothing in what it wrote itself", () => {
    const emissions = withError("gCO2e", 1234.5, 0.1, { method: "measured", source: "x" });
    const run = exampleCard({ measures: { ...exampleCard().measures, emissions } });
    const text = writeFootprint("# A model\n", footprintOf(run));
    expect(checkFootprint(text, 1234.5)).toEqual([]);
    expect(readFootprint(text)).toMatchObject({ emissions: 1234.5 });
  });
});
