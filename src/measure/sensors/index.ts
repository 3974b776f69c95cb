// What the rest of godwit may use of the sensors.

export {
  type BridgedPiece,
  bridgeGaps,
  describeGap,
  energyBetween,
  energyFigure,
  errorFactors,
  type WindowEnergy,
} from "./bridge.ts";
export type { MachineUse } from "./busy-time.ts";
export {
  advance,
  begin,
  faultOf,
  finish,
  type Gap,
  type GapReason,
  type Integration,
  type IntegrationRule,
  integrate,
  longestInterval,
  type Observation,
  type Piece,
  ruleOf,
  type Stretch,
} from "./integrate.ts";
export {
  chooseSensors,
  type Found,
  type Ladder,
  type RankedSensor,
  type Uncovered,
} from "./ladder.ts";
export { type GpuProcesses, nvmlProcesses } from "./nvml-processes.ts";
export { findMirrored, type History, plausibleCounter } from "./overlap.ts";
export {
  observe,
  PROBE_DEADLINE,
  probeAll,
  READ_DEADLINE,
  type Survey,
  survey,
  within,
} from "./probe.ts";
export { providers } from "./providers.ts";
export type { Domain, Probe, Reading, Scope, Sensor, SensorProvider } from "./sensor.ts";
