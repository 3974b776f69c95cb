// Text lines as on receipts, parcels and forms, generated from a seed, and their pictures.

import { fileURLToPath } from "node:url";
import { createCanvas, GlobalFonts } from "@napi-rs/canvas";
import { createRandom, type Random } from "../../src/core/index.ts";

export interface TextLine {
  readonly text: string;
  /** Grey values 0 (black) to 255 (white), row by row, `HEIGHT` rows of `width`. */
  readonly pixels: Uint8Array;
  readonly width: number;
}

/** The recogniser reads lines of 48 rows. */
export const HEIGHT = 48;

/** All lines share one width, so that they fit in one batch. */
export const WIDTH = 320;

const FONTS = ["DejaVuSans", "DejaVuSans-Bold", "DejaVuSerif", "DejaVuSansMono"];
const WORDS = (
  "coffee bread train ticket platform window battery charger meter kilowatt invoice total discount " +
  "tax street harbour garden river north south winter summer parcel weight litre order customer " +
  "thank you please keep receipt return within days open daily closed Monday Friday Sunday"
).split(" ");

/** `count` lines with their pictures; the same for the same seed. */
export function renderLines(count: number, seed: number): readonly TextLine[] {
  for (const font of FONTS) {
    const url = import.meta.resolve(`dejavu-fonts-ttf/ttf/${font}.ttf`);
    GlobalFonts.registerFromPath(fileURLToPath(url), font);
  }
  const random = createRandom(seed);
  return Array.from({ length: count }, () => renderLine(lineOf(random), random));
}

function lineOf(random: Random): string {
  const word = () => WORDS[random.integer(WORDS.length)] ?? "";
  const price = `${random.integer(500)}.${String(random.integer(100)).padStart(2, "0")}`;
  const kinds = [
    () => `${word()} ${word()} ${price}`,
    () => `${word()} ${word()} ${word()}`,
    () => `No. ${random.integer(1e6)} ${word()}`,
    () => `${1 + random.integer(28)}.${1 + random.integer(12)}.2026 ${word()}`,
  ];
  return kinds[random.integer(kinds.length)]?.() ?? "";
}

function renderLine(text: string, random: Random): TextLine {
  const canvas = createCanvas(WIDTH, HEIGHT);
  const context = canvas.getContext("2d");
  const paper = 200 + random.integer(56);
  context.fillStyle = `rgb(${paper}, ${paper}, ${paper})`;
  context.fillRect(0, 0, WIDTH, HEIGHT);
  const font = FONTS[random.integer(FONTS.length)];
  let size = 26 + random.integer(8);
  do context.font = `${size--}px ${font}`;
  while (context.measureText(text).width > WIDTH - 16);
  const ink = random.integer(90);
  context.fillStyle = `rgb(${ink}, ${ink}, ${ink})`;
  context.translate(8, 34);
  context.rotate((random.uniform() - 0.5) * 0.02);
  context.fillText(text, 0, 0);

  const { data } = context.getImageData(0, 0, WIDTH, HEIGHT);
  const noise = 4 + random.integer(12);
  const pixels = Uint8Array.from({ length: WIDTH * HEIGHT }, (_, index) =>
    Math.max(0, Math.min(255, (data[index * 4] ?? 0) + noise * random.normal())),
  );
  return { text, pixels, width: WIDTH };
}
