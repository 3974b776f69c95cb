// What the rest of godwit may use of the models for machines without sensors.

export { loadPowerModel, type PowerModel } from "./coefficients.ts";
export { CPU_TABLE_SOURCE, type CpuTable, findTdp, loadCpuTable } from "./cpu-table.ts";
export { model, modelledIdlePower } from "./estimator.ts";
export { type ClassOf, type MachineClass, machineClassOf } from "./machine-class.ts";
export { memoryPower } from "./memory-power.ts";
export {
  type CpuId,
  findMicroarchitecture,
  loadMicroarchitectures,
  type Microarchitecture,
} from "./microarchitecture.ts";
export { packageFigure } from "./package-power.ts";
export { type EstimatePlan, type ModelledPart, planEstimate } from "./plan.ts";
export { idlePower, type ServerFacts, serverPower } from "./server-power.ts";
export { type Guest, guestPower } from "./thread-power.ts";
export { wallModelOf } from "./wall.ts";
