// Requests that come one by one, run together: one run of several rows costs far less than as many runs
// of one row, because weights are read once for all of them.

import { UserError } from "../core/index.ts";
import type { Outputs, Session } from "./session.ts";
import type { TensorElements, TensorValue } from "./tensor-value.ts";

export interface MicroBatchOptions {
  /** Rows that are run together at most. Default: 8. */
  readonly most?: number;
  /** How long a request waits for others, milliseconds. Default: 5. */
  readonly patience?: number;
}

/** Runs requests of one row; each gets its own row back. */
export interface MicroBatch {
  /** One row: every input with a leading axis of 1. */
  run(feeds: Readonly<Record<string, TensorValue>>): Promise<Outputs>;
  /** Runs what waits. The session stays open. */
  flush(): Promise<void>;
}

interface Request {
  readonly feeds: Readonly<Record<string, TensorValue>>;
  readonly resolve: (outputs: Outputs) => void;
  readonly reject: (reason: unknown) => void;
}

/**
 * Gathers requests for a session whose inputs and outputs all have the batch as their first axis. Requests
 * of other shapes than those that wait do not wait with them.
 */
export function microBatch(session: Session, options: MicroBatchOptions = {}): MicroBatch {
  const { most = 8, patience = 5 } = options;
  if (!Number.isInteger(most) || most < 1) throw new RangeError(`batches of ${most} rows`);
  const waiting = new Map<string, Request[]>();
  let timer: ReturnType<typeof setTimeout> | null = null;

  const runAll = async (): Promise<void> => {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    const groups = [...waiting.values()];
    waiting.clear();
    for (const requests of groups) await runTogether(session, requests);
  };

  return {
    run: (feeds) =>
      new Promise((resolve, reject) => {
        const key = shapesOf(feeds);
        const group = waiting.get(key) ?? [];
        waiting.set(key, group);
        group.push({ feeds, resolve, reject });
        if (group.length >= most) {
          waiting.delete(key);
          void runTogether(session, group);
        } else timer ??= setTimeout(() => void runAll(), patience);
      }),
    flush: runAll,
  };
}

const shapesOf = (feeds: Request["feeds"]): string =>
  Object.entries(feeds)
    .map(([name, { dataType, dims }]) => `${name} ${dataType} ${dims.slice(1).join("x")}`)
    .sort()
    .join("; ");

async function runTogether(session: Session, requests: readonly Request[]): Promise<void> {
  try {
    const outputs = await session.run(stacked(requests));
    for (const [row, { resolve }] of requests.entries()) {
      resolve(rowOf(outputs, row, requests.length));
    }
  } catch (error) {
    for (const { reject } of requests) reject(error);
  }
}

function stacked(requests: readonly Request[]): Readonly<Record<string, TensorValue>> {
  const [first] = requests;
  return Object.fromEntries(
    Object.entries(first?.feeds ?? {}).map(([name, { dataType, dims }]) => {
      const parts = requests.map(({ feeds }) => feeds[name]?.data as TensorElements);
      return [name, { dataType, dims: [requests.length, ...dims.slice(1)], data: joined(parts) }];
    }),
  );
}

function joined(parts: readonly TensorElements[]): TensorElements {
  const [first] = parts;
  if (first === undefined || !ArrayBuffer.isView(first)) {
    return parts.flatMap((part) => [...(part as readonly string[])]);
  }
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const data = new (first.constructor as Float32ArrayConstructor)(length);
  let at = 0;
  for (const part of parts) {
    data.set(part as Float32Array, at);
    at += part.length;
  }
  return data;
}

/** Each output's row. Throws UserError for an output that has not as many rows as were run. */
function rowOf(outputs: Outputs, row: number, rows: number): Outputs {
  return Object.fromEntries(
    Object.entries(outputs).map(([name, { dataType, dims, data }]) => {
      if (dims[0] !== rows) {
        throw new UserError(
          "unsupported",
          `output "${name}" is [${dims.join(", ")}] for ${rows} rows`,
          {
            hint: "Its first axis is not the batch: this model cannot be run in batches.",
          },
        );
      }
      const size = data.length / rows;
      return [
        name,
        { dataType, dims: [1, ...dims.slice(1)], data: data.slice(row * size, (row + 1) * size) },
      ];
    }),
  );
}
