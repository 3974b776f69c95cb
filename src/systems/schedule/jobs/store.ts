// The jobs of a ledger: records in, records out, every change in one transaction and on the record's
// own history. The store is the truth; engines are brought in line with it, or it with them.

import { z } from "zod";
import { UserError } from "../../../core/index.ts";
import { type JobEntry, type JobRow, type JobTable, openJobTable } from "../../../ledger/index.ts";
import { jsonOf, parseJobRecord } from "./parse-record.ts";
import type { EngineName, JobRecord, JobState } from "./record.ts";

/** Variables of a job's environment. They may hold secrets: kept apart, and dropped when it has ended. */
export type Environment = Readonly<Record<string, string>>;

/** What a change makes of a record, and the line of its history that says so. */
export interface Changed {
  readonly record: JobRecord;
  /** What happened, such as `started` or `replanned`, and more about it in words. */
  readonly kind: string;
  readonly text: string;
}

export interface Damaged {
  readonly id: string;
  readonly error: unknown;
}

export interface JobStore {
  /** Where it is, for messages. */
  readonly path: string;
  /** Stores a new job; on the disk once resolved. */
  add(record: JobRecord, environment: Environment | null): Promise<void>;
  get(id: string): Promise<JobRecord | null>;
  /** In order of submission. Records that cannot be read are told to `onDamaged` and left out. */
  list(
    filter?: { readonly states?: readonly JobState[]; readonly engine?: EngineName },
    onDamaged?: (damaged: Damaged) => void,
  ): Promise<readonly JobRecord[]>;
  /**
   * Reads a record and writes what `change` makes of it, with no other process in between. `change` is
   * pure: it may be called again. Null leaves the record as it is. Gives back whether it was changed, and
   * the record as it stands; null when there is none.
   */
  change(
    id: string,
    at: number,
    change: (record: JobRecord) => Changed | null,
  ): Promise<{ readonly record: JobRecord; readonly changed: boolean } | null>;
  history(id: string): Promise<readonly JobEntry[]>;
  environment(id: string): Promise<Environment | null>;
  forgetEnvironment(id: string): Promise<void>;
  /** A role that one process alone may have, such as that of the agent. See JobTable. */
  readonly roles: Pick<JobTable, "takeRole" | "holderOf" | "leaveRole">;
  /** Changes whenever another process has written. */
  version(): number;
  close(): void;
}

/** Opens the jobs beside the ledger in a folder; errors as of `openJobTable`. */
export async function openJobStore(
  folder: string,
  options: { readonly ifAbsent?: "create" | "fail" } = {},
): Promise<JobStore> {
  return jobStore(await openJobTable(folder, options));
}

function jobStore(table: JobTable): JobStore {
  return {
    path: table.path,
    add: (record, environment) =>
      table.insert(
        {
          row: rowOf(record),
          entries: [{ at: record.submittedAt, kind: "submitted", text: record.reason }],
        },
        environment === null ? null : JSON.stringify(environment),
      ),
    async get(id) {
      const row = await table.read(id);
      return row === null ? null : parseJobRecord(row.text, row.id);
    },
    async list(filter = {}, onDamaged) {
      return (await table.select(filter)).flatMap((row) => readable(row, onDamaged));
    },
    async change(id, at, change) {
      let now: { readonly record: JobRecord; readonly changed: boolean } | null = null;
      await table.update(id, ({ text }) => {
        const before = parseJobRecord(text, id);
        const made = change(before);
        now = { record: made?.record ?? before, changed: made !== null };
        if (made === null) return null;
        const entries = [{ at, kind: made.kind, text: made.text }];
        return { row: rowOf(made.record), entries };
      });
      return now;
    },
    history: (id) => table.entriesOf(id),
    async environment(id) {
      const text = await table.secretOf(id);
      return text === null ? null : environmentOf(text, id);
    },
    forgetEnvironment: (id) => table.forgetSecret(id),
    roles: table,
    version: () => table.version(),
    close: () => table.close(),
  };
}

const rowOf = (record: JobRecord): JobRow => ({
  id: record.id,
  engine: record.engine,
  state: record.state,
  submittedAt: record.submittedAt,
  text: JSON.stringify(record),
});

function readable(row: JobRow, onDamaged?: (damaged: Damaged) => void): readonly JobRecord[] {
  try {
    return [parseJobRecord(row.text, row.id)];
  } catch (error) {
    onDamaged?.({ id: row.id, error });
    return [];
  }
}

const ENVIRONMENT = z.record(z.string(), z.string());

function environmentOf(text: string, id: string): Environment {
  const parsed = ENVIRONMENT.safeParse(jsonOf(text));
  if (parsed.success) return parsed.data;
  throw new UserError("ledger", `the environment of job ${id} is damaged`, {
    hint: "Submit the job again.",
  });
}
