// What Slurm's commands say as JSON, in the shapes of 22.05 (openapi/v0.0.38) and of the data_parser
// plugins since 23.02 (v0.0.39 and up): there a number may be { set, infinite, number }, and a state a
// list. An answer is hostile until read; one that carries errors is a fault even where the command
// ended well: squeue of 22.05 says "no jobs" and exits 0 when the controller does not answer.

import { z } from "zod";
import { reasonOf, UserError } from "../../../core/index.ts";

/** A row of an answer, its fields not yet read. */
export type Fields = Readonly<Record<string, unknown>>;

const ANSWER = z.looseObject({
  errors: z
    .array(
      z.looseObject({
        error: z.string().optional(),
        description: z.string().optional(),
        error_number: z.number().optional(),
      }),
    )
    .default([]),
});

/** ESLURM_REST_EMPTY_RESULT: a question that nothing answers to, which is no fault. */
const NOTHING_FOUND = 9003;

const ROWS = z.array(z.record(z.string(), z.unknown()));

/** An answer without errors. Throws UserError `network` when it says that there are some. */
export function readAnswer(command: string, text: string): Fields {
  const parsed = ANSWER.safeParse(jsonOf(command, text));
  if (!parsed.success) throw unreadable(command, "it is not an object of Slurm");
  const { errors: all, ...fields } = parsed.data;
  const errors = all.filter(({ error_number }) => error_number !== NOTHING_FOUND);
  if (errors.length === 0) return fields;
  const told = errors
    .map(({ description, error }) => description ?? error ?? "an error")
    .join("; ");
  throw new UserError("network", `${command}: ${told}`, {
    hint: "Slurm's daemons may be down: try scontrol ping.",
  });
}

/** The rows under a name. Throws UserError when there is no such list. */
export function rowsOf(command: string, answer: Fields, name: string): readonly Fields[] {
  const parsed = ROWS.safeParse(answer[name]);
  if (parsed.success) return parsed.data;
  throw unreadable(command, `it has no list of ${name}`);
}

function jsonOf(command: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw unreadable(command, reasonOf(cause));
  }
}

function unreadable(command: string, fault: string): UserError {
  return new UserError("unsupported", `cannot read what ${command} --json says: ${fault}`, {
    hint: "Versions from 22.05 on are read; please report this one with its output.",
  });
}

const TAGGED = z.looseObject({ set: z.boolean(), infinite: z.boolean(), number: z.number() });

/** Slurm's NO_VAL and NO_VAL64 (slurm.h), as signed and as unsigned numbers. */
const ABSENT = new Set([-2, 2 ** 32 - 2, 2 ** 64]);
const INFINITE = new Set([2 ** 32 - 1]);

/** A number; null where Slurm has none, Infinity where it says that there is no limit. */
export function numberOf(value: unknown): number | null {
  if (typeof value === "number")
    return ABSENT.has(value) ? null : INFINITE.has(value) ? Number.POSITIVE_INFINITY : value;
  const tagged = TAGGED.safeParse(value);
  if (!tagged.success) return null;
  if (tagged.data.infinite) return Number.POSITIVE_INFINITY;
  return tagged.data.set ? tagged.data.number : null;
}

/** Unix seconds; null for a time that has not come, which Slurm writes as 0. */
export function timeOf(value: unknown): number | null {
  const time = numberOf(value);
  return time !== null && time > 0 && Number.isFinite(time) ? time : null;
}

export const textOf = (value: unknown): string => (typeof value === "string" ? value : "");

/** A word or a list of words, in capitals. */
export function wordsOf(value: unknown): readonly string[] {
  const words = Array.isArray(value) ? value : [value];
  return words.flatMap((word) =>
    typeof word === "string" && word !== "" ? [word.toUpperCase()] : [],
  );
}

/** How a process ended: a code, or the number of a signal. */
export interface Exit {
  readonly code: number | null;
  readonly signal: number | null;
}

/** squeue of 22.05 gives the status of wait(2); all others name code and signal, in two spellings. */
export function exitOf(value: unknown): Exit | null {
  if (typeof value === "number") {
    const signal = value & 0x7f;
    return signal === 0 ? { code: value >> 8, signal: null } : { code: null, signal };
  }
  const { return_code, signal } = fieldsOf(value);
  const { id, signal_id = id } = fieldsOf(signal);
  const number = numberOf(signal_id) || null;
  const code = number === null ? numberOf(return_code) : null;
  return code === null && number === null ? null : { code, signal: number };
}

/** A field that is itself an object; empty where it is not. */
export const fieldsOf = (value: unknown): Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : {};
