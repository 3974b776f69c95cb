// A training run on disk: a safetensors file (github.com/huggingface/safetensors, format 0.4), so that
// other programs can read the weights. Where the run stands is in its `__metadata__`.

import { z } from "zod";
import { UserError } from "../../core/index.ts";
import type { TrainingState } from "./trainer.ts";

/** What is known of an epoch that has ended. */
export interface EpochRecord {
  /** Counted from 1. */
  readonly epoch: number;
  /** Mean training loss. */
  readonly loss: number;
  /** Learning rate of its last step. */
  readonly rate: number;
  /** The metric on the validation rows; null where there are none. */
  readonly validation: number | null;
  readonly seconds: number;
  /** Null where nothing measured or estimated it. */
  readonly joules: number | null;
  readonly grams: number | null;
}

/** Where a run stands between two steps. */
export interface Position {
  /** Epochs that have ended. */
  readonly epochs: number;
  /** Updates made in the epoch under way, and the sum of their losses. */
  readonly updates: number;
  readonly lossSum: number;
  readonly history: readonly EpochRecord[];
  /** The best epoch so far by validation, if there is one. */
  readonly best: { readonly epoch: number; readonly value: number } | null;
}

/** A run that can be gone on with. */
export interface Checkpoint {
  readonly position: Position;
  readonly state: TrainingState;
  /** Parameters and statistics of the best epoch; null where there is none. */
  readonly best: ReadonlyMap<string, Float32Array> | null;
  /** What the run was told to do, as the caller wrote it: a run is only gone on with as it began. */
  readonly recipe: string;
  /** Absent for a run on all rows in any order. */
  readonly rows?: KeptRows;
}

/** What was chosen to train on, as plain data: a run that is gone on with does not choose again. */
export interface KeptRows {
  /** Row numbers in the training data, rising. */
  readonly rows: readonly number[];
  /** Places among these rows from the easiest to the hardest; null where rows come in any order. */
  readonly easiestFirst: readonly number[] | null;
}

const FORMAT = "godwit.checkpoint/1";
/** Longest header that is read: of the format's own reader. */
const MOST_HEADER = 100_000_000;

const record = z.object({
  epoch: z.number().int().positive(),
  loss: z.number(),
  rate: z.number(),
  validation: z.number().nullable(),
  seconds: z.number(),
  joules: z.number().nullable(),
  grams: z.number().nullable(),
});

/** The format's metadata are texts: what has more to it is JSON in one. */
const json = z.string().transform((text) => JSON.parse(text) as unknown);

const rowNumbers = z.array(z.number().int().nonnegative());

const metadata = z.object({
  format: z.literal(FORMAT),
  recipe: z.string(),
  updates: z.string().regex(/^\d+$/),
  position: json.pipe(
    z.object({
      epochs: z.number().int().nonnegative(),
      updates: z.number().int().nonnegative(),
      lossSum: z.number(),
      history: z.array(record),
      best: z.object({ epoch: z.number().int(), value: z.number() }).nullable(),
    }),
  ),
  rows: json.pipe(z.object({ rows: rowNumbers, easiestFirst: rowNumbers.nullable() })).optional(),
});

const tensor = z.object({
  dtype: z.literal("F32"),
  shape: z.array(z.number().int().nonnegative()).length(1),
  data_offsets: z.tuple([z.number().int().nonnegative(), z.number().int().nonnegative()]),
});

const header = z.looseObject({ __metadata__: metadata });

/** The bytes of a checkpoint's file. */
export function encodeCheckpoint(checkpoint: Checkpoint): Uint8Array {
  const { position, state, best, recipe, rows } = checkpoint;
  const arrays = [
    ...[...state.arrays].map(([name, data]) => [`state/${name}`, data] as const),
    ...[...(best ?? [])].map(([name, data]) => [`best/${name}`, data] as const),
  ];
  let end = 0;
  const entries = arrays.map(([name, { length, byteLength }]) => {
    const start = end;
    end += byteLength;
    return [name, { dtype: "F32", shape: [length], data_offsets: [start, end] }] as const;
  });
  const text = JSON.stringify({
    __metadata__: {
      format: FORMAT,
      recipe,
      updates: String(state.updates),
      position: JSON.stringify(position),
      ...(rows === undefined ? {} : { rows: JSON.stringify(rows) }),
    },
    ...Object.fromEntries(entries),
  });
  const head = new TextEncoder().encode(text);
  // Data begins at a multiple of 8.
  const padded = Math.ceil(head.length / 8) * 8;
  const bytes = new Uint8Array(8 + padded + end).fill(0x20, 8, 8 + padded);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(padded), true);
  bytes.set(head, 8);
  let at = 8 + padded;
  for (const [, data] of arrays) {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += data.byteLength;
  }
  return bytes;
}

/** Reads a checkpoint. Throws UserError for a file that is none, or that is damaged. */
export function decodeCheckpoint(bytes: Uint8Array, name = "the checkpoint"): Checkpoint {
  const refuse = (fault: string, cause?: unknown): UserError =>
    new UserError("invalid-input", `${name} cannot be resumed: ${fault}`, {
      hint: "Give a checkpoint that godwit train wrote, or start anew without --resume.",
      cause,
    });
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = bytes.length < 8 ? -1 : Number(view.getBigUint64(0, true));
  if (length < 2 || length > MOST_HEADER || 8 + length > bytes.length) {
    throw refuse("it is no safetensors file, or its end is missing");
  }
  const parsed = parseHeader(bytes.subarray(8, 8 + length), refuse);
  const { __metadata__: facts, ...tensors } = parsed;
  const data = bytes.subarray(8 + length);
  const arrays = Object.entries(tensors).map(([key, entry]) => {
    const found = tensor.safeParse(entry);
    if (!found.success) throw refuse(`"${key}" is no row of float32`, found.error);
    const [start, end] = found.data.data_offsets;
    const size = 4 * (found.data.shape[0] ?? 0);
    if (end - start !== size || end > data.length) throw refuse(`"${key}" is incomplete`);
    return [key, new Float32Array(data.slice(start, end).buffer)] as const;
  });
  const within = (prefix: string): ReadonlyMap<string, Float32Array> =>
    new Map(
      arrays.flatMap(([key, values]) =>
        key.startsWith(prefix) ? [[key.slice(prefix.length), values] as const] : [],
      ),
    );
  return {
    position: facts.position,
    state: { updates: Number(facts.updates), arrays: within("state/") },
    best: facts.position.best === null ? null : within("best/"),
    recipe: facts.recipe,
    ...(facts.rows === undefined ? {} : { rows: facts.rows }),
  };
}

function parseHeader(
  bytes: Uint8Array,
  refuse: (fault: string, cause?: unknown) => UserError,
): z.infer<typeof header> {
  try {
    return header.parse(JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)));
  } catch (error) {
    throw refuse("it does not say where a run stands", error);
  }
}
