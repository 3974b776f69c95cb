// Rendered lines of text as samples, as `godwit slim --data bench/slim/lines.ts` takes them. How many is
// set by GODWIT_LINES.

import { renderLines } from "../../examples/ocr/lines.ts";
import { picturesOf } from "../../examples/ocr/recogniser.ts";

const LINES = Number(process.env["GODWIT_LINES"] ?? 2000);
const SEED = 7;

/** One line at a time: its picture and its text. */
export async function* samples() {
  for (const line of renderLines(LINES, SEED)) {
    const { data, dims } = picturesOf([line]);
    yield { x: { dataType: "float32", dims: dims.slice(1), data }, text: line.text };
  }
}
