// Shapes and sizes as people type them for `godwit profile`.

import { UserError } from "../core/errors.ts";

/** `name=text`; the name may hold `=` no more than the value does. */
function assignment(option: string, text: string, example: string): readonly [string, string] {
  const at = text.lastIndexOf("=");
  if (at < 1) throw unreadable(option, text, example);
  return [text.slice(0, at), text.slice(at + 1)];
}

const unreadable = (option: string, text: string, example: string): UserError =>
  new UserError("usage", `${option}: cannot read "${text}"`, { hint: `Give it as ${example}.` });

type Shapes = Readonly<Record<string, readonly (number | string)[]>>;
type Values = Readonly<Record<string, readonly number[]>>;
type Sizes = Readonly<Record<string, number>>;

/** `image=1x3x224x224`; commas also divide, as they must around names that hold an x. */
export function parseShape(text: string, before: Shapes): Shapes {
  const example = "--input image=1x3x224x224, or image=batch,3,224,224";
  const [name, shape] = assignment("--input", text, example);
  const parts = shape === "" ? [] : shape.split(shape.includes(",") ? "," : "x");
  const sizes = parts.map((part) => {
    if (/^\d+$/.test(part)) return Number(part);
    if (!/^[\p{L}_][\p{L}\p{N}_.:]*$/u.test(part)) throw unreadable("--input", text, example);
    return part;
  });
  return { ...before, [name]: sizes };
}

/** `sr=16000`, or several with commas. */
export function parseValues(text: string, before: Values): Values {
  const example = "--value sr=16000";
  const [name, values] = assignment("--value", text, example);
  const numbers = values.split(",").map(Number);
  if (values === "" || !numbers.every(Number.isFinite)) throw unreadable("--value", text, example);
  return { ...before, [name]: numbers };
}

/** `batch=4`. */
export function parseSize(text: string, before: Sizes): Sizes {
  const [name, size] = assignment("--size", text, "--size seq_len=128");
  if (!/^\d+$/.test(size)) throw unreadable("--size", text, "--size seq_len=128");
  return { ...before, [name]: Number(size) };
}

/** `image=pixels.npy`. */
export function parseFeed(
  text: string,
  before: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const [name, file] = assignment("--feed", text, "--feed image=pixels.npy");
  if (file === "") throw unreadable("--feed", text, "--feed image=pixels.npy");
  return { ...before, [name]: file };
}
