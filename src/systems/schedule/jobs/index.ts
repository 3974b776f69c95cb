// Jobs that really run: their records, where they are kept, and what runs them.

export type { Engine } from "./engine.ts";
export {
  type EngineName,
  FINAL_STATES,
  type ForecastSource,
  isFinal,
  type JobRecord,
  type JobState,
  OPEN_STATES,
  type Pausing,
  type Planning,
  type ProcessIdentity,
  type Resources,
  type SignalJson,
  type Span,
} from "./record.ts";
export { signalOfJson, signalToJson } from "./signal-json.ts";
export {
  type Changed,
  type Damaged,
  type Environment,
  type JobStore,
  openJobStore,
} from "./store.ts";
