// Emissions of making the hardware, and the share of them that a use reserves:
//   M = TE x (TiR / EL) x (RR / ToR)
// (ISO/IEC 21031:2024, Software Carbon Intensity, 5.3.4). Reserved hardware counts, idle or not.
// Two models of TE: Cloud Carbon Footprint's by parts, and a physical one by areas and masses.

import {
  type AnyFigure,
  type Figure,
  product,
  type Seconds,
  seconds,
  UserError,
  withError,
} from "../../../core/index.ts";

/** Relative standard deviation of embodied emissions of a server that nobody assessed. */
const EMBODIED_ERROR = 0.4;

/** Exact: 365 days, as ISO/IEC 21031's examples count a year (4 years are 35,040 hours). */
const YEAR_S = 365 * 24 * 3600;

/**
 * How long a server serves, 3 to 6 years about 4 (CCF and the SCI case studies: 4; BLOOM's
 * assessment: 6; large operators since 2022: 5 to 6).
 */
export const SERVER_LIFE: Figure<"s"> = withError("s", 4 * YEAR_S, 0.2, {
  method: "declared",
  source: "4 years, as Cloud Carbon Footprint and the SCI case studies take it",
});

export interface Reservation {
  /** Emissions of making all of it. */
  readonly total: Figure<"gCO2e">;
  /** Time for which it was reserved. */
  readonly time: Seconds;
  /** Life of the hardware. */
  readonly life: Figure<"s">;
  /** Resources reserved over those there are: cores, GPUs, or hours used over hours in service. */
  readonly share: number;
}

/** The share of embodied emissions that a reservation carries. */
export function embodiedShare({ total, time, life, share }: Reservation): Figure<"gCO2e"> {
  if (!(share >= 0 && share <= 1)) {
    throw new UserError("invalid-input", `a share of ${share} of the hardware cannot be right`, {
      hint: "Give resources reserved over resources in all, between 0 and 1.",
    });
  }
  if (!(time >= 0) || !(life.low > 0)) {
    throw new UserError("invalid-input", `${time} s of a life of ${life.value} s cannot be right`, {
      hint: "Give the time of the reservation and the life of the hardware in seconds.",
    });
  }
  const perSecond = inverse(life);
  const source = `embodied: ${total.source}, over ${life.source}`;
  return product("gCO2e", [total, perSecond], { source, scale: time * share });
}

/** One over a life: a rate per second, whose unit the product drops. */
const inverse = (life: Figure<"s">): AnyFigure => ({
  ...life,
  unit: "1",
  value: 1 / life.value,
  low: 1 / life.high,
  high: 1 / life.low,
});

/** What a rack server is made of. */
export interface ServerParts {
  readonly sockets: number;
  readonly memoryGb: number;
  readonly ssds?: number;
  readonly hdds?: number;
  readonly gpus?: number;
}

/**
 * kg CO2e. Davy, Building an AWS EC2 Carbon Emissions Dataset (Teads, 2021), from Dell R740's life
 * cycle assessment, as Cloud Carbon Footprint uses it: a server with one socket and 16 GB is 1,000 kg.
 */
const CCF = { base: 1000, socket: 100, memoryGb: 533 / 384, ssd: 100, hdd: 50, gpu: 150 } as const;

/** Emissions of making a server, by Cloud Carbon Footprint's parts. */
export function serverByParts(parts: ServerParts): Figure<"gCO2e"> {
  requireCounts(parts);
  const kg =
    CCF.base +
    CCF.socket * (parts.sockets - 1) +
    CCF.memoryGb * Math.max(0, parts.memoryGb - 16) +
    CCF.ssd * (parts.ssds ?? 0) +
    CCF.hdd * (parts.hdds ?? 0) +
    CCF.gpu * (parts.gpus ?? 0);
  return withError("gCO2e", kg * 1000, EMBODIED_ERROR, {
    method: "estimated",
    source: "server by parts (Teads 2021, Cloud Carbon Footprint)",
  });
}

/** What the physical model asks; areas and densities are the maker's. */
export interface ServerBuild {
  /** Die area of each processor, mm2. */
  readonly diesMm2: readonly number[];
  readonly memoryGb: number;
  /** Bits of silicon: GB on a square centimetre of die. */
  readonly memoryGbPerCm2: number;
  /** Modules that hold the memory. */
  readonly memoryModules: number;
  readonly ssds?: readonly { readonly gb: number; readonly gbPerCm2: number }[];
  readonly hdds?: number;
  /** Mass of all power supplies, kg. */
  readonly powerSupplyKg: number;
  readonly enclosure: "rack" | "blade";
}

/**
 * kg CO2e, production. Gröger et al., Green Cloud Computing, UBA Texte 94/2021 (the factors that open
 * life cycle tools have taken over since).
 */
const UBA = {
  cpuPerMm2: 0.0197,
  cpu: 9.14,
  memoryPerCm2: 2.2,
  memoryModule: 5.22,
  ssdPerCm2: 2.2,
  ssd: 6.34,
  hdd: 31.11,
  mainboard: 66.1,
  powerSupplyPerKg: 24.3,
  rack: 150,
  /** A blade, and its sixteenth of the enclosure of 880 kg. */
  blade: 30.9 + 880 / 16,
  assembly: 6.68,
} as const;

/** Emissions of making a server, from areas of silicon and masses. */
export function serverByBuild(build: ServerBuild): Figure<"gCO2e"> {
  const ssds = build.ssds ?? [];
  const sizes = [
    ...build.diesMm2,
    build.memoryGb,
    build.memoryGbPerCm2,
    ...ssds.flatMap(({ gb, gbPerCm2 }) => [gb, gbPerCm2]),
  ];
  if (build.diesMm2.length === 0 || sizes.some((size) => !(size > 0))) {
    throw new UserError("invalid-input", "a server needs processors, memory and their sizes", {
      hint: "Give die areas in mm2, memory in GB and densities in GB per cm2, all above 0.",
    });
  }
  const cpus = build.diesMm2.reduce((all, area) => all + UBA.cpuPerMm2 * area + UBA.cpu, 0);
  const memory =
    (UBA.memoryPerCm2 * build.memoryGb) / build.memoryGbPerCm2 +
    UBA.memoryModule * build.memoryModules;
  const storage = ssds.reduce(
    (all, { gb, gbPerCm2 }) => all + (UBA.ssdPerCm2 * gb) / gbPerCm2 + UBA.ssd,
    UBA.hdd * (build.hdds ?? 0),
  );
  const board = UBA.mainboard + UBA.powerSupplyPerKg * build.powerSupplyKg;
  const kg = cpus + memory + storage + board + UBA[build.enclosure] + UBA.assembly;
  return withError("gCO2e", kg * 1000, EMBODIED_ERROR, {
    method: "estimated",
    source: "server by areas and masses (UBA Texte 94/2021)",
  });
}

/** Years as seconds, as this page counts them. */
export const years = (count: number): Seconds => seconds(count * YEAR_S);

function requireCounts({ sockets, memoryGb, ssds = 0, hdds = 0, gpus = 0 }: ServerParts): void {
  const isRight = sockets >= 1 && memoryGb > 0 && [ssds, hdds, gpus].every((count) => count >= 0);
  if (isRight) return;
  throw new UserError(
    "invalid-input",
    `a server of ${sockets} sockets and ${memoryGb} GB is none`,
    {
      hint: "Give at least one socket, some memory, and no negative counts.",
    },
  );
}
