// Text as the token numbers that a model reads, by the `tokenizer.json` that came with it, through the
// library @huggingface/tokenizers, loaded when first needed.

import { reasonOf, UserError } from "../../../core/index.ts";
import type { TensorValue } from "../../../engine/index.ts";
import { columnOf, type Dataset } from "../dataset.ts";
import { dataFault } from "./fault.ts";

/** Text in, token numbers out. */
export interface Tokenizer {
  /** At most `length` tokens; what a longer text loses is its end, not the special tokens around it. */
  encode(text: string, length: number): readonly number[];
  /** Number of the token that fills up short texts. */
  readonly padding: number;
}

/** A tokenizer from the text of its file. Throws UserError for files that describe none. */
export async function loadTokenizer(file: string, text: string): Promise<Tokenizer> {
  const { Tokenizer: Library } = await loadLibrary();
  try {
    const description = JSON.parse(text);
    const tokenizer = new Library(description, {});
    return {
      encode(input, length) {
        const { ids } = tokenizer.encode(input);
        if (ids.length <= length) return ids;
        const plain = tokenizer.encode(input, { add_special_tokens: false }).ids;
        return shortened(ids, plain, length);
      },
      padding: paddingOf(description),
    };
  } catch (cause) {
    const hint = "Give the tokenizer.json that belongs to the model.";
    throw dataFault(file, null, `describes no tokenizer (${reasonOf(cause)})`, hint, cause);
  }
}

/** Cut inside the text: what stands before and after it stays. */
function shortened(
  ids: readonly number[],
  plain: readonly number[],
  length: number,
): readonly number[] {
  const before = Math.max(0, ids.indexOf(plain[0] ?? -1));
  const after = ids.length - plain.length - before;
  const kept = plain.slice(0, Math.max(0, length - before - after));
  const end = after === 0 ? [] : ids.slice(-after);
  return [...ids.slice(0, before), ...kept, ...end].slice(0, length);
}

/** The padding that the file declares, else the token that BERT and its like call so, else 0. */
function paddingOf(description: {
  readonly padding?: { readonly pad_id?: number } | null;
  readonly added_tokens?: readonly { readonly id: number; readonly content: string }[];
}): number {
  const declared = description.padding?.pad_id;
  const added = description.added_tokens?.find(({ content }) => /^[[<]pad[\]>]$/i.test(content));
  return declared ?? added?.id ?? 0;
}

const TOKEN_COLUMNS: readonly string[] = ["input_ids", "attention_mask"];

/**
 * The dataset with a text column replaced by `input_ids` and `attention_mask` (int64), cut off or filled
 * up to `length` tokens.
 */
export function tokenised(
  dataset: Dataset,
  column: string,
  tokenizer: Tokenizer,
  length: number,
): Dataset {
  if (columnOf(dataset, column).dataType !== "string") {
    throw new UserError("invalid-input", `column ${column} of ${dataset.name} holds no text`, {
      hint: "Name the column that does.",
    });
  }
  const tokens = (name: string) => ({ name, dataType: "int64" as const, shape: [length] });
  return {
    ...dataset,
    columns: [
      ...TOKEN_COLUMNS.map(tokens),
      ...dataset.columns.filter(({ name }) => name !== column),
    ],
    async batch(rows, wanted) {
      const needsText = wanted?.some((name) => TOKEN_COLUMNS.includes(name)) ?? true;
      if (!needsText) return dataset.batch(rows, wanted);
      const { [column]: text, ...others } = Object.fromEntries(await dataset.batch(rows));
      const texts = (text as TensorValue).data as readonly string[];
      const ids = new BigInt64Array(rows.length * length).fill(BigInt(tokenizer.padding));
      const mask = new BigInt64Array(rows.length * length);
      texts.forEach((input, at) => {
        const encoded = tokenizer.encode(input, length);
        ids.set(encoded.map(BigInt), at * length);
        mask.fill(1n, at * length, at * length + encoded.length);
      });
      const dims = [rows.length, length];
      return new Map<string, TensorValue>([
        ["input_ids", { dataType: "int64", dims, data: ids }],
        ["attention_mask", { dataType: "int64", dims, data: mask }],
        ...Object.entries(others),
      ]);
    },
  };
}

async function loadLibrary(): Promise<typeof import("@huggingface/tokenizers")> {
  try {
    return await import("@huggingface/tokenizers");
  } catch (cause) {
    throw new UserError("unsupported", "texts need a library that is not installed", {
      hint: "npm install @huggingface/tokenizers",
      cause,
    });
  }
}
