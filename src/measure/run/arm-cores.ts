// Names for the numbers by which an ARM core identifies itself in MIDR_EL1 (Arm Architecture
// Reference Manual, DDI 0487): implementer and part, as the vendors' reference manuals and the
// kernel's arch/arm64/include/asm/cputype.h give them. Servers, laptops and single-board computers;
// a part that is missing is named by its number, never by a guess.

/** Companies by implementer code. */
const IMPLEMENTERS: Readonly<Record<number, string>> = {
  65: "ARM",
  66: "Broadcom",
  67: "Cavium",
  70: "Fujitsu",
  72: "HiSilicon",
  78: "NVIDIA",
  80: "APM",
  81: "Qualcomm",
  97: "Apple",
  109: "Microsoft",
  112: "Phytium",
  192: "Ampere",
};

/** Cores by `implementer:part`, both hexadecimal. */
const CORES: Readonly<Record<string, string>> = {
  "41:d03": "Cortex-A53",
  "41:d04": "Cortex-A35",
  "41:d05": "Cortex-A55",
  "41:d07": "Cortex-A57",
  "41:d08": "Cortex-A72",
  "41:d09": "Cortex-A73",
  "41:d0a": "Cortex-A75",
  "41:d0b": "Cortex-A76",
  "41:d0c": "Neoverse-N1",
  "41:d0d": "Cortex-A77",
  "41:d40": "Neoverse-V1",
  "41:d41": "Cortex-A78",
  "41:d42": "Cortex-A78AE",
  "41:d44": "Cortex-X1",
  "41:d46": "Cortex-A510",
  "41:d47": "Cortex-A710",
  "41:d48": "Cortex-X2",
  "41:d49": "Neoverse-N2",
  "41:d4a": "Neoverse-E1",
  "41:d4c": "Cortex-X1C",
  "41:d4d": "Cortex-A715",
  "41:d4e": "Cortex-X3",
  "41:d4f": "Neoverse-V2",
  "41:d80": "Cortex-A520",
  "41:d81": "Cortex-A720",
  "41:d82": "Cortex-X4",
  "41:d84": "Neoverse-V3",
  "41:d85": "Cortex-X925",
  "41:d87": "Cortex-A725",
  "41:d8e": "Neoverse-N3",
  "43:0a1": "ThunderX",
  "43:0af": "ThunderX2",
  "46:001": "A64FX",
  "48:d01": "Kunpeng-920",
  "4e:004": "Carmel",
  "61:022": "Apple M1 (Icestorm)",
  "61:023": "Apple M1 (Firestorm)",
  "61:032": "Apple M2 (Blizzard)",
  "61:033": "Apple M2 (Avalanche)",
  "6d:d49": "Azure Cobalt 100",
  "c0:ac3": "Ampere-1",
  "c0:ac4": "Ampere-1a",
};

/** The company of an implementer code, such as `ARM`; `implementer 0x99` when it is not known. */
export const armVendor = (implementer: number): string =>
  IMPLEMENTERS[implementer] ?? `implementer 0x${implementer.toString(16)}`;

/** The core's name, such as `Neoverse-N1`; vendor and part number when it is not known. */
export function armCore(implementer: number, part: number): string {
  const key = `${implementer.toString(16)}:${part.toString(16).padStart(3, "0")}`;
  return CORES[key] ?? `${armVendor(implementer)} part 0x${part.toString(16)}`;
}
