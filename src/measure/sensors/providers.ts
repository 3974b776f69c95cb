// Every provider, in ladder order: for each domain, better rungs stand first. A plain list that
// someone passes on; nothing registers itself.

import { acpiMeter } from "./acpi-meter.ts";
import { amdGpu } from "./amd-gpu.ts";
import { battery } from "./battery.ts";
import { emi } from "./emi.ts";
import { externalMeter } from "./external-meter.ts";
import { gpuModel } from "./gpu-model.ts";
import { hwmonCpu } from "./hwmon-cpu.ts";
import { intelGpu } from "./intel-gpu.ts";
import { ioreport } from "./ioreport.ts";
import { ipmi } from "./ipmi.ts";
import { jetson } from "./jetson.ts";
import { nvidiaSmi } from "./nvidia-smi.ts";
import { nvml } from "./nvml.ts";
import { powermetrics } from "./powermetrics.ts";
import { raplMsr } from "./rapl-msr.ts";
import { raplPerf } from "./rapl-perf.ts";
import { raplPowercap } from "./rapl-powercap.ts";
import { redfish } from "./redfish.ts";
import type { SensorProvider } from "./sensor.ts";

/** All providers, better rungs first. */
export const providers: readonly SensorProvider[] = [
  // The whole machine. RAPL's psys, a platform counter, comes after these.
  externalMeter,
  ipmi,
  redfish,
  acpiMeter,
  battery,
  // Processor and memory.
  raplPerf,
  raplPowercap,
  raplMsr,
  hwmonCpu,
  emi,
  ioreport,
  powermetrics,
  // GPUs.
  nvml,
  nvidiaSmi,
  amdGpu,
  intelGpu,
  jetson,
  gpuModel,
];
