// Accelerators by name with their peak arithmetic and board power (data/methods/training), and what the
// server around them takes. Used for work that is planned, not measured.

import {
  type Figure,
  figure,
  type Host,
  parseCsvTable,
  suggest,
  UserError,
} from "../../core/index.ts";

export interface Accelerator {
  readonly name: string;
  /** Dense 16-bit matrix arithmetic, FLOP/s. */
  readonly peakFlops: number;
  /** Board power, watts. */
  readonly watts: number;
  readonly source: string;
}

/** The shipped table. */
export async function loadAccelerators(host: Host): Promise<readonly Accelerator[]> {
  const rows = parseCsvTable(await host.readData("methods/training/accelerators.csv"));
  return rows.map((row) => ({
    name: row["name"] ?? "",
    peakFlops: Number(row["peak_tflops"]) * 1e12,
    watts: Number(row["tdp_w"]),
    source: row["source"] ?? "",
  }));
}

/**
 * The accelerator of a name or of a part of it that names boards of one peak and power alone (`H200`,
 * `A100 SXM4`). Throws UserError with the nearest name.
 */
export function findAccelerator(table: readonly Accelerator[], name: string): Accelerator {
  const wanted = wordsOf(name);
  const found = table.filter((one) => wanted.every((word) => wordsOf(one.name).includes(word)));
  const [first] = found;
  const alike = found.every(
    ({ peakFlops, watts }) => peakFlops === first?.peakFlops && watts === first.watts,
  );
  if (first !== undefined && wanted.length > 0 && alike) return first;
  const names = (found.length > 0 ? found : table).map((one) => one.name);
  const near = found.length > 0 ? null : suggest(name, names);
  throw new UserError(
    "invalid-input",
    found.length > 0 ? `${name} may be several accelerators` : `no accelerator is called ${name}`,
    {
      hint: `${near === null ? `There is: ${names.join(", ")}.` : `Did you mean ${near}?`} Or give its peak and power: --peak 300T --watts 400.`,
    },
  );
}

const MAKERS = new Set(["NVIDIA", "AMD", "INSTINCT", "GEFORCE", "TESLA"]);

const wordsOf = (name: string): readonly string[] =>
  name
    .toUpperCase()
    .split(/[^A-Z0-9]+/)
    .filter((word) => word !== "" && !MAKERS.has(word));

/**
 * Power of a server over that of its accelerators. Assumed, not fitted: between supply and fans alone (1.2)
 * and what datasheets allow at most (DGX H100: 10.2 kW with 5.6 kW of GPUs; DGX A100: 6.5 kW with 3.2 kW).
 */
export const serverAround = (): Figure<"1"> =>
  figure(
    "1",
    1.5,
    { low: 1.2, high: 2 },
    {
      method: "estimated",
      source: "server over accelerators: 1.5, assumed between supply alone and datasheet maxima",
    },
  );

/** Model FLOPs utilisation of large training runs, and of prefill: 0.35 with 0.2 to 0.55. */
export const unknownMfu = (): Figure<"1"> =>
  figure(
    "1",
    0.35,
    { low: 0.2, high: 0.55 },
    {
      method: "estimated",
      source:
        "MFU 0.35, published runs lie between 0.2 and 0.55 (GPT-3 0.21, MT-NLG 0.30, Gopher 0.33, PaLM 0.46: Chowdhery et al. 2022, table 3)",
    },
  );

/** One over a figure; its bounds change places. */
export function inverse(of: Figure<"1">): Figure<"1"> {
  const { value, low, high } = of;
  return figure("1", 1 / value, { low: 1 / high, high: 1 / low }, of);
}
