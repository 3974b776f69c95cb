// The ledger's public face.

export { type LedgerLocation, type LedgerPlace, locateLedger } from "./folder.ts";
export {
  type JobChange,
  type JobEntry,
  type JobFilter,
  type JobRow,
  type JobTable,
  openJobTable,
} from "./job-table.ts";
export { type Kept, keepCard } from "./keep.ts";
export type { CardFilter, CardSummary, Ledger } from "./ledger.ts";
export { checkServer, ledgerExists, type OpenOptions, openLedger } from "./open.ts";
export { keepPending, listPending, replayPending } from "./pending.ts";
export type { PostgresServer } from "./postgres-url.ts";
export { readRecords, readSegment, type SegmentLine } from "./read-segment.ts";
export {
  createSegment,
  listSegments,
  moveSegments,
  removeSegment,
  type SegmentFault,
  type SegmentWriter,
  segmentPath,
} from "./segment.ts";
