// The frequency that a CPU is sold with, not its boost nor what it runs at now. The fitted model of
// servers asks for it because it tells lean parts from fast ones of the same TDP.

import { type Host, readTextIfPresent } from "../../core/index.ts";

const CPU = "/sys/devices/system/cpu/cpu0";

/** Nominal GHz, or null when nothing tells. */
export async function nominalFrequency(host: Host, cpuName: string): Promise<number | null> {
  const named = /@\s*(\d+(?:\.\d+)?)\s*GHz/i.exec(cpuName)?.[1];
  if (named !== undefined) return plausible(Number(named));
  const read = async (path: string): Promise<string> =>
    (await readTextIfPresent(host, path).catch(() => null)) ?? "";
  // intel_pstate gives kHz, ACPI CPPC MHz.
  const base = Number(await read(`${CPU}/cpufreq/base_frequency`)) / 1e6;
  const nominal = Number(await read(`${CPU}/acpi_cppc/nominal_freq`)) / 1e3;
  // On x86 the time-stamp counter ticks at the nominal frequency and BogoMIPS is twice that.
  const bogomips = /^bogomips\s*:\s*([\d.]+)/m.exec(await read("/proc/cpuinfo"))?.[1];
  const ticks = host.arch === "x64" ? Number(bogomips ?? 0) / 2e3 : 0;
  return plausible(base) ?? plausible(nominal) ?? plausible(ticks);
}

const plausible = (gigahertz: number): number | null =>
  gigahertz >= 0.5 && gigahertz <= 7 ? Math.round(gigahertz * 100) / 100 : null;
