// `godwit profile` of a file that holds weights alone: parameters, types and bytes, and no operations.

import { basename } from "node:path";
import { UserError } from "../core/errors.ts";
import { withPrefix } from "../core/index.ts";
import type { WeightFile, WeightTensor } from "../measure/profile/index.ts";
import type { CliContext } from "./context.ts";
import { textTable } from "./text-table.ts";

export interface WeightOptions {
  readonly file: WeightFile;
  readonly json?: true | undefined;
  readonly strict?: true | undefined;
  readonly top: number;
}

interface TypeTotal {
  readonly type: string;
  readonly tensors: number;
  readonly parameters: number;
  readonly bytes: number;
}

/** Prints what the header says. With `--strict` a file without a graph is an error. */
export function showWeights(
  { stdout }: CliContext,
  path: string,
  { file, json, strict, top }: WeightOptions,
): void {
  if (strict === true) {
    throw new UserError(
      "unsupported",
      `${path} is a ${file.format} file: it has weights and no graph`,
      {
        hint: "Export the model to ONNX to count its operations, or leave out --strict.",
      },
    );
  }
  const { tensors } = file;
  const total = (of: "elements" | "bytes"): number =>
    tensors.reduce((sum, one) => sum + one[of], 0);
  const types = byType(tensors);
  if (json === true) {
    const facts = { schema: "godwit.weights/1", file: path, format: file.format };
    const sums = { parameters: total("elements"), weights_bytes: total("bytes") };
    const object = { ...facts, ...sums, types, metadata: file.metadata, tensors };
    stdout.write(`${JSON.stringify(object, null, 2)}\n`);
    return;
  }
  const largest = tensors.toSorted((a, b) => b.bytes - a.bytes).slice(0, top);
  const lines = [
    `${basename(path)}, ${file.format}: weights without a graph, so no operations`,
    `  parameters   ${total("elements").toLocaleString("en")} in ${tensors.length} tensors`,
    `  weights      ${withPrefix(total("bytes"), "B")}`,
    "",
    ...textTable(
      [
        { title: "TYPE" },
        { title: "TENSORS", align: "right" },
        { title: "PARAMS", align: "right" },
        { title: "BYTES", align: "right" },
      ],
      types.map((of) => [
        of.type,
        String(of.tensors),
        withPrefix(of.parameters, "").trimEnd(),
        withPrefix(of.bytes, "B"),
      ]),
      stdout.columns,
    ),
    "",
    ...textTable(
      [
        { title: "TENSOR", flexible: true },
        { title: "TYPE" },
        { title: "SHAPE" },
        { title: "BYTES", align: "right" },
      ],
      largest.map((of) => [
        of.name,
        of.type,
        `[${of.shape.join(", ")}]`,
        withPrefix(of.bytes, "B"),
      ]),
      stdout.columns,
    ),
  ];
  stdout.write(`${lines.join("\n")}\n`);
}

function byType(tensors: readonly WeightTensor[]): readonly TypeTotal[] {
  const totals = new Map<string, TypeTotal>();
  for (const { type, elements, bytes } of tensors) {
    const known = totals.get(type) ?? { type, tensors: 0, parameters: 0, bytes: 0 };
    totals.set(type, {
      type,
      tensors: known.tensors + 1,
      parameters: known.parameters + elements,
      bytes: known.bytes + bytes,
    });
  }
  return [...totals.values()].sort((a, b) => b.bytes - a.bytes);
}
