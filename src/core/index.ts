// The foundation's public face. The card lives in `card.ts` and is imported from there, because its
// schema library costs start-up time that commands which print no card should not pay.

export { csvField, parseCsv, parseCsvTable } from "./csv.ts";
export { type ErrorCode, EXIT, reasonOf, UserError } from "./errors.ts";
export {
  type AnyFigure,
  combinedMethod,
  exact,
  type Figure,
  figure,
  type Method,
  type Origin,
  product,
  scaled,
  sum,
  withError,
  Z90,
} from "./figure.ts";
export {
  formatDuration,
  formatFigure,
  formatQuantity,
  significant,
  withPrefix,
} from "./format.ts";
export {
  type CommandResult,
  type CpuTimes,
  type Deadline,
  type Ffi,
  type Host,
  type HostFacts,
  type HttpResponse,
  hostErrorCode,
  listIfPresent,
  type NativeFunction,
  type NativeLibrary,
  type ProcessUsage,
  type RandomAccessFile,
  readTextIfPresent,
} from "./host/host.ts";
export { normalDensity, normalProbability, normalQuantile } from "./normal.ts";
export { once } from "./once.ts";
export {
  type Bytes,
  bytes,
  type CarbonIntensity,
  carbonIntensity,
  emissionsOf,
  energyOf,
  type Flops,
  flops,
  type GramsCO2e,
  gramsCO2e,
  JOULES_PER_KILOWATT_HOUR,
  type Joules,
  joules,
  kilowattHours,
  type Litres,
  litres,
  type Macs,
  macs,
  meanPowerOf,
  type Quantity,
  type Ratio,
  ratio,
  type Seconds,
  seconds,
  toKilowattHours,
  total,
  type Unit,
  type Watts,
  watts,
} from "./quantity.ts";
export { createRandom, type Random } from "./random.ts";
export { shellWord } from "./shell-word.ts";
export { mean, median, quantile, standardDeviation } from "./statistics.ts";
export { editDistance, suggest } from "./suggest.ts";
