// What a run says of a model's footprint on the Hugging Face Hub, and what is wrong with what a card
// says already. The commonest fault is a value in kilograms: CodeCarbon's file is in kg, the Hub's field
// in grams, and a card was seen with `emissions: 83.524` beside the text "83.524 kg".

import type { Card } from "../../core/card.ts";
import { significant, UserError } from "../../core/index.ts";
import { type Footprint, frontMatterOf, KEY, readFootprint } from "./front-matter.ts";

export interface FootprintOptions {
  readonly source?: string | undefined;
  readonly trainingType?: string | undefined;
  readonly geographicalLocation?: string | undefined;
  readonly hardware?: string | undefined;
}

/** The footprint of a run. Throws UserError for a run without emissions. */
export function footprintOf(card: Card, options: FootprintOptions = {}): Footprint {
  const { emissions } = card.measures;
  if (emissions === undefined) {
    throw new UserError("invalid-input", `run ${card.id} has no emissions`, {
      hint: "Its energy is not known: godwit show tells why.",
    });
  }
  const range = `${significant(emissions.low)} to ${significant(emissions.high)} g, 90 % interval`;
  const place = options.geographicalLocation ?? placeOf(card);
  return {
    emissions: emissions.value,
    source: options.source ?? `godwit ${card.godwit.version}, ${emissions.method} (${range})`,
    ...(options.trainingType === undefined ? {} : { training_type: options.trainingType }),
    ...(place === null ? {} : { geographical_location: place }),
    hardware_used: options.hardware ?? hardwareOf(card),
  };
}

/** A country by its name, a part of one by its code; null where the place is not known. */
function placeOf({ signal }: Card): string | null {
  const [, country, part] = /^([A-Z]{2})(?:-(.+))?$/.exec(signal?.zone ?? "") ?? [];
  if (country === undefined) return null;
  const name = new Intl.DisplayNames(["en"], { type: "region" }).of(country) ?? country;
  return part === undefined ? name : `${country}-${part}, ${name}`;
}

function hardwareOf({ machine }: Card): string {
  const counts = new Map<string, number>();
  for (const { name } of machine.gpus) counts.set(name, (counts.get(name) ?? 0) + 1);
  const gpus = [...counts].map(([name, count]) => `${count} x ${name}`);
  return gpus.length > 0 ? gpus.join(", ") : machine.cpu.name;
}

/** Below this no grid is known, gCO2e/kWh; and above the other none either. */
const GRIDS = { lowest: 2, highest: 2000 };

/** What is wrong with a model card's footprint, a sentence each. `expected` is a run's grams. */
export function checkFootprint(text: string, expected?: number): readonly string[] {
  const entry = readFootprint(text);
  if (entry === undefined || entry === null) return [`there is no ${KEY}`];
  const { emissions, source, training_type: stage } = fieldsOf(entry);
  if (typeof emissions !== "number" || !Number.isFinite(emissions)) {
    const said = emissions === undefined ? "missing" : JSON.stringify(emissions);
    return [`emissions is ${said}: it must be a number, of grams, without a unit`];
  }
  if (emissions < 0) return [`emissions is ${emissions}: less than nothing`];
  const body = text.slice(frontMatterOf(text)?.to ?? 0);
  return [
    ...kilogramsInText(emissions, body),
    ...kilogramsByEnergy(emissions, body),
    ...kilogramsBySource(emissions, `${source} ${stage}`),
    ...(expected === undefined ? [] : differenceFrom(emissions, expected)),
  ];
}

function fieldsOf(entry: unknown): Readonly<Record<string, unknown>> {
  return typeof entry === "object" ? { ...entry } : { emissions: entry };
}

const near = (a: number, b: number): boolean => Math.abs(a - b) <= 0.01 * Math.abs(b);

/** Numbers before a unit; a comma may part thousands or decimals. */
function amounts(body: string, unit: string): readonly number[] {
  const pattern = new RegExp(`(\\d[\\d,]*(?:\\.\\d+)?(?:e[+-]?\\d+)?)\\s*(?:${unit})\\b`, "gi");
  return [...body.matchAll(pattern)].flatMap(([, digits = ""]) => [
    Number(digits.replaceAll(",", "")),
    Number(digits.replace(",", ".")),
  ]);
}

/** The text says the same number, in kilograms. */
function kilogramsInText(emissions: number, body: string): readonly string[] {
  if (
    emissions === 0 ||
    !amounts(body, "kg|kilograms?|kgCO2\\w*").some((kg) => near(kg, emissions))
  )
    return [];
  return [`${emissions} is in kg in the text below: in grams it is ${emissions * 1000}`];
}

/** No grid is as clean as the value and the energy in the text would have it, unless it is in kg. */
function kilogramsByEnergy(emissions: number, body: string): readonly string[] {
  const intensities = amounts(body, "kWh").map((energy) => emissions / energy);
  const clean = intensities.find(
    (grams) =>
      grams > 0 &&
      grams < GRIDS.lowest &&
      grams * 1000 >= GRIDS.lowest &&
      grams * 1000 <= GRIDS.highest,
  );
  if (clean === undefined) return [];
  return [
    `${emissions} g for the energy in the text would be ${significant(clean)} gCO2e/kWh, cleaner than any grid; in kg it would be ${significant(clean * 1000)}`,
  ];
}

/** Less than a gram is 2.5 Wh at 400 g/kWh, seconds of a GPU: likely for no training. */
function kilogramsBySource(emissions: number, words: string): readonly string[] {
  if (emissions === 0 || emissions >= 1 || !/code\s*carbon|pre-?training/i.test(words)) return [];
  return [
    `${emissions} g is little for a training, and CodeCarbon writes kg: in grams that would be ${emissions * 1000}`,
  ];
}

function differenceFrom(emissions: number, expected: number): readonly string[] {
  if (near(emissions, expected)) return [];
  if (near(emissions * 1000, expected)) {
    return [`${emissions} is the run's value in kg: in grams it is ${significant(expected, 6)}`];
  }
  return [`${emissions} g is not what the run says: ${significant(expected, 6)} g`];
}
