// Which channels of Apple's IOReport group "Energy Model" make up the processor, the graphics
// processor, the neural engine and the memory. The group has hundreds of channels: clusters, cores
// and telemetry lie inside the totals, and only the totals are read.
//
// Names seen on machines (macmon, vladkens/macmon; all-smi, lablup/all-smi, inventories of M1 Ultra,
// M5 Max and M5 Ultra, 2026): one die `CPU Energy`, `GPU Energy`, `ANE0`, `DRAM0`; two dies
// `DIE_0_CPU Energy`, `DIE_1_CPU Energy`, `GPU Energy`, `ANE0_0`, `ANE0_1`, `DRAM0_0`, `DRAM0_1`.

/** A part of the chip. `ane` is the neural engine. */
export type Rail = "cpu" | "gpu" | "ane" | "dram";

export interface EnergyChannel {
  readonly name: string;
  /** As the channel itself says: `mJ`, `uJ`, `nJ`. */
  readonly unit: string;
}

/** The channels of a rail; their sum is its energy. */
export type RailChannels = ReadonlyMap<Rail, readonly number[]>;

/** For each rail, name patterns from the total of the chip to its finest parts. */
const FAMILIES: Readonly<Record<Rail, readonly RegExp[]>> = {
  cpu: [/^CPU Energy$/, /^DIE_?\d+[_ ]CPU Energy$/],
  // `GPU0` equals `GPU Energy` on an M5 Max; it stands in where that is missing.
  gpu: [/^GPU Energy$/, /^DIE_?\d+[_ ]GPU Energy$/, /^GPU\d+$/, /^GPU\d+_\d+$/],
  ane: [/^ANE$/, /^ANE\d+$/, /^ANE\d+_\d+$/],
  dram: [/^DRAM$/, /^DRAM\d+$/, /^DRAM\d+_\d+$/],
};

/**
 * Indexes of the channels of each rail. Of the families of names only the first that is present
 * counts, so that a die is never added to the chip that contains it.
 */
export function railsOf(channels: readonly EnergyChannel[]): RailChannels {
  const rails = new Map<Rail, readonly number[]>();
  for (const rail of ["cpu", "gpu", "ane", "dram"] as const) {
    for (const pattern of FAMILIES[rail]) {
      const indexes = [...channels.keys()].filter((i) => pattern.test(channels[i]?.name ?? ""));
      if (indexes.length === 0) continue;
      rails.set(rail, indexes);
      break;
    }
  }
  return rails;
}

/** Joules of one count. Throws for a unit that is not known: a guess could be wrong a millionfold. */
export function joulesPerCount(unit: string): number {
  switch (unit.trim()) {
    case "mJ":
      return 1e-3;
    case "uJ":
    case "\u00b5J":
    case "\u03bcJ":
      return 1e-6;
    case "nJ":
      return 1e-9;
    default:
      throw new Error(`IOReport unit ${JSON.stringify(unit)} is not known`);
  }
}
