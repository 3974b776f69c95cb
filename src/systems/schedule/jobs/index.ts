// Jobs that really run: their records, where they are kept, and what runs them.

export { type Account, accountOf, type Trace, type Unaccounted } from "./account.ts";
export { type Agent, type AgentOptions, createAgent, type JobProcesses } from "./agent.ts";
export type { Capacity } from "./capacity.ts";
export { planOf } from "./decide.ts";
export type { Engine } from "./engine.ts";
export {
  begunFile,
  jobFolder,
  jobProcesses,
  ownIdentity,
  type ProcessOptions,
  supervisorLog,
} from "./execute-processes.ts";
export { localEngine, momentOf } from "./local-engine.ts";
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
export { type Total, totals } from "./savings.ts";
export { signalOfJson, signalToJson } from "./signal-json.ts";
export {
  type Changed,
  type Damaged,
  type Environment,
  type JobStore,
  openJobStore,
} from "./store.ts";
export {
  abandon,
  begin,
  type CommandEnd,
  cancel,
  cancelUnbegun,
  canStart,
  claim,
  fail,
  finish,
  handOver,
  isHeld,
  type Moment,
  settle,
} from "./transitions.ts";
