// Which microarchitecture a CPU is, from what it says of itself: CPUID vendor, family, model and
// stepping on x86, implementer and part on ARM. A guest usually passes these on even where the
// hypervisor hides the name ("AMD EPYC"). The table is data/cpus/microarchitectures.csv.

import { type Host, parseCsvTable } from "../../core/index.ts";

/** What identifies a CPU to software. */
export type CpuId =
  | {
      readonly kind: "x86";
      /** CPUID vendor string, such as `AuthenticAMD`. */
      readonly vendor: string;
      readonly family: number;
      readonly model: number;
      readonly stepping: number;
    }
  | {
      readonly kind: "arm";
      /** Of the MIDR register: 0x41 is Arm. */
      readonly implementer: number;
      readonly part: number;
    };

export interface Microarchitecture {
  /** Ours, such as `zen4` or `sapphire-rapids`. */
  readonly id: string;
  readonly title: string;
  /** First availability. */
  readonly year: number;
  /** `both` where one identification is sold as server and client. */
  readonly segment: "server" | "client" | "both";
}

/** A row of the table: a microarchitecture and who it is. */
interface Entry extends Microarchitecture {
  readonly vendor: string;
  readonly family: number | null;
  readonly models: readonly Range[];
  /** Empty: any. */
  readonly steppings: readonly Range[];
}

type Range = readonly [low: number, high: number];

export type MicroarchitectureTable = readonly Entry[];

/** The shipped table. */
export async function loadMicroarchitectures(host: Host): Promise<MicroarchitectureTable> {
  const rows = parseCsvTable(await host.readData("cpus/microarchitectures.csv"));
  return rows.map((row) => ({
    vendor: row["vendor"] ?? "",
    family: row["family"] === "" ? null : Number(row["family"]),
    models: ranges(row["models"] ?? ""),
    steppings: ranges(row["steppings"] ?? ""),
    id: row["microarchitecture"] ?? "",
    title: row["title"] ?? "",
    year: Number(row["year"]),
    segment: segmentOf(row["segment"] ?? ""),
  }));
}

/** The microarchitecture of a CPU, or null when its identification is not listed. */
export function findMicroarchitecture(
  table: MicroarchitectureTable,
  cpu: CpuId,
): Microarchitecture | null {
  const vendor = cpu.kind === "x86" ? cpu.vendor : `arm:0x${cpu.implementer.toString(16)}`;
  const found = table.find((entry) => {
    if (entry.vendor !== vendor) return false;
    if (cpu.kind === "arm") return within(entry.models, cpu.part);
    return (
      entry.family === cpu.family &&
      within(entry.models, cpu.model) &&
      (entry.steppings.length === 0 || within(entry.steppings, cpu.stepping))
    );
  });
  if (found === undefined) return null;
  const { id, title, year, segment } = found;
  return { id, title, year, segment };
}

/** `26 30-31` gives [26, 26] and [30, 31]. */
function ranges(text: string): readonly Range[] {
  return text
    .split(" ")
    .filter(Boolean)
    .map((part) => {
      const [low, high = low] = part.split("-").map(Number);
      if (low === undefined || high === undefined || !(low <= high)) {
        throw new SyntaxError(`not a range of numbers: ${part}`);
      }
      return [low, high];
    });
}

const within = (list: readonly Range[], value: number): boolean =>
  list.some(([low, high]) => value >= low && value <= high);

function segmentOf(text: string): Microarchitecture["segment"] {
  if (text === "server" || text === "client" || text === "both") return text;
  throw new SyntaxError(`not a segment: ${text}`);
}
