// What the rest of godwit may use of measured runs. `recover.ts` is imported from there: it needs
// the ledger, which the measuring library does not load.

export { assemble } from "./assemble.ts";
export { identifyMachine } from "./identity.ts";
export { type IdleBaseline, measureIdle } from "./idle.ts";
export type { RecordSink } from "./journal.ts";
export { markNested, PARENT_VARIABLE, type Place, placeOf } from "./leader.ts";
export { type SubjectLimits, subjectLimits } from "./limits.ts";
export {
  createMeasurer,
  type Measured,
  type Measurer,
  type MeasurerOptions,
  type Span,
} from "./measure.ts";
export {
  createMeter,
  type Ending,
  type Meter,
  type MeterOptions,
  type OpenSpan,
  type Sample,
} from "./meter.ts";
export { type Prediction, predictTotal } from "./predict.ts";
export {
  type EndRecord,
  type GapRecord,
  type GpuUse,
  type NoticeRecord,
  SEGMENT_SCHEMA,
  type SegmentRecord,
  type SensorRecord,
  type SpanRecord,
  type StartRecord,
  type TickRecord,
  type WallModel,
} from "./record.ts";
export { type Summary, summarise } from "./result.ts";
export { type Setup, type SetupOptions, setUp } from "./setup.ts";
export type { SubjectUse } from "./usage.ts";
