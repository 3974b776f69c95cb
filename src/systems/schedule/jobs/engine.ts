// What runs jobs. An engine is told what the store says, and tells the store what is.

import type { EngineName, JobRecord } from "./record.ts";

/**
 * Every call may be repeated after a crash: it must see from the record, or from the engine, that it was
 * done before. Engines write what they learn (state, external id, times) into the store themselves.
 */
export interface Engine {
  readonly name: EngineName;
  /** Hands over a job that the store has as waiting. Never twice, whatever happened in between. */
  submit(record: JobRecord): Promise<void>;
  /** Brings the start of a job that has not begun in line with the record's plan. */
  replan(record: JobRecord): Promise<void>;
  /** Keeps it from starting, until it is released. */
  hold(record: JobRecord): Promise<void>;
  release(record: JobRecord): Promise<void>;
  /** Ends it, whether it has begun or not. */
  cancel(record: JobRecord): Promise<void>;
  /** Compares the store with what is, and corrects the store. Gives back what was found, in words. */
  reconcile(): Promise<readonly string[]>;
}
