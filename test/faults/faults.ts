// Every fault, by what it is a fault of.

import { clockFaults } from "./clock-faults.ts";
import { configurationFaults } from "./configuration-faults.ts";
import type { Fault } from "./fault.ts";
import { fileFaults } from "./file-faults.ts";
import { gpuFaults, machineFaults } from "./meter-faults.ts";
import { networkFaults } from "./network-faults.ts";
import { processFaults } from "./process-faults.ts";
import { otherCounterFaults, powercapFaults } from "./rapl-faults.ts";

export const FAULTS: Readonly<Record<string, readonly Fault[]>> = {
  "RAPL by powercap": powercapFaults,
  "other counters of processor and memory": otherCounterFaults,
  "meters of the whole machine": machineFaults,
  GPUs: gpuFaults,
  files: fileFaults,
  network: networkFaults,
  clocks: clockFaults,
  configuration: configurationFaults,
  processes: processFaults,
};
