// Lines of a segment are data from a disk: looked at before they are believed. Only the shape that
// the arithmetic relies on is checked; a record of a kind that a newer version writes is passed over.

import { z } from "zod";
import { UserError } from "../../core/index.ts";
import { SEGMENT_SCHEMA, type SegmentRecord } from "./record.ts";

const count = z.number().nullable();
const anyFigure = z.looseObject({ value: z.number(), low: z.number(), high: z.number() });

const shapes = z.discriminatedUnion("type", [
  z.looseObject({
    type: z.literal("start"),
    schema: z.string(),
    id: z.string(),
    startedAt: z.iso.datetime(),
    subject: z.looseObject({ kind: z.string(), name: z.string() }),
    pid: z.number(),
    pidStart: z.string().nullable(),
    sensors: z.array(z.looseObject({ id: z.string(), counted: z.boolean() })),
    machine: z.looseObject({
      memoryBytes: z.number(),
      cpu: z.looseObject({ threads: z.number() }),
    }),
    signal: z.looseObject({ intensity: anyFigure }),
    pue: anyFigure,
    idleShare: anyFigure,
    idle: z.record(z.string(), anyFigure),
    notices: z.array(z.string()),
  }),
  z.looseObject({
    type: z.literal("tick"),
    t: z.number(),
    values: z.array(count),
    busyS: count,
    subjectS: count,
    rss: count,
    gpu: z
      .record(z.string(), z.looseObject({ busyS: z.number(), subjectS: z.number() }))
      .optional(),
  }),
  z.looseObject({
    type: z.literal("gap"),
    sensor: z.string(),
    from: z.number(),
    to: z.number(),
    reason: z.string(),
    detail: z.string(),
    joules: count,
  }),
  z.looseObject({
    type: z.literal("span"),
    index: z.number(),
    name: z.string(),
    start: z.number(),
    end: z.number(),
    parent: count,
  }),
  z.looseObject({ type: z.literal("notice"), t: z.number(), text: z.string() }),
  z.looseObject({
    type: z.literal("end"),
    t: z.number(),
    endedAt: z.string(),
    status: z.string(),
    subjectS: count,
    idle: z.record(z.string(), anyFigure).optional(),
  }),
]);

/** A record, or null for a line that is none. Throws UserError for a segment of another version. */
export function parseRecord(line: object): SegmentRecord | null {
  const result = shapes.safeParse(line);
  if (!result.success) return null;
  const record = result.data as unknown as SegmentRecord;
  if (record.type === "start" && record.schema !== SEGMENT_SCHEMA) {
    throw new UserError("unsupported", `the run's records are of version ${record.schema}`, {
      hint: `This godwit reads ${SEGMENT_SCHEMA}; update godwit to read them.`,
    });
  }
  return record;
}
